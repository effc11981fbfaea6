"""One turn of the interpreter: the running call, its program and the actions gathered so far, with the moves that
every verb shares (wait, speak, go there, go on, fail)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from engine import limits
from engine.dialplan.actions import (
    Action,
    Collect,
    Hangup,
    Happening,
    Hear,
    LeaveQueue,
    Note,
    PlayPrompts,
    SetTimer,
    StopHearing,
    StopPlay,
)
from engine.dialplan.model import Site
from engine.dialplan.program import Program, Running, Step
from engine.dialplan.prompts import estimate_ms
from engine.dialplan.speaking import clips_for, is_words, words_of
from engine.speech.utterance import Listening

PLAY_GRACE_MS = 5_000
WORDS_WAIT_MS = 11_000  # more than any voice may be waited for
depth_max = 64
TEMPORARY_FAILURE = 41  # Q.850
MASK = "····"


class Turn:
    """What a verb's rule works on. `out` are the actions of this turn, in order."""

    __slots__ = ("hidden", "out", "program", "run", "site", "tenant")

    def __init__(self, run: Running, program: Program, site: Site) -> None:
        self.run = run
        self.program = program
        self.site = site
        self.tenant = program.name.partition("/")[0]
        self.out: list[Action] = []
        self.hidden: dict[str, None] = {}  # clips that speak sensitive values in this turn

    # --- waiting
    def wait(self, waiting: str) -> int:
        """Begin a wait; its ticket makes every earlier one late."""
        run = self.run
        self.deafen()
        run.waiting = waiting
        run.ticket += 1
        return run.ticket

    def speak(self, clips: tuple[str, ...], waiting: str = "play", *, loop_ms: int = 0) -> bool:
        """Play and wait. False when there is nothing to play.

        A timer stands behind every play (DESIGN law 6): a clip that never reports its end cannot hold the call.
        """
        if not clips:
            return False
        ticket = self.wait(waiting)
        self.out.append(PlayPrompts(ticket, clips, loop_ms > 0, tuple(self.hidden)))
        self.out.append(SetTimer(ticket, loop_ms or self.length(clips)))
        return True

    def length(self, clips: tuple[str, ...]) -> int:
        prompts = self.site.prompts
        total = PLAY_GRACE_MS
        for clip in clips:
            if is_words(clip):  # waited for, spoken by somebody else, and perhaps spelled in the end
                total += WORDS_WAIT_MS + 4 * estimate_ms(words_of(clip)[1])
                continue
            prompt = prompts.get(clip)
            total += prompt.duration_ms if prompt is not None else 0
            if prompt is not None and not prompt.duration_ms:
                total += 60_000  # tones have no length of their own
        return total

    def spoken(self, data: dict[str, Any] | None) -> tuple[str, ...]:
        """The clips of a prompt option in the call's language, values filled in; clips without audio are noted."""
        if not data:
            return ()
        run = self.run
        parts = data.get(run.language)
        if parts is None:
            parts = data.get(self.program.languages[0], ())
        silent = data.get("")
        if silent:
            for name in silent.get(run.language, ()):
                self.fault(f"no recording for {name}")
        for part in parts:
            if type(part) is not str:
                return self.filled(parts)
        return tuple(parts)

    def filled(self, parts: list[Any]) -> tuple[str, ...]:
        clips: list[str] = []
        for part in parts:
            if isinstance(part, str):
                clips.append(part)
            else:
                source, name, kind = part
                value = self.run.variables.get(name) if source == "variable" else self.run.facts.get(name)
                if value is not None:
                    said = clips_for(kind, value, self.run.language, self.site, self.tenant)
                    clips.extend(said)
                    declared = self.program.variables.get(name)
                    if source == "variable" and declared is not None and declared.sensitive:
                        self.hidden.update(dict.fromkeys(said))
        return tuple(clips)

    def targets(self, rows: Iterable[Any]) -> tuple[str, ...]:
        """Dial targets with variables' numbers filled in; one that isn't set is left out."""
        found = []
        for row in rows:
            value = row if isinstance(row, str) else str(self.run.variables.get(row[1], ""))
            if value:
                found.append(value if isinstance(row, str) else f"number/{value}")
        return tuple(found)

    def hear(self, listening: Listening, *, keep: bool = False) -> None:
        """Listen to his words for as long as this wait lasts. `keep`: the sound of them, when he consents."""
        self.deafen()
        self.run.hearing = self.run.ticket
        self.out.append(Hear(self.run.ticket, listening, keep))

    def deafen(self) -> None:
        """What he says is of no interest any more: he presses keys, or the wait is over."""
        run = self.run
        if run.hearing:
            self.out.append(StopHearing(run.hearing))
        run.hearing, run.speaking = 0, False

    def collect(self, on: bool, sensitive: bool = False, barge_in_ms: int = 0) -> None:
        if not on:
            self.deafen()
        self.out.append(Collect(self.run.ticket, on, sensitive, barge_in_ms))

    def timer(self, ms: int) -> None:
        self.out.append(SetTimer(self.run.ticket, ms))

    def hush(self) -> None:
        """Stop what plays."""
        self.out.append(StopPlay())

    # --- moving
    def go_on(self) -> None:
        """The step is over; the next one follows."""
        self.run.waiting = ""

    def take(self, step: Step, out: str) -> None:
        """Leave the step by one of its outcomes; one that isn't named goes on."""
        run = self.run
        run.waiting = ""
        if self.site.traced:
            self.out.append(Note("way", step.place, step.id, out))
        target = step.outs.get(out, "")
        if not target:
            return
        if step.verb == "menu" and out != "failed" and target != "again":
            self.intends(target)
        if target[0] == "!":
            run.waiting = "ended"
            self.out.append(LeaveQueue(target))
        elif target == "again":
            flow, index = run.stack[-1]
            run.stack[-1] = (flow, index - 1)
        elif "#" in target:
            self.enter(target)
        else:
            self.go(target)

    def intends(self, flow: str) -> None:
        """What a caller chose is what he wants (`call.intent`); a list of steps below a key has no name."""
        if "#" not in flow:
            self.run.facts["call.intent"] = flow.removeprefix("!")

    def enter(self, flow: str) -> None:
        """Run a flow and come back behind the current step."""
        if len(self.run.stack) >= depth_max:
            self.rescue("flows nested too deep")
        else:
            self.run.stack.append((flow, 0))

    def go(self, flow: str) -> None:
        """Go to a flow for good: what the current one still had is dropped, up to the running subflow."""
        run = self.run
        del run.stack[run.frames[-1] if run.frames else 0 :]
        run.stack.append((flow, 0))

    def current(self) -> Step | None:
        """The step that waits."""
        if not self.run.stack:
            return None
        flow, index = self.run.stack[-1]
        steps = self.program.flows.get(flow, ())
        return steps[index - 1] if 0 < index <= len(steps) else None

    # --- ends
    def fault(self, text: str) -> None:
        flow, index = self.run.stack[-1] if self.run.stack else ("", 0)
        steps = self.program.flows.get(flow, ())
        step = steps[index - 1].id if 0 < index <= len(steps) else flow
        self.out.append(Note("fault", text, step))

    def rescue(self, why: str) -> None:
        """An internal fault: nothing ends in silence, so the rescue flow takes over, twice at most."""
        run = self.run
        self.fault(why)
        run.rescued += 1
        run.steps_since_input = 0
        run.frames.clear()
        if run.finishing or run.rescued > 2 or not self.program.rescue:
            run.stack.clear()
            self.end("failed", TEMPORARY_FAILURE)
            return
        run.waiting = ""
        run.stack[:] = [(self.program.rescue, 0)]

    def end(self, outcome: str, cause: int) -> None:
        """Run `finally:`, then hang up."""
        run = self.run
        self.deafen()
        if run.finishing:
            run.stack.clear()
            run.frames.clear()
            return
        run.finishing = True
        run.waiting = ""
        run.steps_since_input = 0
        run.scratch["outcome"] = outcome
        run.scratch["cause"] = cause
        run.frames.clear()
        run.stack[:] = [(self.program.finally_, 0)] if self.program.finally_ else []

    def over(self) -> None:
        """`finally:` is done: the last action of the call."""
        run = self.run
        run.waiting = "ended"
        run.ticket += 1
        if run.scratch.get("gone"):
            return
        outcome, cause = str(run.scratch.get("outcome", "failed")), int(run.scratch.get("cause", 16))
        self.out.append(Hangup(outcome, cause))

    def forever(self) -> int:
        """The deadline of a wait that only the caller ends."""
        return limits.call_ms_max


Begin = Callable[[Turn, Step], None]
Row = Callable[[Turn, Step, Happening], None]
