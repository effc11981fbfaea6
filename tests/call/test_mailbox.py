"""A box opened by phone: PIN, the new ones first, every key, a lost message, a call back; nobody stays stuck."""

from __future__ import annotations

import pytest

from engine.call import mailbox
from engine.call.effects import BoxesLoaded, LoadClip
from engine.sim.phone import Phone
from engine.sim.world import PIN, World
from tests.call.boxed import AGENTS, CUSTOMER, boxed_site, boxes_world
from tests.call.calls import agent, over, ring
from tests.call.test_boxes import lying, stored

NEW, OLD = stored(name="new", left_ms=9_000), stored(name="old", left_ms=1_000, state="heard")
OWN = "default/201"


def opened(
    w: World, *messages: object, number: str = "*97900", user: str = "201", pin: str = f"{PIN}#", login: bool = True
) -> Phone:
    """An agent dials the code; the PIN is said when it is asked for."""
    w.give(BoxesLoaded([*messages]))  # type: ignore[list-item]
    phone = agent(w, user, login=login)
    ring(w, number, phone=phone)
    if pin:
        assert w.run_until(lambda: w.hears(phone) == "en/box_pin", 3_000)
        w.press(phone, pin, gap_ms=60)
    return phone


def hears(w: World, phone: Phone, words: str, ms: int = 20_000) -> None:
    assert w.run_until(lambda: words in w.hears(phone), ms), (words, w.heard(phone))


@pytest.mark.parametrize("law9", [False, True])
def test_the_new_ones_come_first_then_the_rest(law9: bool) -> None:
    w = boxes_world(law9=law9)
    phone = opened(w, OLD, NEW)
    hears(w, phone, "en/numbers/1 en/box_new")
    hears(w, phone, "new.wav")
    assert "en/box_from en/digits/0 en/digits/3" in w.hears(phone)
    hears(w, phone, "en/box_menu")
    assert w.last("voicemail.heard").data == {
        "box": "default/support", "message": NEW.name, "by": "phone default/201",
    }  # fmt: skip
    w.press(phone, "2", gap_ms=100)
    hears(w, phone, "old.wav")
    w.press(phone, "2", gap_ms=100)
    hears(w, phone, "en/box_last en/goodbye")
    over(w)


def test_no_digit_of_the_pin_is_told() -> None:
    w = boxes_world()
    opened(w, NEW)
    assert [event.data["digit"] for event in w.all("call.digit")] == ["·"] * (len(PIN) + 1)
    assert w.last("voicemail.opened").data["result"] == "opened"


def test_three_wrong_pins_and_the_line_is_hung_up() -> None:
    w = boxes_world()
    phone = opened(w, NEW, pin="1#")
    for _ in range(2):
        hears(w, phone, "en/box_pin_wrong en/box_pin")
        w.press(phone, "99#", gap_ms=60)
    hears(w, phone, "en/box_pin_wrong en/goodbye")
    results = [event.data["result"] for event in w.all("voicemail.opened")]
    assert results == ["wrong_pin"] * 3 and not w.all("voicemail.heard")
    over(w)


def test_no_pin_at_all_ends_too() -> None:
    w = boxes_world()
    opened(w, NEW, pin="")
    w.run(120_000)
    assert [event.data["result"] for event in w.all("voicemail.opened")] == ["wrong_pin"] * 3
    assert w.last("call.ended").data["outcome"] == "served"


def test_a_box_without_a_pin_opens_at_once() -> None:
    w = boxes_world(boxed_site(boxes="support: {hears: 201, pin: no, number: 900}\n201: {pin: no}\n"))
    phone = opened(w, NEW, pin="")
    hears(w, phone, "en/box_new")


def test_his_own_box_is_the_one_without_digits() -> None:
    w = boxes_world()
    phone = opened(w, stored(OWN, name="mine"), NEW, number="*97")
    hears(w, phone, "mine.wav")


def test_without_a_box_of_his_own_the_first_with_something_new() -> None:
    w = boxes_world()
    phone = opened(w, NEW, number="*97", user="202")
    hears(w, phone, "new.wav")


@pytest.mark.parametrize(("number", "user"), [("*97", "203"), ("*97900", "203"), ("*97901", "201"), ("*97201", "202")])
def test_who_may_not_hear_it_is_told_nothing_of_it(number: str, user: str) -> None:
    w = boxes_world()
    phone = opened(w, NEW, number=number, user=user, pin="")
    hears(w, phone, "en/number_unknown en/goodbye")
    assert not w.all("voicemail.opened")
    over(w)


def test_an_empty_box() -> None:
    w = boxes_world()
    phone = opened(w)
    hears(w, phone, "en/box_none en/goodbye")
    over(w)


def test_keys_while_he_hears() -> None:
    w = boxes_world()
    phone = opened(w, NEW, OLD, stored(name="older", left_ms=500, state="heard"))
    hears(w, phone, "new.wav")
    w.press(phone, "1", gap_ms=100)
    hears(w, phone, "new.wav")
    w.press(phone, "4", gap_ms=100)
    hears(w, phone, "en/box_saved")
    hears(w, phone, "older.wav")
    w.press(phone, "3", gap_ms=100)
    hears(w, phone, "en/box_deleted")
    hears(w, phone, "old.wav")
    w.press(phone, "9", gap_ms=100)
    hears(w, phone, "old.wav")
    w.press(phone, "*", gap_ms=100)
    hears(w, phone, "en/goodbye")
    assert {message.name[-8:]: message.state for message in lying(w)} == {"/new.wav": "saved", "/old.wav": "heard"}
    assert w.last("voicemail.deleted").data["by"] == "phone default/201"
    over(w)


def test_a_deleted_message_takes_its_file_along() -> None:
    w = boxes_world()
    phone = opened(w, NEW)
    hears(w, phone, "new.wav")
    w.press(phone, "3", gap_ms=100)
    assert w.removed == [NEW.name]


def test_a_message_whose_file_is_gone_is_said_to_be_lost() -> None:
    w = boxes_world()
    w.lost_files = [NEW.name]
    phone = opened(w, NEW, OLD)
    hears(w, phone, "en/box_lost")
    hears(w, phone, "old.wav")
    assert any("no such file" in line.text for line in w.logs)


def test_a_message_deleted_beside_him_is_passed_over() -> None:
    w = boxes_world()
    phone = opened(w, NEW, OLD)
    hears(w, phone, "new.wav")
    assert w.operate("voicemail.delete", box="support", message="1").ok  # the old one
    w.press(phone, "2", gap_ms=100)
    hears(w, phone, "en/box_last")
    w2 = boxes_world()
    phone = opened(w2, NEW, OLD)
    hears(w2, phone, "new.wav")
    assert w2.operate("voicemail.delete", box="support", message="2").ok  # the one he hears
    w2.press(phone, "4", gap_ms=100)
    hears(w2, phone, "en/box_lost")


def test_he_who_presses_nothing_hears_the_choice_three_times() -> None:
    w = boxes_world()
    phone = opened(w, NEW)
    w.run(90_000)
    assert w.heard(phone).count("en/box_menu") == 3
    assert w.last("call.ended").data["outcome"] == "served"


def test_a_plane_that_tells_no_end_cannot_hold_him() -> None:
    w = boxes_world()
    w.media.forgetful = True
    opened(w, NEW)
    w.run(200_000)
    assert w.last("call.ended").data["outcome"] == "served" and w.all("voicemail.heard")


def test_a_disk_that_never_answers_cannot_hold_him() -> None:
    w = boxes_world()
    phone = opened(w, NEW, pin="")
    w.loading = Deaf()
    assert w.run_until(lambda: w.hears(phone) == "en/box_pin", 3_000)
    w.press(phone, f"{PIN}#", gap_ms=60)
    hears(w, phone, "en/box_lost")
    over(w)


class Deaf(list):  # type: ignore[type-arg]
    """Takes every answer of the disk, and gives none."""

    def append(self, item: object) -> None:
        pass


# --- calling back ---------------------------------------------------------------------------------------------
def test_five_calls_back_by_the_way_out_that_he_may_take() -> None:
    w = boxes_world()
    phone = opened(w, NEW)
    hears(w, phone, "new.wav")
    w.press(phone, "5", gap_ms=100)
    assert w.last("dial.started").data["target"] == CUSTOMER
    assert w.run_until(lambda: bool(w.phones["192.0.2.1", 5060].up()), 10_000)
    w.run(200)
    assert w.last("call.bridged").data["kind"] and w.last("voicemail.heard").data["message"] == NEW.name
    phone.hang_up(w.now_ms)
    over(w)


@pytest.mark.parametrize("caller", ["", "anonymous", "+1900555"])
def test_whom_he_may_not_call_he_is_told(caller: str) -> None:
    w = boxes_world()
    phone = opened(w, stored(name="new", caller=caller))
    hears(w, phone, "new.wav")
    w.press(phone, "5", gap_ms=100)
    hears(w, phone, "en/box_no_callback")
    assert not w.all("dial.started")
    w.press(phone, "2", gap_ms=100)
    hears(w, phone, "en/box_last")


# --- the rest ------------------------------------------------------------------------------------------------
def test_no_caller_is_offered_to_him_while_he_hears() -> None:
    w = boxes_world()
    phone = opened(w, NEW)
    hears(w, phone, "new.wav")
    assert w.state("201") == "occupied"
    phone.hang_up(w.now_ms)
    w.run(500)
    assert w.state("201") == "ready"


def test_clips_are_given_back_when_calls_are_over() -> None:
    w = boxes_world(boxed_site(agents=AGENTS))
    for _ in range(3):
        phone = opened(w, NEW)
        hears(w, phone, "new.wav")
        phone.hang_up(w.now_ms)
        w.run(3_000)
    clips = {each.clip for each in w.outputs if isinstance(each, LoadClip)}
    assert len(w.switch.room.own_clips) == 1 and len(clips) <= 1


def test_the_word_of_the_code_is_known() -> None:
    assert mailbox.WORD in boxed_site().tenants["default"].codes.values()
