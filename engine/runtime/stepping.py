"""One call of a journal, step by step: what came in, what the Switch did with it, and the state beside it.

The Switch runs again from the newest checkpoint before the call; nothing is guessed from records. What may not be
shown (a digit that is asked for as a secret) is marked here, by the same rule by which the journal seals it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from engine.call.effects import Emit, Input, Media, MediaHappened, Operator, Output, Received, Resumed
from engine.call.notes import MASK
from engine.media.commands import Bridge, MediaCommand, Mix, Play, PlayEnded
from engine.runtime.journal import Enough, Header, Replayed, replay
from engine.runtime.ladder import call_id_of
from engine.runtime.replaying import build
from engine.sip.events import Send

if TYPE_CHECKING:
    from engine.call.call import Call
    from engine.call.room import Room

steps_max = 100_000  # of one call


class Party(msgspec.Struct, frozen=True):
    """One leg as it is after a step. `row` -1: no audio yet; `hears`: what the engine sends to it, in words."""

    party: str
    state: str
    row: int
    hears: str
    held: bool


class Beside(msgspec.Struct, frozen=True):
    """The call's state after a step; `phase` '' once it is gone."""

    phase: str = ""
    step: str = ""
    waits_for: str = ""
    queue: str = ""
    position: int = 0
    agents: tuple[tuple[str, str], ...] = ()  # (agent, state) of those who have to do with it
    legs: tuple[Party, ...] = ()


class Step(msgspec.Struct, frozen=True):
    """One input that concerned the call. `number` counts the boot's inputs; `at_ms` is Unix time.

    `hidden`: the input holds a digit that must not be shown. `due`: the timers that had run out. `clips`: names of
    clip numbers.
    """

    number: int
    now_ms: int
    at_ms: int
    input: Input
    hidden: bool
    due: tuple[str, ...]
    outputs: tuple[Output, ...]
    beside: Beside
    clips: dict[int, str]


class Found(msgspec.Struct):
    """Where a call is: the index of the file to begin with. `began` False: in a file that is no longer kept."""

    call: str
    caller: str
    file: int
    began: bool = True


def find(files: list[Path], wanted: str) -> Found | None:
    """The latest call that `wanted` names: its id, a caller's number, or `last`. Looks from the newest file back.

    Raises JournalError for what is no journal.
    """
    for index in range(len(files) - 1, -1, -1):
        before: list[tuple[str, str]] = []
        started: list[tuple[str, str]] = []

        def begin(header: Header, state: bytes | None, before: list[tuple[str, str]] = before) -> Any:
            switch = build(header, state)
            before.extend((call.name, call.caller) for call in switch.room.calls.values())
            return switch

        def each(
            number: int, now_ms: int, event: Input, outputs: list[Output], started: list[tuple[str, str]] = started
        ) -> None:
            for output in outputs:
                if isinstance(output, Emit) and output.event.kind == "call.started":
                    started.append((output.event.call, str(output.event.data.get("caller", ""))))

        replay(files[index], begin, each)
        for known, began in ((started, True), (before if index == 0 else [], False)):
            for call, caller in reversed(known):
                if wanted in ("last", call, caller):
                    return Found(call, caller, index, began)
    return None


def steps(files: list[Path], call: str, told: Callable[[Step], None]) -> list[Replayed]:
    """Replay `files` until the call is over; `told` gets each of its steps as it happens (and may raise Enough).

    Returns the reports of the files that were read.
    """
    reports = []
    follower = _Follower(call, told)
    for path in files:
        reports.append(replay(path, follower.begin, follower.each))
        if reports[-1].stopped or reports[-1].sealed or reports[-1].differs:
            break
    return reports


class _Follower:
    """Drives the Switch in the replay's place, so that it sees it before each input as well as after."""

    def __init__(self, call: str, told: Callable[[Step], None]) -> None:
        self.name = call
        self.told = told
        self.switch: Any = None
        self.call_ids: dict[str, None] = {}
        self.rows: dict[int, int] = {}  # row -> generation
        self.step = ""
        self.hears: dict[int, str] = {}
        self.offered: dict[str, None] = {}
        self.clips: dict[int, str] = {}
        self.hidden = False
        self.due: tuple[str, ...] = ()
        self.count = 0

    def begin(self, header: Header, state: bytes | None) -> _Follower:
        self.switch = build(header, state)
        self._learn()
        return self

    def handle(self, event: Input, now_ms: int) -> list[Output]:
        """In the Switch's place."""
        seal = self.switch.seal_for(event)
        self.hidden = seal is not None and seal.startswith("call ")
        self.due = tuple(_due(self.switch.room, now_ms))
        outputs: list[Output] = self.switch.handle(event, now_ms)
        return outputs

    def each(self, number: int, now_ms: int, event: Input, outputs: list[Output]) -> None:
        """After each input: is it one of the call's?"""
        concerned = self._concerned(event)
        outputs = list(_masked(outputs))
        if concerned and isinstance(event, MediaHappened) and isinstance(event.event, PlayEnded):
            self.hears[event.event.row] = "silence"
        call = self._learn()
        for output in outputs:
            concerned = self._output(output) or concerned
        if not concerned:
            return
        room = self.switch.room
        self.count += 1
        self.told(Step(
            number, now_ms, now_ms + room.wall_offset_ms, event, self.hidden, self.due,
            tuple(each for each in outputs if self._mine(each)), self._beside(call), self.clips,
        ))
        ended = any(isinstance(each, Emit) and each.event.kind == "call.ended" and each.event.call == self.name
                    for each in outputs)
        if ended or self.count >= steps_max:
            raise Enough

    def _learn(self) -> Call | None:
        """Dialogs and rows that belong to the call by now; None when it isn't there."""
        room: Room = self.switch.room
        call = next((call for call in room.calls.values() if call.name == self.name), None)
        if call is None:
            return None
        for number in call.legs:
            leg = room.legs[number]
            self.call_ids[room.endpoint.session_call_id(leg.session)] = None
            if leg.row >= 0:
                self.rows[leg.row] = leg.generation
        if not self.clips:
            self.clips.update((prompt.clip, prompt.name) for prompt in room.sites[call.site].prompts.values())
        return call

    def _concerned(self, event: Input) -> bool:
        match event:
            case Received():
                return call_id_of(event.data) in self.call_ids
            case MediaHappened():
                return self.rows.get(event.event.row) == event.event.generation
            case Operator():
                return self.name in event.arguments.values()
            case Resumed():
                return bool(self.call_ids)
        return False

    def _output(self, output: Output) -> bool:
        """Note what it tells of the call; True when it is one of the call's."""
        if isinstance(output, Emit) and output.event.call == self.name:
            data = output.event.data
            if output.event.kind == "call.step":
                self.step = f"{data['step']} {data['text']}".strip()
            elif output.event.kind == "queue.offered":
                self.offered[str(data["agent"])] = None
            elif output.event.kind in ("call.started", "call.leg"):
                self.call_ids[str(data["sip"])] = None
        if isinstance(output, Media) and self._mine(output):
            self.hears.update(_hears(output.command, self.clips))
        return self._mine(output)

    def _mine(self, output: Output) -> bool:
        if isinstance(output, Send):
            return call_id_of(output.data) in self.call_ids
        if isinstance(output, Emit):
            event = output.event
            return event.call == self.name or (
                event.kind.startswith("agent.") and str(event.data.get("agent", "")) in self.offered
            )
        if isinstance(output, Media):
            command = output.command
            return any(self.rows.get(row) == generation for row, generation in _rows_of(command))
        return False

    def _beside(self, call: Call | None) -> Beside:
        if call is None:
            return Beside()
        room: Room = self.switch.room
        legs = [room.legs[number] for number in call.legs]
        agents = {**self.offered, **{leg.agent: None for leg in legs if leg.agent}}
        return Beside(
            call.phase, self.step, call.running.waiting if call.running is not None else "",
            call.queue if call.waiting is not None or call.served_by else "",
            room.acd.position(call.id) if call.waiting is not None else 0,
            tuple((key, room.agents[key].state) for key in agents if key in room.agents),
            tuple(
                Party(leg.party, leg.state, leg.row, self.hears.get(leg.row, "silence") if leg.row >= 0 else "",
                      leg.remote_hold or leg.key_hold)
                for leg in legs
            ),
        )


def _masked(outputs: list[Output]) -> Iterator[Output]:
    """What speaks a sensitive value is shown without its clips, as the record of the prompt is."""
    hides = False
    for output in outputs:
        if isinstance(output, Emit) and output.event.kind == "call.prompt":
            hides = MASK in str(output.event.data.get("clips", ""))
        elif hides and isinstance(output, Media) and isinstance(output.command, Play):
            yield Media(msgspec.structs.replace(output.command, clips=()))
            hides = False
            continue
        yield output


def _rows_of(command: MediaCommand) -> list[tuple[int, int]]:
    """(row, generation) of every leg that a command names."""
    if isinstance(command, Bridge):
        return [(command.row_a, command.generation_a), (command.row_b, command.generation_b)]
    if isinstance(command, Mix):
        return [(party.row, party.generation) for party in command.parties]
    return [(command.row, command.generation)]


def _due(room: Room, now_ms: int) -> Iterator[str]:
    """Words for the timers that have run out."""
    for owner, deadlines in (("call", room.deadlines), ("sip", room.endpoint.core.deadlines)):
        kinds = dict.fromkeys(key[0] for key, (at, _) in deadlines.armed.items() if at <= now_ms)
        yield from (f"{owner} {kind}" for kind in kinds)
    due = room.acd.next_deadline()
    if due is not None and due <= now_ms:
        yield "distributor"


def _hears(command: Any, clips: dict[int, str]) -> Iterator[tuple[int, str]]:
    """What rows hear after a command, in words."""
    match type(command).__name__:
        case "Play":
            names = " ".join(clips.get(clip, f"clip {clip}") for clip in command.clips) or MASK
            yield command.row, f"{names}{' (loop)' if command.loop else ''}"
        case "Bridge":
            yield command.row_a, f"row {command.row_b}"
            yield command.row_b, f"row {command.row_a}"
        case "Echo":
            yield command.row, "itself"
        case "Hear":
            yield command.row, f"row {command.source}"
        case "Mix":
            for party in command.parties:
                yield party.row, "mix of " + (" and ".join(f"row {row}" for row in party.ears) or "nobody")
        case "Stop" | "OpenLeg":
            yield command.row, "silence"
