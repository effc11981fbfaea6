"""A drain: no new calls, everything that is there is served, and at its end nobody is left without a word."""

from __future__ import annotations

import pytest

from engine.call import draining
from engine.call.effects import Drain, Drained, Resumed
from engine.sim.world import World
from tests.call.calls import SITE, agent, ring, talk, told, world
from tests.scenarios.sites import BUSY_SITE, busy_site

SHORT = busy_site(site=BUSY_SITE + "limits: {drain: 20s}\n")


def stopped(w: World) -> bool:
    return "engine.stopped" in w.kinds()


def test_without_calls_it_is_over_at_once() -> None:
    w = world()
    w.give(Drain())
    w.run(60)
    assert any(isinstance(each, Drained) for each in w.outputs) and stopped(w)
    assert w.last("engine.drain").data == {"calls": 0, "left_ms": SITE.drain_ms_max}
    w.run(SITE.drain_ms_max * 2)
    assert len(w.all("engine.stopped")) == 1


def test_new_calls_are_refused_and_everything_else_goes_on() -> None:
    w = world(law9=True)
    caller, _ = talk(w)
    waiting = ring(w, "700", "5550000")
    w.run(500)
    w.give(Drain())
    late = ring(w, "700", "5559999")
    w.run(200)
    assert told(late) == "rejected 503" and any(b"Retry-After: 10" in each for each in w.wire)
    other = agent(w, "202", answer_ms=500)  # registers and logs in: he gets the one who waits
    assert other.registered_ms >= 0
    assert w.run_until(lambda: bool(other.up()), 10_000) and waiting.up()
    caller.hold(caller.up()[0], w.now_ms)  # a re-INVITE
    w.run(500)
    assert w.all("call.held")
    caller.hang_up(w.now_ms)
    w.run(2_000)
    assert not stopped(w)
    waiting.hang_up(w.now_ms)
    w.run(6_000)
    assert stopped(w) and w.quiet()
    assert {event.data["by"] for event in w.all("call.ended")} == {"caller"}


def test_what_is_left_after_drain_ms_max_is_ended_cleanly() -> None:
    w = world(SHORT)
    caller, desk = talk(w)
    waiting = ring(w, "740", "5550000")
    w.run(1_000)
    began = w.now_ms
    w.give(Drain())
    assert w.operate("status").data.find(b'"drain_left_ms":20000') > 0
    w.run(19_900)
    assert caller.up() and desk.up() and waiting.up() and not w.all("call.ended")
    w.run(400)
    assert not caller.up() and not desk.up() and not waiting.up()
    assert all("Q.850;cause=41" in text for text in _byes(w, caller) + _byes(w, waiting))
    w.run(2_000)
    assert stopped(w) and w.quiet() and w.last("engine.stopped").now_ms - began < 22_000
    ended = {event.call: event.data for event in w.all("call.ended")}
    assert [data["by"] for data in ended.values()] == ["drain", "drain"]
    assert sorted(str(data["outcome"]) for data in ended.values()) == ["failed", "served"]
    assert [event.data["value"] for event in w.all("engine.limit")] == [20_000, 20_000]
    assert len(w.all("queue.left")) == 1 and w.last("queue.left").data["reason"] == "closed"


def test_a_call_that_only_rings_is_refused_at_the_end() -> None:
    w = world(busy_site(site=BUSY_SITE + "limits: {drain: 3s}\n"))
    agent(w, "201", answer_ms=-1)
    caller = ring(w, "201", phone=agent(w, "202"))
    w.run(300)
    w.give(Drain())
    w.run(3_100)
    assert told(caller) == "rejected 503" and len([each for each in w.wire if b"Retry-After" in each]) == 1
    w.run(3_000)
    assert stopped(w) and (w.last("call.ended").data["by"], w.last("call.ended").data["outcome"]) == ("drain", "failed")


def test_a_far_end_that_never_answers_the_bye_cannot_hold_the_engine() -> None:
    w = world(SHORT)
    caller, _ = talk(w)
    w.give(Drain())
    w.run(19_000)
    w.darken(caller)
    w.run(30_000)
    assert stopped(w)
    ended, over = w.last("call.ended").now_ms, w.last("engine.stopped").now_ms
    assert 4_900 <= over - ended <= 5_200


@pytest.mark.parametrize("before", [False, True])
def test_at_once_ends_the_calls_now_and_cleanly(before: bool) -> None:
    w = world(law9=True)
    caller, desk = talk(w)
    if before:
        w.give(Drain())
        w.run(1_000)
    w.give(Drain(at_once=True))
    w.run(3_000)
    assert not caller.up() and not desk.up() and stopped(w) and w.quiet()
    assert w.last("call.ended").data["by"] == "drain" and len(w.all("engine.drain")) == 1


@pytest.mark.parametrize("again", ["drain", "operator"])
def test_a_second_drain_changes_nothing(again: str) -> None:
    w = world(SHORT)
    talk(w)
    first = w.operate("engine.drain")
    assert first.ok and b'"calls":1' in first.data and b'"left_ms":20000' in first.data and b"undo" in first.data
    assert w.last("operator.command").data["author"] == "test"
    w.run(5_000)
    if again == "drain":
        w.give(Drain())
    else:
        assert b'"left_ms":15000' in w.operate("engine.drain").data
    w.run(17_500)
    assert stopped(w) and len(w.all("engine.drain")) == 1


def test_a_new_engine_that_goes_on_with_the_calls_drains_no_more() -> None:
    """Killed in mid-drain and started again: calls are taken, and nobody is ended by the drain of the old process."""
    w = world(SHORT)
    caller, _ = talk(w)
    w.give(Drain())
    w.run(5_000)
    w.switch.handle(Resumed(800, "crash", 600_000), w.now_ms)
    room = w.switch.room
    draining.due(room, w.now_ms)  # of a deadline that had been taken from the heap already
    draining.over(room, 0, w.now_ms)
    assert not room.draining and draining.left_ms(room) == 0 and not room.drained
    assert room.deadlines.at(("drain", 0)) is None
    assert all(call.phase != "closing" for call in room.calls.values())
    assert caller.up()


def _byes(w: World, phone: object) -> list[str]:
    from tests.call.calls import said

    found = said(phone, "BYE")  # type: ignore[arg-type]
    assert found
    return found
