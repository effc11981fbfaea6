"""The media plane's twin: commands in, events out, in virtual time, without a single sample.

What each row hears is kept as words ("clip en/welcome", "row 3", "echo", "silence"), so that a scenario can say
who heard what.
"""

from __future__ import annotations

from heapq import heappop, heappush

import msgspec

from engine import limits
from engine.dialplan.model import Site
from engine.media import commands as media
from engine.media.commands import MediaCommand, MediaEvent

CLOSE_MS = 1


class Row(msgspec.Struct):
    """One open leg of the twin."""

    generation: int
    port: int
    far: tuple[str, int] = ("", 0)
    hears: str = "silence"
    send: bool = False
    receive: bool = False
    log: list[tuple[int, str]] = []
    digits: list[str] = []
    tap: tuple[int, str, int] | None = None
    paused: bool = False


class MediaTwin:
    """Rows, and events under way to the switch.

    Faults: hosts in `silent` send no packets (missing media is reported); `disk` is why recordings fail; with
    `forgetful` the end of a play is never told; ports in `taken` can't be bound.
    """

    def __init__(self) -> None:
        self.rows: dict[int, Row] = {}
        self.closed: dict[tuple[int, int], Row] = {}
        self.durations: dict[int, int] = {}
        self.names: dict[int, str] = {}
        self.coming: list[tuple[int, int, MediaEvent]] = []
        self.serial = 0
        self.silent: dict[str, bool] = {}
        self.disk = ""
        self.forgetful = False
        self.taken: dict[int, bool] = {}
        self.mixes: dict[int, list[int]] = {}

    def load(self, site: Site) -> None:
        for prompt in site.prompts.values():
            self.durations[prompt.clip] = max(prompt.duration_ms, 20)
            self.names[prompt.clip] = prompt.name

    def later(self, at_ms: int, event: MediaEvent) -> None:
        self.serial += 1
        heappush(self.coming, (at_ms, self.serial, event))

    def next(self) -> int | None:
        return self.coming[0][0] if self.coming else None

    def due(self, now_ms: int) -> MediaEvent | None:
        """The next event that the switch must be told; a play that was replaced raises none."""
        while self.coming and self.coming[0][0] <= now_ms:
            event = heappop(self.coming)[2]
            row = self.rows.get(event.row)
            own = row is not None and row.generation == event.generation
            if own or isinstance(event, media.LegClosed | media.TapEnded):
                if isinstance(event, media.PlayEnded) and row is not None:
                    if not row.hears.endswith(f"#{event.ticket}"):
                        continue
                    row.hears = "silence"
                if isinstance(event, media.LegFailed):
                    del self.rows[event.row]
                return event
        return None

    def command(self, command: MediaCommand, now_ms: int) -> None:
        if isinstance(command, media.OpenLeg):
            if command.row in self.rows:
                raise AssertionError(f"row {command.row} opened twice")
            self.rows[command.row] = Row(command.generation, command.port)
            if self.taken.get(command.port):
                self.later(now_ms, media.LegFailed(command.row, command.generation, "address already in use"))
            return
        if isinstance(command, media.Bridge):
            self._bridge(command, now_ms)
            return
        if isinstance(command, media.Mix):
            self._mix(command, now_ms)
            return
        row = self.rows.get(command.row)
        if row is None or row.generation != command.generation:
            raise AssertionError(f"{command} for a row that isn't open")
        self._to_row(command, row, now_ms)

    def darken(self, host: str, now_ms: int) -> None:
        """No packets come from this host any more."""
        self.silent[host] = True
        for number, row in self.rows.items():
            if row.far[0] == host and row.receive:
                self._miss(number, row, now_ms)

    def _miss(self, number: int, row: Row, now_ms: int) -> None:
        for silent_ms in (3_000, 15_000):
            self.later(now_ms + silent_ms, media.MediaMissing(number, row.generation, silent_ms))

    def _to_row(self, command: MediaCommand, row: Row, now_ms: int) -> None:
        match command:
            case media.SetLeg():
                row.far, row.send, row.receive = (command.host, command.port), command.send, command.receive
                if self.silent.get(command.host) and command.receive:
                    self._miss(command.row, row, now_ms)
            case media.Play():
                names = " ".join(self.names.get(clip, f"clip {clip}") for clip in command.clips)
                self._hear(row, f"{names} #{command.ticket}", now_ms)
                if not command.loop and not self.forgetful:
                    total = sum(self.durations.get(clip, 1_000) for clip in command.clips)
                    ended = media.PlayEnded(command.row, command.generation, command.ticket)
                    self.later(now_ms + total, ended)
            case media.Stop():
                self._hear(row, "silence", now_ms)
            case media.Echo():
                self._hear(row, "echo", now_ms)
            case media.Hear():
                self._hear(row, f"row {command.source}", now_ms)
            case media.SendDigits():
                row.digits.extend(command.digits)
            case media.StartTap():
                row.tap, row.paused = (command.tap, command.name, now_ms), False
            case media.PauseTap():
                row.paused = command.paused
            case media.StopTap():
                self._end_tap(command.row, row, now_ms)
            case media.CloseLeg():
                self._end_tap(command.row, row, now_ms)
                self.closed[(command.row, command.generation)] = self.rows.pop(command.row)
                quality = (100, 100, 0, 0, 0, 0, 125, 250, 20_500, len(row.digits))
                self.later(now_ms + CLOSE_MS, media.LegClosed(command.row, command.generation, *quality))

    def _bridge(self, command: media.Bridge, now_ms: int) -> None:
        one, two = self.rows.get(command.row_a), self.rows.get(command.row_b)
        if one is None or two is None or (one.generation, two.generation) != (
            command.generation_a, command.generation_b,
        ):  # fmt: skip
            raise AssertionError(f"{command} for rows that aren't open")
        self._hear(one, f"row {command.row_b}", now_ms)
        self._hear(two, f"row {command.row_a}", now_ms)

    def _mix(self, command: media.Mix, now_ms: int) -> None:
        if len(command.parties) > limits.mix_legs_max or not 0 <= command.mix < limits.mixes_max:
            raise AssertionError(f"{command} for more than the plane has")
        named = {party.row: party for party in command.parties}
        for number in self.mixes.get(command.mix, []):
            row = self.rows.get(number)
            if row is not None and number not in named and row.hears.startswith("mix"):
                self._hear(row, "silence", now_ms)
        for party in named.values():
            row = self.rows.get(party.row)
            if row is None or row.generation != party.generation:
                raise AssertionError(f"{command} for rows that aren't open")
            heard = [number for number in sorted(party.ears) if number in named and number != party.row]
            self._hear(row, "mix " + (" + ".join(f"row {number}" for number in heard) or "nobody"), now_ms)
        self.mixes[command.mix] = list(named)

    def _hear(self, row: Row, what: str, now_ms: int) -> None:
        row.hears = what
        row.log.append((now_ms, what))

    def _end_tap(self, number: int, row: Row, now_ms: int) -> None:
        if row.tap is not None:
            tap, name, began = row.tap
            row.tap = None
            self.later(now_ms, media.TapEnded(number, row.generation, tap, name, now_ms - began, self.disk))
