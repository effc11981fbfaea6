"""Recordings: message and call, keys and maximum, beep, pause, a disk that refuses, a caller who hangs up."""

from __future__ import annotations

import pytest

from engine.media.commands import StartTap
from tests.call.calls import over, ring, talk, world


def states(w: object) -> list[object]:
    return [event.data["state"] for event in w.all("call.recording")]  # type: ignore[attr-defined]


@pytest.mark.parametrize("law9", [False, True])
def test_a_message_is_recorded_after_the_beep_until_the_key(law9: bool) -> None:
    w = world(law9=law9)
    caller = ring(w, "731")
    w.run(15)
    assert w.hears(caller) == "tone/beep" and not states(w)
    w.run(3_000)
    w.press(caller, "1#", gap_ms=100)
    assert states(w) == ["started", "complete"] and w.hears(caller) == "en/thank_you"
    done, gathered = w.last("call.recording"), w.last("call.gathered")
    assert gathered.data["value"] == done.data["name"] and 2_800 <= int(str(done.data["duration_ms"])) <= 3_300
    assert not w.switch.room.taps
    over(w)


def test_a_message_ends_at_its_maximum() -> None:
    w = world()
    caller = ring(w, "731")
    w.run(10_100)
    assert states(w) == ["started", "complete"] and w.hears(caller) == "en/thank_you"


def test_the_key_during_the_beep_ends_it_and_nothing_is_recorded_later() -> None:
    w = world()
    w.media.durations.update({clip: 1_000 for clip, name in w.media.names.items() if name == "tone/beep"})
    caller = ring(w, "731")
    w.run(200)
    w.press(caller, "#", gap_ms=100)
    assert w.hears(caller) == "en/thank_you"
    w.run(2_000)
    assert not states(w) and not w.switch.room.taps
    over(w)


def test_a_plane_that_never_tells_the_end_cannot_hold_the_caller() -> None:
    w = world()
    caller = ring(w, "731")
    w.run(1_000)
    w.media._end_tap = lambda number, row, now_ms: None  # type: ignore[method-assign]
    w.press(caller, "#", gap_ms=100)
    w.run(5_100)
    assert w.hears(caller) == "en/thank_you"


def test_a_recording_beside_the_call_begins_although_the_next_prompt_follows_at_once() -> None:
    w = world()
    ring(w, "732")
    w.run(3_000)
    assert states(w) == ["started", "complete"]
    assert int(str(w.last("call.recording").data["duration_ms"])) == 2_000


def test_a_disk_that_refuses_is_told_and_the_call_goes_on() -> None:
    w = world()
    w.media.disk = "no space left on device"
    caller = ring(w, "731")
    w.run(1_000)
    w.press(caller, "#", gap_ms=100)
    assert states(w) == ["started", "failed"] and w.hears(caller) == "en/thank_you"
    assert any("no space left" in line.text and line.level == "error" for line in w.logs)


def test_a_recorded_queue_is_recorded_from_the_agents_answer_to_the_end() -> None:
    w = world()
    caller, desk = talk(w, "742")
    assert states(w) == ["started"]
    w.run(2_000)
    desk.hang_up(w.now_ms)
    caller.hang_up(w.now_ms)
    ended = over(w)
    assert states(w) == ["started", "complete"] and ended.data["outcome"] == "served"
    assert str(w.last("call.recording").data["name"]).startswith(f"recordings/default/{ended.call}-sim1-")


def test_a_caller_who_hangs_up_leaves_his_message() -> None:
    w = world()
    caller = ring(w, "731")
    w.run(3_000)
    caller.hang_up(w.now_ms)
    over(w)
    assert states(w) == ["started", "complete"] and not w.switch.room.taps


def test_a_second_recording_of_the_same_leg_is_refused_and_the_dialplan_goes_on() -> None:
    from engine.call import recording

    w = world()
    talk(w, "742")
    room = w.switch.room
    (call,) = room.calls.values()
    before = len(room.taps)
    recording.start(room, call, w.now_ms, ticket=7, ms_max=1_000)
    assert len(room.taps) == before and room.happenings and not any(isinstance(o, StartTap) for o in room.out)
    room.happenings.clear()


def test_pausing_without_a_recording_says_so() -> None:
    from engine.call import recording

    w = world()
    talk(w)
    (call,) = w.switch.room.calls.values()
    assert not recording.pause(w.switch.room, call, True)
