"""A call has one clip of its own; numbers are free again when the call is over; too many are refused."""

from __future__ import annotations

import pytest

from engine import limits
from engine.call import own_clips
from engine.call.call import Call
from engine.call.effects import ClipLoaded, LoadClip
from engine.call.phone_menus import PhoneMenu
from engine.call.room import Room


def call(room: Room, number: int) -> Call:
    made = Call(number, f"c-{number}", "default", "v", "201", "", "*97", "agent", "", 0)
    room.calls[number] = made
    return made


@pytest.fixture
def room() -> Room:
    return Room(bytes(32), boot="b", seed=1)


def test_a_call_keeps_its_number(room: Room) -> None:
    one, two = call(room, 1), call(room, 2)
    tickets = [own_clips.load(room, one, "a.wav"), own_clips.load(room, two, "b.wav"), own_clips.load(room, one, "c")]
    assert tickets == [1, 2, 3]
    wanted = [(each.clip, each.name) for each in room.out if isinstance(each, LoadClip)]
    first = own_clips.FIRST
    assert wanted == [(first, "a.wav"), (first + 1, "b.wav"), (first, "c")]
    assert own_clips.clip_of(room, two) == first + 1 and first + limits.own_clips_max == limits.clips_max
    del room.calls[1]
    assert own_clips.load(room, call(room, 3), "d") == 4 and own_clips.clip_of(room, room.calls[3]) == first


def test_more_calls_than_numbers_are_refused(room: Room) -> None:
    for number in range(1, limits.own_clips_max + 1):
        assert own_clips.load(room, call(room, number), "a.wav")
    late = call(room, 999)
    assert own_clips.load(room, late, "a.wav") == 0 and own_clips.clip_of(room, late) == -1


def test_an_answer_finds_who_waits_and_a_late_one_nobody(room: Room) -> None:
    one = call(room, 1)
    one.menu = PhoneMenu("box", ticket=own_clips.load(room, one, "a.wav"))
    assert own_clips.waiting(room, ClipLoaded(1, 5)) is one
    one.menu.ticket = own_clips.load(room, one, "b.wav")
    assert own_clips.waiting(room, ClipLoaded(1, 5)) is None


def test_a_clip_that_has_been_heard_is_anothers(room: Room) -> None:
    one, two = call(room, 1), call(room, 2)
    assert own_clips.take(room, one) == own_clips.FIRST
    own_clips.drop(room, one)
    assert own_clips.clip_of(room, one) == -1 and own_clips.take(room, two) == own_clips.FIRST
