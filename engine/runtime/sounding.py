"""How living calls sound: each leg's figures as the media thread published them last, judged as at its end."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec

from engine.call import sound
from engine.records.call_detail import LegQuality
from engine.rtp import emodel

if TYPE_CHECKING:
    from engine.call.leg import Leg
    from engine.call.room import Room
    from engine.runtime.rtp_plane import RtpPlane

legs_at_once = 32  # judged in one step: some 0.5 ms


class Live(msgspec.Struct):
    """Living legs together, for the metrics: by way (from, to) how many are rated, their opinions summed, and how many
    of them nobody would call good (MOS below 3.6); by side how many have a fault."""

    rated: dict[str, int] = {}
    opinions: dict[str, float] = {}
    bad: dict[str, int] = {}
    faults: dict[str, int] = {}

    def add(self, leg: LegQuality) -> None:
        for way, mos in (("from", leg.mos_in), ("to", leg.mos_out)):
            if mos:
                self.rated[way] = self.rated.get(way, 0) + 1
                self.opinions[way] = self.opinions.get(way, 0.0) + mos
                self.bad[way] = self.bad.get(way, 0) + (mos < emodel.FAIR)
        if leg.side:
            self.faults[leg.side] = self.faults.get(leg.side, 0) + 1


def of_leg(plane: RtpPlane, leg: Leg, now_ms: int) -> LegQuality | None:
    """A living leg's sound so far; None before its first second."""
    figures = plane.live(leg.row, leg.generation)
    if figures is None:
        return None
    verdict, far = sound.judge(figures, sound.parting(leg, now_ms)), figures.sound
    return LegQuality(
        leg.party, figures.packets_in, figures.packets_out, figures.lost, figures.jitter_us, figures.gap_max_us,
        figures.ignored, figures.digits, verdict.heard, verdict.sent, far.far_lost if far.about else -1,
        far.round_trip_us, verdict.side, verdict.cause,
    )  # fmt: skip


def of_call(plane: RtpPlane, room: Room, call: str, now_ms: int) -> list[dict[str, Any]]:
    """The living legs of a call by its id, in the order in which they joined."""
    found = next((each for each in room.calls.values() if each.name == call), None)
    if found is None:
        return []
    legs = [room.legs[number] for number in found.legs if number in room.legs]
    told = [each for leg in legs if (each := of_leg(plane, leg, now_ms)) is not None]
    return [msgspec.to_builtins(each) for each in told]


def add_all(live: Live, plane: RtpPlane, room: Room, now_ms: int) -> Iterator[None]:
    """Add all living legs, `legs_at_once` by `legs_at_once`, so that others run between."""
    rows = iter(list(room.row_legs.values()))
    while part := list(islice(rows, legs_at_once)):
        for number in part:
            leg = room.legs.get(number)
            told = of_leg(plane, leg, now_ms) if leg is not None else None
            if told is not None:
                live.add(told)
        yield
