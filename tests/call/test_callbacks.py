"""The book of open callbacks: how they are booked, paused, told and closed."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from engine.call import callbacks
from engine.call.effects import WallClock
from engine.call.places import known
from engine.dialplan.model import Site
from engine.sim.phone import Habit, Phone
from engine.sim.world import World
from tests.call.backs import QUEUES, back_site, back_world, book, busy_agent, caller, customer, kinds
from tests.call.calls import agent


def test_a_booking_takes_over_the_place_of_its_call() -> None:
    w = back_world(law9=True)
    busy_agent(w)
    book(w, "0300001")
    caller(w, "0300002")
    w.run(1_000)
    (back,) = w.switch.room.callbacks.values()
    assert back.number == "0300001" and back.dialled == "700" and back.position == 1
    assert w.switch.room.acd.position(back.id) == 1
    assert back.until_ms - back.asked_ms == 30 * 60_000 and back.promise_ms - back.asked_ms == 5 * 60_000
    assert back.joined_ms < back.asked_ms  # his wait began on the line


def test_who_never_waited_is_put_at_the_end_of_the_line() -> None:
    w = back_world()
    busy_agent(w)
    caller(w, "0300001")
    w.run(1_000)
    caller(w, "0300002", "701")
    w.run(1_000)
    (back,) = w.switch.room.callbacks.values()
    assert back.position == 2 and back.joined_ms == back.asked_ms


def test_spaces_and_dashes_are_no_part_of_a_number() -> None:
    w = back_world()
    caller(w, "030-12 34", "701")
    w.run(1_000)
    assert [back.number for back in w.switch.room.callbacks.values()] == ["0301234"]
    assert callbacks.of_number(w.switch.room, "default", "0301234") is not None
    assert callbacks.of_number(w.switch.room, "press", "0301234") is None and known("0301234")


def test_a_queue_that_an_operator_closed_takes_no_wish() -> None:
    w = back_world()
    assert w.operate("queue.close", queue="support").ok
    caller(w, dialled="701")
    w.run(2_000)
    assert not w.switch.room.callbacks and w.last("call.ended").data["outcome"] == "failed"


def test_a_pause_begins_and_ends_and_is_shown() -> None:
    w = back_world(answer_ms=500)
    caller(w, dialled="701")
    w.run(5_000)
    (back,) = w.switch.room.callbacks.values()
    callbacks.pause(w.switch.room, back, w.now_ms, 30_000)
    assert (back.state, back.due_ms) == ("paused", w.now_ms + 30_000)
    agent(w, "201")
    w.run(25_000)
    assert not w.all("callback.dialled")
    w.run_until(lambda: w.kinds("callback.dialled") != [], 10_000)
    assert w.all("callback.dialled")


def test_drained_callbacks_go_on_when_the_engine_does() -> None:
    w = back_world(answer_ms=500)
    caller(w, dialled="701")
    w.run(5_000)
    room = w.switch.room
    callbacks.pause_all(room, w.now_ms)
    agent(w, "201")
    w.run(60_000)
    assert not w.all("callback.dialled")
    callbacks.go_on(room, w.now_ms)
    room.unsettled = True
    w.run_until(lambda: w.kinds("callback.dialled") != [], 10_000)
    assert w.all("callback.dialled")


def test_counts_are_those_of_the_events() -> None:
    w = back_world()
    caller(w, dialled="701")
    w.run(31 * 60_000)
    counts = w.switch.room.callback_counts["default/support"]
    assert (counts.requested, counts.expired, counts.served) == (1, 1, 0) and kinds(w) == ["requested", "expired"]


def test_a_renamed_queue_takes_its_callbacks_and_kept_places_with_it() -> None:
    w = back_world(answer_ms=500)
    busy_agent(w)
    phone = caller(w, "0300008")
    w.run(1_000)
    phone.hang_up(w.now_ms)
    book(w)
    assert list(w.switch.room.left_places) == ["default/support|0300008"]
    renamed = QUEUES.replace("MODE", "agent-first").replace("support:", "help:\n  was: support", 1)
    w.load(back_site(queues=renamed, queue="help"))
    w.run(1_000)
    (back,) = w.switch.room.callbacks.values()
    assert back.queue == "default/help" and callbacks.model(w.switch.room, back) is not None
    assert list(w.switch.room.left_places) == ["default/help|0300008"]
    assert w.switch.room.callback_counts["default/help"].requested == 1
    assert w.switch.room.acd.position(back.id) == 1


# --- the window -------------------------------------------------------------------------------------------------
BERLIN = ZoneInfo("Europe/Berlin")
HOUR = 3_600_000


def night_site(window: str, mode: str = "agent-first", age: str = "24h") -> Site:
    text = QUEUES.replace("MODE", mode).replace("max_age: 30min", f"max_age: {age}")
    return back_site(mode, queues=f"{text}    window: {window}\n" if window else text, zone="Europe/Berlin")


def night(made: Site, begins: str, **carrier: object) -> World:
    """A world in Berlin at this time of the wall clock, in which a customer's phone answers and he presses nothing."""
    w = World(made, wall_ms=int(datetime.fromisoformat(begins).replace(tzinfo=BERLIN).timestamp()) * 1_000)
    w.watched = True
    w.phone("carrier", host="192.0.2.1", password="").habit = Habit(**carrier)  # type: ignore[arg-type]
    return w


def clock(wall_ms: int) -> str:
    """What clocks in Berlin show then, by the standard library and not by ours."""
    return f"{datetime.fromtimestamp(wall_ms // 1_000, UTC).astimezone(BERLIN):%d %H:%M}"


def due(w: World, back: callbacks.Callback) -> str:
    return clock(back.due_ms + w.switch.room.wall_offset_ms)


def until_rung(w: World, desk: Phone, times: int = 1) -> bool:
    """Through the night; the agent's phone registers anew as phones do."""
    for _ in range(100):
        desk.register(w.now_ms)
        if w.run_until(lambda: len(dialled(w)) == times, HOUR // 2):
            return True
    return False


def dialled(w: World) -> list[str]:
    return [clock(event.at_ms) for event in w.all("callback.dialled")]


@pytest.mark.parametrize("mode", ["agent-first", "customer-first"])
@pytest.mark.parametrize("asks", ["2026-03-10 19:50", "2026-03-10 20:30", "2026-03-11 02:00"])
def test_outside_of_the_window_nobody_is_rung_and_every_place_is_kept(mode: str, asks: str) -> None:
    w = night(night_site("08:00-20:00", mode), asks, answer_ms=-1)
    for number in ("0300001", "0300002"):
        caller(w, number, "701")
        w.run(5_000)
    w.run(20 * 60_000 if asks.endswith("19:50") else 60_000)  # his turn could have come, but nobody was there
    desk = agent(w, "201", answer_ms=500)
    first, second = w.switch.room.callbacks.values()
    assert (first.state, second.state) == ("paused", "paused") and due(w, first) == "11 08:00"
    w.run(5 * HOUR)
    desk.register(w.now_ms)
    w.run(HOUR // 4)
    assert not dialled(w) and not desk.up() and not w.all("queue.offered") and w.state("201") == "ready"
    assert [w.switch.room.acd.position(back.id) for back in (first, second)] == [1, 2]
    assert until_rung(w, desk, 2)
    assert [event.call for event in w.all("callback.dialled")] == [first.name, second.name]
    assert dialled(w)[0] == "11 08:00"


@pytest.mark.parametrize(
    ("window", "asks", "rung"),
    [
        ("22:00-06:00", "2026-03-10 21:00", "10 22:00"), ("22:00-06:00", "2026-03-10 23:30", "10 23:30"),
        ("22:00-06:00", "2026-03-11 05:58", "11 05:58"), ("22:00-06:00", "2026-03-11 06:00", "11 22:00"),
        ("08:00-20:00", "2026-03-28 21:00", "29 08:00"), ("08:00-20:00", "2026-10-24 21:00", "25 08:00"),
        ("02:30-05:00", "2026-03-28 21:00", "29 03:00"), ("02:10-02:50", "2026-03-29 01:30", "30 02:10"),
        ("02:30-05:00", "2026-10-25 01:00", "25 02:30"), ("00:00-24:00", "2026-03-10 03:00", "10 03:00"),
    ],
)  # fmt: skip
def test_the_window_by_the_clocks_of_the_tenant_also_when_they_change(window: str, asks: str, rung: str) -> None:
    w = night(night_site(window, age="2d"), asks, answer_ms=500)
    desk = agent(w, "201", answer_ms=500)
    caller(w, dialled="701")
    assert until_rung(w, desk) and dialled(w) == [rung]


def test_a_window_is_given_up_with_its_age_as_ever() -> None:
    w = night(night_site("08:00-20:00", age="2h"), "2026-03-10 20:30")
    caller(w, dialled="701")
    w.run(2 * HOUR + 5_000)
    assert kinds(w) == ["requested", "expired"] and clock(w.last("callback.expired").at_ms) == "10 22:30"
    assert w.switch.room.deadlines.at(("window", w.switch.room.call_serial)) is None and w.quiet()


def test_what_has_begun_goes_on_past_the_end_and_the_next_attempt_waits() -> None:
    w = night(night_site("08:00-20:00"), "2026-03-10 19:59:45", answer_ms=-1)
    agent(w, "201", answer_ms=500)
    caller(w, dialled="701")
    w.run(HOUR)
    failed = w.last("callback.attempt_failed")
    assert dialled(w) == ["10 19:59"] and clock(failed.at_ms) == "10 20:00"
    assert clock(failed.at_ms + int(str(failed.data["next_ms"]))) == "11 08:00"


def test_an_agent_who_answers_after_the_end_rings_nobody_up() -> None:
    w = night(night_site("08:00-20:00"), "2026-03-10 19:59:50", answer_ms=500)
    desk = agent(w, "201", answer_ms=9_000)
    caller(w, dialled="701")
    assert w.run_until(lambda: bool(w.all("queue.offered")), 8_000)
    w.run(30_000)
    (back,) = w.switch.room.callbacks.values()
    assert not dialled(w) and not customer(w).sessions and not desk.up() and w.quiet()
    assert (back.state, back.attempts, due(w, back)) == ("paused", 0, "11 08:00")
    assert until_rung(w, desk) and dialled(w) == ["11 08:00"]


def test_an_offer_that_nobody_took_before_the_end_is_not_made_again() -> None:
    w = night(night_site("08:00-20:00"), "2026-03-10 19:59:50", answer_ms=500)
    agent(w, "201", answer_ms=-1)
    caller(w, dialled="701")
    w.run(HOUR)
    (back,) = w.switch.room.callbacks.values()
    assert len(w.all("queue.offered")) == 1 and not dialled(w) and w.quiet()
    assert (back.state, due(w, back)) == ("paused", "11 08:00")


def test_a_reload_with_another_window_holds_for_who_waits() -> None:
    w = night(night_site("08:00-20:00"), "2026-03-10 20:30", answer_ms=-1)
    agent(w, "201", answer_ms=500)
    caller(w, dialled="701")
    w.run(60_000)
    w.load(night_site("08:00-22:00"))
    w.run(60_000)
    assert dialled(w) == ["10 20:31"]
    w = night(night_site(""), "2026-03-10 20:30", answer_ms=-1)
    caller(w, dialled="701")
    w.run(60_000)
    w.load(night_site("09:00-20:00"))
    agent(w, "201", answer_ms=500)
    w.run(HOUR)
    (back,) = w.switch.room.callbacks.values()
    assert not dialled(w) and due(w, back) == "11 09:00"


def test_the_wall_clock_is_set_and_the_window_follows() -> None:
    w = night(night_site("08:00-20:00"), "2026-03-10 20:30", answer_ms=-1)
    agent(w, "201", answer_ms=500)
    caller(w, dialled="701")
    w.run(60_000)
    w.give(WallClock(w.switch.room.wall_offset_ms - HOUR))
    w.run(60_000)
    assert dialled(w) == ["10 19:31"]


def test_an_operator_ends_a_pause_and_not_the_night() -> None:
    w = night(night_site("08:00-20:00"), "2026-03-10 20:30", answer_ms=-1)
    agent(w, "201", answer_ms=500)
    caller(w, dialled="701")
    w.run(60_000)
    reply = w.operate("callback.now", callback="0301234")
    assert reply.ok and b"not before the queue's window begins in 688 min" in reply.data
    w.run(HOUR)
    assert not dialled(w)


@pytest.mark.parametrize("mode", ["agent-first", "customer-first"])
def test_a_wall_clock_that_creeps_past_the_end_lets_nobody_be_rung_either(mode: str) -> None:
    w = night(night_site("08:00-20:00", mode), "2026-03-10 19:59:50", answer_ms=-1)
    desk = agent(w, "201", answer_ms=500)
    w.operate("agent.not_ready", agent="201")
    caller(w, dialled="701")
    w.run(9_500)
    w.give(WallClock(w.switch.room.wall_offset_ms + 900))  # too little to set anything anew
    assert w.operate("agent.ready", agent="201").ok
    (back,) = w.switch.room.callbacks.values()
    assert (back.state, due(w, back)) == ("paused", "11 08:00") and back.id not in w.switch.room.calls
    w.run(HOUR // 2)
    assert not w.all("queue.offered") and not dialled(w) and not desk.up() and w.state("201") == "ready"
