"""Living legs as they sound now: judged from what the plane published, call by call and all together."""

from __future__ import annotations

import types
from typing import Any

import msgspec
import pytest

from engine.media.commands import LegClosed, Sound
from engine.runtime import sounding
from engine.sim.world import World
from tests.call.calls import SITE, ring, talk


def plane(silent: tuple[int, ...] = (), **figures: Any) -> Any:
    """A plane whose legs all have these figures; `silent` rows have published none yet."""
    told = Sound(about=3, round_trip_us=20_000)

    def live(row: int, generation: int) -> LegClosed | None:
        if row in silent:
            return None
        counts = {"packets_in": 900, "packets_out": 900, "lost": 100, "duplicated": 0, "reordered": 0, "ignored": 0}
        times = {"jitter_us": 700, "jitter_max_us": 900, "gap_max_us": 30_000, "digits": 0, "sound": told}
        return LegClosed(row, generation, **(counts | times | figures))

    return types.SimpleNamespace(live=live)


def test_the_legs_of_one_call() -> None:
    w = World(SITE)
    talk(w)
    room = w.switch.room
    call = next(iter(room.calls.values()))
    told = sounding.of_call(plane(), room, call.name, w.now_ms)
    assert [leg["leg"] for leg in told] == [room.legs[number].party for number in call.legs]
    assert all(leg["cause"] == "their network loses 10 %" and leg["side"] == "theirs" for leg in told)
    assert all(1 < leg["mos_in"] < leg["mos_out"] for leg in told)
    first = room.legs[call.legs[0]].row
    assert len(sounding.of_call(plane(silent=(first,)), room, call.name, w.now_ms)) == len(told) - 1
    assert sounding.of_call(plane(), room, "nobody-1", w.now_ms) == []


def test_all_legs_step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sounding, "legs_at_once", 2)
    w = World(SITE)
    for number in range(5):
        ring(w, "9196", f"555000{number}")
    w.run(1_000)
    room = w.switch.room
    before = msgspec.msgpack.encode(room.row_legs)
    live = sounding.Live()
    seen = [dict(live.rated) for _ in sounding.add_all(live, plane(), room, w.now_ms)]
    assert seen == [{"from": 2, "to": 2}, {"from": 4, "to": 4}, {"from": 5, "to": 5}]
    live = sounding.Live()
    assert len(list(sounding.add_all(live, plane(lost=300), room, w.now_ms))) == 3
    assert (live.faults, live.bad) == ({"theirs": 5}, {"from": 5, "to": 0})
    assert live.opinions["from"] / 5 < 3.6 < live.opinions["to"] / 5
    assert list(sounding.add_all(live, plane(), World(SITE).switch.room, 0)) == []
    assert msgspec.msgpack.encode(room.row_legs) == before
