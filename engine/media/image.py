"""What the media plane was told, folded into one row a leg: enough to build the same plane again (DESIGN §6).

The owner feeds every command and event through `Image`; after a crash or an upgrade `rebuild` gives the commands that
set a fresh plane to the same state: ports, agreed codecs, the address that was learnt, who hears whom, the prompt at
the place where it broke off, recordings. A leg's outgoing timeline goes on: with the very numbers when the dead
plane's memory could still be read (`Timeline`), else past everything that can have been sent.
Pure data (law 9); times are monotonic milliseconds of the owner's clock.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from engine.media.commands import (
    Bridge,
    CloseLeg,
    DigitStarted,
    Echo,
    Hear,
    Latched,
    LegClosed,
    LegFailed,
    MediaCommand,
    MediaEvent,
    Mix,
    MixParty,
    OpenLeg,
    PauseTap,
    Play,
    PlayEnded,
    PortMoved,
    SetLeg,
    StartTap,
    Stop,
    StopTap,
)

SAMPLES_PER_MS = 8
FRAME_MS_MIN = 10  # no leg sends more often: the bound for sequence numbers that nobody remembers
MARGIN = 64  # packets and frames that the estimate skips beyond that


class Timeline(msgspec.Struct, frozen=True, array_like=True):
    """A leg's numbers as a dead plane left them: the next packet's, `idle_ms` before now; where its playlist stood."""

    sequence: int
    timestamp: int
    idle_ms: int = 0
    clip_at: int = -1  # index in the playlist, -1 when nothing played
    cursor_ms: int = 0


class Indices(msgspec.Struct, frozen=True, array_like=True):
    """Where a dead plane's SRTP packets had come to, by direction: (known, SSRC, index, RTCP index) of each stream."""

    inbound: tuple[tuple[int, int, int, int], ...] = ()
    outbound: tuple[tuple[int, int, int, int], ...] = ()


class Row(msgspec.Struct, array_like=True):
    """One open leg. `hears` is the row whose audio it gets, -1 for none (its own row: echo)."""

    open: OpenLeg
    opened_ms: int
    agreed: SetLeg | None = None
    latched: tuple[str, int] | None = None
    play: Play | None = None
    play_ms: int = 0  # when it began
    hears: int = -1
    tap: StartTap | None = None
    tap_paused: bool = False
    mixing: bool = False  # it hears the mix in which it has a seat


class Image(msgspec.Struct):
    """Rows by number. `apply` before or after the plane gets a command, `happened` for each of its events."""

    rows: dict[int, Row] = {}
    mixes: dict[int, Mix] = {}

    def apply(self, command: MediaCommand, now_ms: int) -> None:
        """Fold one command. Commands for rows or generations that are gone change nothing, as in the plane."""
        rule = _COMMANDS.get(type(command))
        if rule is not None:
            rule(self, command, now_ms)

    def happened(self, event: MediaEvent) -> None:
        """Fold one event."""
        rule = _EVENTS.get(type(event))
        if rule is not None:
            row = self.of(event.row, event.generation)
            if row is not None:
                rule(self, row, event)

    def of(self, number: int, generation: int) -> Row | None:
        """The open leg of this row and generation."""
        row = self.rows.get(number)
        return row if row is not None and row.open.generation == generation else None

    def rebuild(
        self, now_ms: int, broke_ms: int, length_ms: Callable[[int], int],
        timelines: dict[tuple[int, int], Timeline] | None = None,
    ) -> list[MediaCommand]:
        """Commands for a fresh plane, in order: all legs, what was agreed, then sources.

        `broke_ms`: when the old plane was last known to live; prompts go on from there. `length_ms(clip)`: 0 when
        unknown. `timelines`: by (row, generation). Recordings aren't among them: the owner resumes the files.
        """
        known = timelines or {}
        commands: list[MediaCommand] = []
        for number, row in self.rows.items():
            commands.append(_reopen(row, now_ms, known.get((number, row.open.generation))))
        for row in self.rows.values():
            if row.agreed is not None:
                # The learnt address is named as the signalled one: packets go on to where they went.
                signalled = (row.agreed.host, row.agreed.port)
                host, port = row.latched or signalled
                reports = row.agreed.report_port if (host, port) == signalled else 0
                commands.append(msgspec.structs.replace(row.agreed, host=host, port=port, report_port=reports))
        commands.extend(self.mixes.values())
        for number, row in self.rows.items():
            command = self._source(number, row, now_ms, broke_ms, length_ms, known.get((number, row.open.generation)))
            if command is not None:
                commands.append(command)
        return commands

    def _source(
        self, number: int, row: Row, now_ms: int, broke_ms: int, length_ms: Callable[[int], int],
        timeline: Timeline | None,
    ) -> MediaCommand | None:
        generation = row.open.generation
        if row.play is not None:
            played = _place(row, broke_ms, length_ms, timeline)
            row.play, row.play_ms = played or row.play, now_ms
            return row.play
        if row.hears == number:
            return Echo(number, generation)
        other = self.rows.get(row.hears)
        if other is None:
            seated = not row.mixing and any(_seat(mix, number) is not None for mix in self.mixes.values())
            return Stop(number, generation) if seated else None
        return Hear(number, generation, row.hears, other.open.generation)


def _reopen(row: Row, now_ms: int, timeline: Timeline | None) -> OpenLeg:
    opened = row.open
    if timeline is not None:
        sequence, timestamp = timeline.sequence, timeline.timestamp + timeline.idle_ms * SAMPLES_PER_MS
    else:
        elapsed_ms = max(0, now_ms - row.opened_ms)
        frame_ms = row.agreed.frame_ms_out if row.agreed is not None else 2 * FRAME_MS_MIN
        sequence = opened.sequence + elapsed_ms // max(frame_ms, FRAME_MS_MIN) + MARGIN
        timestamp = opened.timestamp + (elapsed_ms + MARGIN * 2 * FRAME_MS_MIN) * SAMPLES_PER_MS
    again = msgspec.structs.replace(opened, sequence=sequence & 0xFFFF, timestamp=timestamp & 0xFFFFFFFF)
    # Should this plane die too, its numbers count from here.
    row.open, row.opened_ms = again, now_ms
    return again


def _place(
    row: Row, broke_ms: int, length_ms: Callable[[int], int], timeline: Timeline | None
) -> Play | None:
    """The play with what was heard already cut off; None when it can't be told (then it begins again)."""
    play = row.play
    assert play is not None
    clips = play.clips
    if timeline is not None and 0 <= timeline.clip_at < len(clips):
        at, start_ms = timeline.clip_at, timeline.cursor_ms
    else:
        lengths = [length_ms(clip) for clip in clips]
        total, start_ms, at = sum(lengths), max(0, broke_ms - row.play_ms) + play.start_ms, 0
        if total <= 0:
            return None
        if play.loop:
            start_ms %= total
        while at < len(clips) - 1 and start_ms >= lengths[at]:
            start_ms -= lengths[at]
            at += 1
        start_ms = min(start_ms, max(0, lengths[at] - FRAME_MS_MIN))
    rest = clips[at:] + (clips[:at] if play.loop else ())
    return msgspec.structs.replace(play, clips=rest, start_ms=start_ms)


# --- commands -------------------------------------------------------------------------------------------
def _open(image: Image, command: OpenLeg, now_ms: int) -> None:
    _unseat(image, command.row)
    image.rows[command.row] = Row(command, now_ms)


def _set(image: Image, command: SetLeg, now_ms: int) -> None:
    row = image.of(command.row, command.generation)
    if row is None:
        return
    before = row.agreed
    if before is None or (before.host, before.port) != (command.host, command.port):
        row.latched = None
    row.agreed = command


def _play(image: Image, command: Play, now_ms: int) -> None:
    row = image.of(command.row, command.generation)
    if row is not None:
        row.play, row.play_ms, row.hears, row.mixing = command, now_ms, -1, False


def _stop(image: Image, command: Stop, now_ms: int) -> None:
    row = image.of(command.row, command.generation)
    if row is not None:
        row.play, row.hears, row.mixing = None, -1, False


def _echo(image: Image, command: Echo, now_ms: int) -> None:
    row = image.of(command.row, command.generation)
    if row is not None:
        row.play, row.hears, row.mixing = None, command.row, False


def _hear(image: Image, command: Hear, now_ms: int) -> None:
    row, source = image.of(command.row, command.generation), image.of(command.source, command.source_generation)
    if row is not None and source is not None:
        row.play, row.hears, row.mixing = None, command.source, False


def _bridge(image: Image, command: Bridge, now_ms: int) -> None:
    first, second = image.of(command.row_a, command.generation_a), image.of(command.row_b, command.generation_b)
    if first is not None and second is not None:
        first.play, first.hears, first.mixing = None, command.row_b, False
        second.play, second.hears, second.mixing = None, command.row_a, False


def _seat(mix: Mix, number: int) -> MixParty | None:
    return next((party for party in mix.parties if party.row == number), None)


def _mix(image: Image, command: Mix, now_ms: int) -> None:
    before = image.mixes.pop(command.mix, None)
    for party in before.parties if before is not None else ():
        row = image.of(party.row, party.generation)
        if row is not None:
            row.mixing = False
    named = {party.row: party for party in command.parties}
    parties = tuple(party for party in named.values() if image.of(party.row, party.generation) is not None)
    for party in parties:
        _unseat(image, party.row)
        row = image.rows[party.row]
        row.play, row.hears, row.mixing = None, -1, True
    if parties:
        image.mixes[command.mix] = Mix(command.mix, parties)


def _unseat(image: Image, number: int) -> None:
    """A leg has one seat at most."""
    for mix in list(image.mixes.values()):
        rest = tuple(party for party in mix.parties if party.row != number)
        if not rest:
            del image.mixes[mix.mix]
        elif len(rest) < len(mix.parties):
            image.mixes[mix.mix] = Mix(mix.mix, rest)


def _start_tap(image: Image, command: StartTap, now_ms: int) -> None:
    row = image.of(command.row, command.generation)
    if row is not None:
        row.tap, row.tap_paused = command, False


def _pause_tap(image: Image, command: PauseTap, now_ms: int) -> None:
    row = image.of(command.row, command.generation)
    if row is not None and row.tap is not None and row.tap.tap == command.tap:
        row.tap_paused = command.paused


def _stop_tap(image: Image, command: StopTap, now_ms: int) -> None:
    row = image.of(command.row, command.generation)
    if row is not None and row.tap is not None and row.tap.tap == command.tap:
        row.tap = None


def _gone(image: Image, number: int) -> None:
    image.rows.pop(number, None)
    _unseat(image, number)
    for row in image.rows.values():
        if row.hears == number:
            row.hears = -1


def _close(image: Image, command: CloseLeg, now_ms: int) -> None:
    if image.of(command.row, command.generation) is not None:
        _gone(image, command.row)


_COMMANDS: dict[type, Callable[[Image, Any, int], None]] = {
    OpenLeg: _open, SetLeg: _set, Play: _play, Stop: _stop, Echo: _echo, Hear: _hear, Bridge: _bridge,
    StartTap: _start_tap, PauseTap: _pause_tap, StopTap: _stop_tap, CloseLeg: _close, Mix: _mix,
}  # fmt: skip


# --- events ---------------------------------------------------------------------------------------------
def _play_ended(image: Image, row: Row, event: PlayEnded) -> None:
    if row.play is not None and row.play.ticket == event.ticket:
        row.play = None


def _digit_started(image: Image, row: Row, event: DigitStarted) -> None:
    if row.play is not None and row.play.stop_on_digit:
        row.play = None


def _latched(image: Image, row: Row, event: Latched) -> None:
    row.latched = (event.host, event.port)


def _moved(image: Image, row: Row, event: PortMoved) -> None:
    row.open = msgspec.structs.replace(row.open, port=event.port)


def _ended(image: Image, row: Row, event: LegClosed | LegFailed) -> None:
    _gone(image, event.row)


_EVENTS: dict[type, Callable[[Image, Row, Any], None]] = {
    PlayEnded: _play_ended, DigitStarted: _digit_started, Latched: _latched, PortMoved: _moved,
    LegClosed: _ended, LegFailed: _ended,
}  # fmt: skip
