"""A prompt recorded by phone: who may, the key, the words, the choice; and nobody stays stuck."""

from __future__ import annotations

import pytest

from engine.call import prompting
from engine.sim.phone import Phone
from engine.sim.world import World
from tests.call.boxed import AGENTS, SITE, boxed_site, boxes_world
from tests.call.calls import agent, over, ring

PROMPTED = boxed_site(
    site=SITE + "recorded_prompts: {1: outage, 2: closed}\n", prompts__en="outage: All is well.\nclosed: Closed.\n",
    agents=AGENTS.replace("201: {name: Ana,", "201: {name: Ana, records_prompts: yes,"),
)  # fmt: skip


def prompt_world(*, law9: bool = False) -> World:
    return boxes_world(PROMPTED, law9=law9)


def hears(w: World, phone: Phone, words: str, ms: int = 20_000) -> None:
    assert w.run_until(lambda: words in w.hears(phone), ms), (words, w.heard(phone))


def recording(w: World, number: str = "*771", user: str = "201") -> Phone:
    """An agent who speaks after the tone."""
    phone = ring(w, number, phone=agent(w, user))
    hears(w, phone, "en/prompt_speak")
    hears(w, phone, "tone/beep")
    assert w.run_until(lambda: bool(w.switch.room.taps), 5_000)
    return phone


def spoken(w: World, ms: int = 3_000, number: str = "*771") -> Phone:
    phone = recording(w, number)
    w.run(ms)
    w.press(phone, "#", gap_ms=100)
    return phone


@pytest.mark.parametrize("law9", [False, True])
def test_spoken_heard_and_used(law9: bool) -> None:
    w = prompt_world(law9=law9)
    phone = spoken(w)
    hears(w, phone, prompting.FOLDER)
    hears(w, phone, "en/prompt_menu")
    w.press(phone, "1", gap_ms=100)
    hears(w, phone, "en/prompt_used")
    (used,) = w.used
    assert used.prompt == "en/outage" and used.file.startswith("prompts/new/default-")
    told = w.last("prompt.recorded")
    assert told.data["prompt"] == "en/outage" and told.data["agent"] == "default/201"
    over(w)
    assert used.file not in w.removed


def test_without_a_key_he_is_asked_for_it() -> None:
    w = prompt_world()
    phone = ring(w, "*77", phone=agent(w, "201"))
    hears(w, phone, "en/prompt_number")
    w.press(phone, "9#", gap_ms=60)
    hears(w, phone, "en/invalid_choice en/prompt_number")
    w.press(phone, "2#", gap_ms=60)
    hears(w, phone, "en/prompt_speak")


def test_three_wrong_keys_and_silence_end_it() -> None:
    w = prompt_world()
    phone = ring(w, "*7799", phone=agent(w, "201"))
    w.run(60_000)
    assert w.heard(phone).count("en/invalid_choice en/prompt_number") == 2 and not w.switch.room.calls


def test_again_anew_and_the_old_one() -> None:
    w = prompt_world()
    phone = spoken(w)
    hears(w, phone, "en/prompt_menu")
    w.press(phone, "2", gap_ms=100)
    hears(w, phone, prompting.FOLDER)
    w.press(phone, "3", gap_ms=100)
    hears(w, phone, "en/prompt_speak")
    assert len(w.removed) == 1
    hears(w, phone, "tone/beep")
    w.run(3_000)
    w.press(phone, "#", gap_ms=100)
    hears(w, phone, "en/prompt_menu")
    w.press(phone, "*", gap_ms=100)
    hears(w, phone, "en/prompt_kept")
    assert len(w.removed) == 2 and not w.used and not w.all("prompt.recorded")
    over(w)


def test_who_is_not_allowed_is_refused() -> None:
    w = prompt_world()
    phone = ring(w, "*771", phone=agent(w, "202"))
    hears(w, phone, "en/number_unknown")
    w.run(10_000)
    assert not w.switch.room.taps and not w.all("call.recording")


def test_who_hangs_up_leaves_nothing() -> None:
    w = prompt_world()
    phone = recording(w)
    w.run(2_000)
    phone.hang_up(w.now_ms)
    w.run(3_000)
    assert len(w.removed) == 1 and not w.used
    over(w)


def test_nothing_said_is_asked_for_again() -> None:
    w = prompt_world()
    phone = spoken(w, 100)
    hears(w, phone, "en/prompt_speak")
    assert len(w.removed) == 1


def test_it_ends_at_its_longest_time() -> None:
    w = prompt_world()
    phone = recording(w)
    w.run(prompting.PROMPT_MS_MAX + 1_000)
    hears(w, phone, "en/prompt_menu")


@pytest.mark.parametrize("where", ["recording", "using"])
def test_a_disk_that_refuses_changes_nothing(where: str) -> None:
    w = prompt_world()
    if where == "recording":
        w.media.disk = "full"
    phone = spoken(w)
    if where == "using":
        hears(w, phone, "en/prompt_menu")
        w.media.disk = "full"
        w.press(phone, "1", gap_ms=100)
    hears(w, phone, "en/technical_fault en/prompt_kept")
    assert not w.all("prompt.recorded")
    over(w)


def test_answers_that_never_come_cannot_hold_him() -> None:
    w = prompt_world()
    phone = spoken(w)
    hears(w, phone, "en/prompt_menu")
    w.media.forgetful = True

    class Deaf(list):  # type: ignore[type-arg]
        def append(self, item: object) -> None:
            pass

    w.loading = Deaf()
    w.press(phone, "1", gap_ms=100)
    hears(w, phone, "en/technical_fault en/prompt_kept")
    over(w)
    w2 = prompt_world()
    phone = recording(w2)
    w2.media._end_tap = lambda number, row, now_ms: None  # type: ignore[method-assign]
    w2.run(2_000)
    w2.press(phone, "#", gap_ms=100)
    hears(w2, phone, "en/technical_fault en/prompt_kept")


def test_he_who_presses_nothing_keeps_the_old_one() -> None:
    w = prompt_world()
    phone = spoken(w)
    w.run(90_000)
    assert w.heard(phone).count("en/prompt_menu") == 3 and len(w.removed) == 1 and not w.used
    assert not w.switch.room.calls
