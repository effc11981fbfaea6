"""Places that outlive the wait: who is cut off and rings back in time stands where he stood."""

from __future__ import annotations

from engine import limits
from engine.call import places
from engine.sim.world import World
from tests.call.backs import back_world, busy_agent, caller
from tests.call.calls import world


def position(w: World, number: str) -> int:
    room = w.switch.room
    (call,) = [call for call in room.calls.values() if call.caller == number and call.waiting is not None]
    return room.acd.position(call.id)


def dropped(w: World, number: str = "0300001") -> None:
    """He waits before another caller, and is cut off."""
    phone = caller(w, number)
    w.run(5_000)
    caller(w, "0300002")
    w.run(1_000)
    phone.hang_up(w.now_ms)
    w.run(10_000)


def test_he_rings_back_in_time_and_is_told_that_his_place_was_kept() -> None:
    w = back_world(law9=True)
    busy_agent(w)
    dropped(w)
    assert position(w, "0300002") == 1
    phone = caller(w, "0300001")
    w.run(300)
    assert position(w, "0300001") == 1 and position(w, "0300002") == 2
    assert w.hears(phone) == "en/place_kept"
    assert w.last("queue.kept").data["away_ms"] in range(10_000, 10_200)
    w.run(1_000)
    assert w.hears(phone) == "en/please_hold"  # then as always


def test_once_and_not_for_ever() -> None:
    w = back_world()
    busy_agent(w)
    dropped(w)
    caller(w, "0300001")
    w.run(300)
    assert not w.switch.room.left_places
    caller(w, "0300001")
    w.run(300)
    room = w.switch.room
    his = [room.acd.position(c.id) for c in room.calls.values() if c.caller == "0300001" and c.waiting]
    assert his == [1, 3]


def test_too_late_is_the_end_of_the_line_and_nothing_is_remembered() -> None:
    w = back_world()
    busy_agent(w)
    dropped(w)
    w.run(20_500)
    assert not w.switch.room.left_places  # a number is held no longer than it is of use
    phone = caller(w, "0300001")
    w.run(300)
    assert position(w, "0300001") == 2 and not w.all("queue.kept") and w.hears(phone) == "en/please_hold"


def test_a_withheld_number_keeps_nothing_and_another_number_gets_nothing() -> None:
    w = back_world()
    busy_agent(w)
    dropped(w, "anonymous")
    assert not w.switch.room.left_places
    caller(w, "anonymous")
    w.run(300)
    assert position(w, "anonymous") == 2
    assert not places.known("Anonymous") and not places.known("") and places.known("0301")


def test_who_left_by_his_own_will_is_not_remembered() -> None:
    w = back_world()
    desk, talker = busy_agent(w)
    talker.hang_up(w.now_ms)
    w.run(1_000)
    assert not w.switch.room.left_places and desk.log


def test_so_many_places_and_no_more() -> None:
    w = back_world()
    room = w.switch.room
    for number in range(limits.kept_places_max):
        room.left_places[f"default/support|{number}"] = places.Left(0, 0, w.now_ms + 50_000)
    busy_agent(w)
    dropped(w)
    assert len(room.left_places) == limits.kept_places_max and "default/support|0" not in room.left_places


def test_a_caller_who_is_erased_is_let_go() -> None:
    w = world()
    room = w.switch.room
    room.last_agents = {"default/+445550001": ("default/201", w.now_ms), "default/5550002": ("default/201", w.now_ms)}
    room.left_places = {"default/support|+445550001": places.Left(0, w.now_ms, w.now_ms + 60_000)}
    before = len(w.all("operator.command"))
    reply = w.operate("let_go", number="+44 5550001", country="gb")
    assert reply.ok and reply.data == b'{"places":1,"last_agents":1,"messages":0}'
    assert list(room.last_agents) == ["default/5550002"] and not room.left_places
    assert len(w.all("operator.command")) == before, "an event would name him again"
