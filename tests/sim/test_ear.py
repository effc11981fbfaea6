"""What a phone hears, clip by clip: a clip counts once it has begun, and not when it was cut off before."""

from __future__ import annotations

import pytest

from engine.sim.ear import Heard, name_of
from tests.sim.shows import show


def test_a_clip_that_a_key_cut_off_was_not_heard() -> None:
    it = show(given="caller: 1")
    it.until(lambda: len(it.ear.heard) >= 1)
    assert [each.clip for each in it.ear.heard] == ["en/hello"]
    it.until(lambda: any(each.clip == "en/choose" for each in it.ear.heard))
    it.press("3")  # invalid: two clips follow, the second is cut by the next key
    it.press("2")
    it.wait(100)
    heard = [each.clip for each in it.ear.heard]
    assert heard[:3] == ["en/hello", "en/choose", "en/invalid_choice"] and "en/choose_short" not in heard
    assert heard[-1] == "en/ask_code"


def test_when_the_next_clip_begins_is_known() -> None:
    it = show(given="caller: 1")
    it.until(lambda: any(each.clip == "en/choose" for each in it.ear.heard))
    it.press("3")
    begin = it.ear.next()
    assert begin is not None and begin > it.world.now_ms
    it.wait(begin - it.world.now_ms - 1)
    assert it.ear.heard[-1].clip == "en/invalid_choice"
    it.wait(1)
    assert it.ear.heard[-1] == Heard(begin, "en/choose_short")


@pytest.mark.parametrize(
    ("clip", "name", "value", "sound"),
    [
        ("en/welcome", "welcome", False, False), ("press:zh/heard_book#2", "heard_book", False, False),
        ("en/digits/1", "digits/1", True, False), ("music/default", "music/default", False, True),
        ("press:music/jazz", "music/jazz", False, True), ("tone/beep", "tone/beep", False, True),
        ("silence", "silence", False, True), ("row 3", "row 3", False, True), ("echo", "echo", False, True),
    ],
)  # fmt: skip
def test_what_kind_of_thing_a_clip_is(clip: str, name: str, value: bool, sound: bool) -> None:
    heard = Heard(0, clip)
    assert (name_of(clip), heard.value, heard.sound) == (name, value, sound)
