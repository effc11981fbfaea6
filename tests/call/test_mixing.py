"""Who hears whom, as a rule, and which mix is free."""

from __future__ import annotations

import pytest

from engine import limits
from engine.call import mixing
from engine.call.call import Call
from engine.call.leg import Leg
from engine.sip.events import Path
from tests.call.calls import over, ring
from tests.call.followed import conversation, ears

PATH = Path(1, "192.0.2.1", 5060, "udp")


def ear(number: int, mode: str = "", coaches: int = 0, *, hold: bool = False) -> mixing.Ear:
    return mixing.Ear(Leg(number, 1, "agent", number, True, "up", str(number), PATH, remote_hold=hold), mode, coaches)


@pytest.mark.parametrize(("one", "other", "heard"), [
    (ear(1), ear(2), True), (ear(1), ear(1), False),
    (ear(1), ear(9, "listen", 2), False), (ear(2), ear(9, "listen", 2), False),
    (ear(1), ear(9, "whisper", 2), False), (ear(2), ear(9, "whisper", 2), True),
    (ear(1), ear(9, "barge", 2), True), (ear(9, "listen", 2), ear(1), True),
    (ear(8, "listen", 2), ear(9, "whisper", 2), False), (ear(8, "listen", 2), ear(9, "barge", 2), True),
    (ear(1, hold=True), ear(2), False), (ear(1), ear(2, hold=True), False),
])  # fmt: skip
def test_who_hears_whom(one: mixing.Ear, other: mixing.Ear, heard: bool) -> None:
    assert mixing.hears(one, other) is heard


def call(number: int, mix: int) -> Call:
    return Call(number, str(number), "default", "", "", "", "", "public", "", 0, mix=mix)


def test_the_lowest_free_mix_is_taken_and_none_when_all_are() -> None:
    class Room:
        calls = {number: call(number, mix) for number, mix in enumerate((0, -1, 1, 3))}

    room = Room()
    assert mixing.free_number(room) == 2  # type: ignore[arg-type]
    room.calls = {number: call(number, number) for number in range(limits.mixes_max)}
    assert mixing.free_number(room) == -1  # type: ignore[arg-type]
    assert not mixing.needed(room, call(999, -1))  # type: ignore[arg-type]


def test_without_a_free_mix_the_two_stay_on_their_bridge() -> None:
    w, caller, desk, boss = conversation()
    room = w.switch.room
    w.watched = False  # the calls that hold the mixes are made up
    for number in range(limits.mixes_max):
        room.calls[10_000 + number] = call(10_000 + number, number)
    ring(w, "*57201", phone=boss)
    w.run(1_000)
    assert not boss.up() and "486" in boss.log[-1][1]
    assert ears(w, caller=caller, agent=desk) == {"caller": "agent", "agent": "caller"}
    for number in range(limits.mixes_max):
        del room.calls[10_000 + number]
    w.watched = True
    caller.hang_up(w.now_ms)
    over(w)
