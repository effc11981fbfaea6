"""Messages in boxes: taken, too short, full, warned of, kept over a restart, called back, swept, erased."""

from __future__ import annotations

import pytest

from engine.call import boxes
from engine.call.effects import BoxesLoaded, RemoveFile, WallClock
from engine.call.messages import Message, StoredMessage
from engine.sim.world import World
from tests.call.boxed import CUSTOMER, boxed_site, boxes_world, customer, speak
from tests.call.calls import over, world
from tests.scenarios.sites import site

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def lying(w: World) -> list[Message]:
    return list(w.switch.room.messages.values())


@pytest.mark.parametrize("law9", [False, True])
def test_a_message_lies_in_the_box_under_its_call(law9: bool) -> None:
    w = boxes_world(law9=law9)
    caller = customer(w)
    assert w.run_until(lambda: w.hears(caller) == "en/leave_message", 2_000)
    speak(w, caller)
    assert "en/thank_you" in w.heard(caller)
    left, (message,) = w.last("voicemail.left"), lying(w)
    assert (left.tenant, left.data["box"], left.data["caller"]) == ("default", "default/support", CUSTOMER)
    assert 3_900 <= int(str(left.data["duration_ms"])) <= 4_300 and message.state == "new"
    assert message.name == left.data["message"] and message.name.startswith("voicemail/default/support/")
    assert message.call == left.call and not w.switch.room.leaving
    over(w)
    assert lying(w)


def test_who_hangs_up_while_he_speaks_has_left_his_message() -> None:
    w = boxes_world()
    speak(w, customer(w), end="")
    assert len(lying(w)) == 1 and w.last("call.ended").data["outcome"] == "abandoned"
    assert w.last("voicemail.callback").data["result"] == "accepted"
    over(w)


def test_the_hash_key_skips_the_greeting_and_other_keys_do_not() -> None:
    w = boxes_world()
    caller = customer(w)
    assert w.run_until(lambda: w.hears(caller) == "en/leave_message", 2_000)
    w.press(caller, "5", gap_ms=100)
    assert w.hears(caller) == "en/leave_message"
    w.press(caller, "#", gap_ms=100)
    assert w.heard(caller)[-1] == "tone/beep"


@pytest.mark.parametrize("ms", [100, 1_500])
def test_what_is_too_short_is_dropped_with_its_file(ms: int) -> None:
    w = boxes_world()
    caller = customer(w)
    speak(w, caller, ms)
    assert not lying(w) and w.last("voicemail.dropped").data["reason"] == "too_short"
    assert "en/goodbye" in w.heard(caller)  # the step says where to
    assert not w.all("voicemail.left") and not w.all("voicemail.callback")
    over(w)


def test_a_message_ends_at_its_longest_time() -> None:
    w = boxes_world()
    caller = customer(w)
    speak(w, caller, 11_000, end="1")
    assert 9_900 <= lying(w)[0].duration_ms <= 10_100 and "en/thank_you" in w.heard(caller)


def test_a_full_box_says_so_or_takes_its_outcome() -> None:
    w = boxes_world()
    for user in ("0301", "0302"):
        speak(w, customer(w, user=user))
    late = customer(w, user="0303")
    assert w.run_until(lambda: w.hears(late) == "en/box_full", 2_000)
    assert w.run_until(lambda: w.hears(late) == "en/thank_you", 2_000)
    assert len(lying(w)) == 2
    named = boxes_world(boxed_site(boxes="201: {messages: 1}\nsupport: {hears: 201}\n"))
    speak(named, customer(named, "701"))
    late = customer(named, "701", user="0305")
    assert named.run_until(lambda: named.hears(late) == "en/goodbye", 2_000)


def test_two_who_speak_at_once_count_both() -> None:
    w = boxes_world(boxed_site(boxes="support: {messages: 1, hears: 201}\n201: {hears: 202}\n"))
    first = customer(w, user="0301")
    assert w.run_until(lambda: w.hears(first) == "tone/beep", 5_000)
    w.run(500)
    second = customer(w, user="0302")
    assert w.run_until(lambda: w.hears(second) == "en/box_full", 5_000)


def test_a_tenants_quota_fills_all_its_boxes() -> None:
    w = boxes_world()
    w.give(BoxesLoaded([stored("default/201", duration_ms=160_000)]))  # 5.1 of 5 MB
    caller = customer(w)
    assert w.run_until(lambda: w.hears(caller) == "en/box_full", 2_000)


def test_a_disk_that_refuses_is_told_and_the_caller_goes_on() -> None:
    w = boxes_world()
    w.media.disk = "No space left on device"
    caller = customer(w)
    speak(w, caller)
    assert not lying(w) and w.last("voicemail.dropped").data["reason"] == "failed"
    assert "en/thank_you" in w.heard(caller)
    assert any(event.data["text"] == "tag: voicemail failed" for event in w.all("call.step"))


def test_a_recording_of_the_call_gives_way_to_the_message() -> None:
    w = boxes_world()
    caller = customer(w, "702")
    speak(w, caller)
    names = [str(event.data["name"]).split("/")[0] for event in w.all("call.recording")]
    assert names.count("recordings") == 2 and names.count("voicemail") == 2 and len(lying(w)) == 1
    assert 3_900 <= lying(w)[0].duration_ms <= 4_300 and "en/thank_you" in w.heard(caller)


def test_a_plane_that_never_tells_the_end_cannot_hold_the_caller() -> None:
    w = boxes_world()
    caller = customer(w)
    w.media._end_tap = lambda number, row, now_ms: None  # type: ignore[method-assign]
    speak(w, caller)
    w.run(5_000)
    assert "en/goodbye" in w.heard(caller)


# --- the callback --------------------------------------------------------------------------------------------
def test_a_message_is_an_entry_of_its_queue() -> None:
    w = boxes_world()
    caller = customer(w)
    speak(w, caller)
    back = w.last("callback.requested")
    assert back.data["number"] == CUSTOMER and back.data["queue"] == "default/support"
    told = w.last("voicemail.callback")
    assert told.data["result"] == "accepted" and told.data["message"] == lying(w)[0].name


def test_who_may_not_be_called_leaves_his_message_all_the_same() -> None:
    w = boxes_world()
    speak(w, customer(w, user="anonymous"))
    assert w.last("voicemail.callback").data["result"] == "no_number" and len(lying(w)) == 1
    speak(w, customer(w, user="+1900555"))
    assert w.last("voicemail.callback").data["result"] == "refused" and len(lying(w)) == 2


# --- unheard, swept, erased ----------------------------------------------------------------------------------
def stored(box: str = "default/support", *, name: str = "a", **fields: object) -> StoredMessage:
    given = {
        "caller": CUSTOMER, "caller_name": "", "dialled": "700", "call": "x", "left_ms": 0, "duration_ms": 4_000,
        "state": "new", "warned": False,
    }  # fmt: skip
    return StoredMessage(box, f"voicemail/{box}/{name}.wav", **{**given, **fields})  # type: ignore[arg-type]


def test_what_nobody_hears_in_time_is_warned_of_once() -> None:
    w = boxes_world()
    speak(w, customer(w))
    w.run(4 * HOUR_MS - 60_000)
    assert not w.all("voicemail.unheard")
    w.run(120_000)
    told = w.last("voicemail.unheard")
    assert told.data["new"] == 1 and 4 * HOUR_MS <= int(str(told.data["waited_ms"])) < 4 * HOUR_MS + 60_000
    w.run(9 * HOUR_MS)
    assert len(w.all("voicemail.unheard")) == 1 and lying(w)[0].warned


def test_a_heard_message_warns_nobody_and_a_saved_one_stays_saved() -> None:
    w = boxes_world()
    speak(w, customer(w))
    boxes.mark(w.switch.room, lying(w)[0], boxes.SAVED, "test")
    boxes.mark(w.switch.room, lying(w)[0], boxes.HEARD, "test")
    w.run(5 * HOUR_MS)
    assert lying(w)[0].state == "saved" and not w.all("voicemail.unheard") and not w.all("voicemail.heard")


def test_messages_of_before_a_restart_are_warned_of_by_the_wall_clock() -> None:
    w = boxes_world()
    w.give(WallClock(10 * HOUR_MS - w.now_ms))
    w.give(BoxesLoaded([
        stored(left_ms=5 * HOUR_MS), stored(name="b", left_ms=9 * HOUR_MS), stored(name="c", warned=True),
        stored(name="d", state="heard"), stored("default/gone", name="e"),
    ]))  # fmt: skip
    w.run(10)
    assert [event.data["message"] for event in w.all("voicemail.unheard")] == ["voicemail/default/support/a.wav"]
    assert len(lying(w)) == 5
    w.run(3 * HOUR_MS)
    assert len(w.all("voicemail.unheard")) == 2


def test_a_reload_that_warns_no_more_disarms() -> None:
    w = boxes_world()
    speak(w, customer(w))
    w.load(boxed_site(boxes="support: {hears: 201}\n201: {hears: 202}\n"))
    w.run(6 * HOUR_MS)
    assert not w.all("voicemail.unheard")


def test_the_sweep_goes_by_box_then_tenant() -> None:
    w = boxes_world()
    w.give(WallClock(100 * DAY_MS - w.now_ms))
    w.give(BoxesLoaded([
        stored(name="a", left_ms=89 * DAY_MS), stored(name="b", left_ms=91 * DAY_MS),
        stored("default/201", name="c", left_ms=69 * DAY_MS), stored("default/201", name="d", left_ms=71 * DAY_MS),
    ]))  # fmt: skip
    reply = w.operate("voicemail_sweep")
    assert reply.data == b'{"deleted":2}'
    assert [message.name[-5] for message in lying(w)] == ["b", "d"]
    assert [event.data["by"] for event in w.all("voicemail.deleted")] == ["retention"] * 2
    assert [each.name[-5] for each in w.outputs if isinstance(each, RemoveFile)] == ["a", "c"]


def test_a_caller_who_is_erased_is_known_no_more() -> None:
    w = boxes_world(boxed_site(boxes="support: {hears: 201}\n201: {hears: 202}\n"))
    speak(w, customer(w))
    over(w)
    w.run(60_000)
    names = [message.name for message in lying(w)]
    assert w.operate("let_go", number=CUSTOMER).ok
    assert CUSTOMER.encode() not in w.switch.encode() and len(lying(w)) == 1
    assert w.operate("voicemail_gone", messages="\n".join(names)).data == b'{"deleted":1}'
    assert not lying(w)


def test_a_site_without_boxes_knows_none() -> None:
    w = world(site())
    assert w.operate("boxes").data == b"[]" and not boxes.of_box(w.switch.room, "default/support")
