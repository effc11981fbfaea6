"""A call and its legs: what is summed up, and what dropping a leg gives back."""

from __future__ import annotations

from engine.call.call import PATH_WORDS_MAX, Call, drop_leg, legs_of, tread
from tests.call.calls import over, ring, talk, world


def test_the_path_is_bounded() -> None:
    call = Call(1, "x", "default", "", "1", "", "2", "public", "", 0)
    for number in range(3 * PATH_WORDS_MAX):
        tread(call, str(number))
    assert len(call.path) == PATH_WORDS_MAX and call.path[-1] == str(PATH_WORDS_MAX - 1)


def test_the_callers_leg_is_first_and_a_dropped_leg_gives_everything_back_once() -> None:
    w = world()
    talk(w)
    room = w.switch.room
    (call,) = room.calls.values()
    first, second = legs_of(room, call)
    assert first.id == call.leg and second.agent == "default/201"
    before = call.reports
    drop_leg(room, second, w.now_ms)
    drop_leg(room, second, w.now_ms)
    assert call.reports == before + 1 and second.id not in room.legs and second.session not in room.session_legs
    assert legs_of(room, call) == [first]


def test_held_time_of_a_leg_that_ends_on_hold_is_counted() -> None:
    w = world()
    caller, desk = talk(w)
    desk.hold(desk.up()[0], w.now_ms)
    w.run(2_000)
    caller.hang_up(w.now_ms)
    assert 1_950 <= int(str(over(w).data["held_ms"])) <= 2_050


def test_calls_get_speakable_names_that_differ() -> None:
    w = world()
    for number in range(5):
        ring(w, "9196", f"555{number}")
    w.run(200)
    names = [event.call for event in w.all("call.started")]
    assert len(set(names)) == 5 and all(4 <= len(name) <= 10 for name in names)
