"""The book of open callbacks: how they are booked, paused, told and closed."""

from __future__ import annotations

from engine.call import callbacks
from engine.call.places import known
from tests.call.backs import QUEUES, back_site, back_world, book, busy_agent, caller, kinds
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
