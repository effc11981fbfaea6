"""Words that only a call knows, in a whole Switch: heard within a prompt, late, refused, dropped, and given back."""

from __future__ import annotations

import pytest

from engine.call import own_clips
from engine.call.effects import SoundDone, SpeakWanted
from engine.dialplan.voice_model import VoiceModel
from engine.sim.world import World
from engine.switch import Switch
from tests.call.calls import over, ring, world
from tests.scenarios.sites import BUSY_SITE, busy_site

PLAN = """
ringdown: 1
variables:
  who: text = Ana   Lee 12
  code: text = k2
flows:
  main:
    - answer
    - say: ${who as words} ${code as words}
    - play: goodbye
    - hangup: served
"""
SITE = busy_site(dialplans__echo=PLAN)
# the scenarios' stock has digits and no letters
NAME, CODE, SPELLED = "en/words/Ana\u00a0Lee\u00a012", ["en/digits/2"], ["en/digits/1", "en/digits/2"]


class Silent(World):
    """Its runtime doesn't answer: the test does."""

    def _carry_out(self, outputs: list) -> None:  # type: ignore[type-arg]
        super()._carry_out(outputs)
        self.wanted = getattr(self, "wanted", [])
        self.wanted += [each for each in outputs if isinstance(each, SpeakWanted)]
        self.loading = [each for each in self.loading if not isinstance(each, SoundDone)]


def asked() -> Silent:
    w = Silent(SITE, law9=True)
    w.watched = True
    ring(w, "9196", "5551234")
    assert w.run_until(lambda: bool(w.wanted), 5_000)
    return w


def done(w: Silent, detail: str = "") -> None:
    wanted = w.wanted[-1]
    w.media.names[wanted.clip], w.media.durations[wanted.clip] = NAME, 700
    w.give(SoundDone(wanted.call, wanted.ticket, 0 if detail else 700, detail, 40))


def test_they_are_heard_within_the_prompt_and_the_clip_is_free_again() -> None:
    w = world(SITE, law9=True)
    w.watched = True
    caller = ring(w, "9196", "5551234")
    assert w.run_until(lambda: w.hears(caller) == " ".join([NAME, *CODE]), 2_000)  # a second text is spelled
    assert w.run_until(lambda: w.hears(caller) == "en/goodbye", 9_000)
    assert w.switch.room.own_clips == {}
    assert over(w).data["outcome"] == "served"
    assert w.all("call.prompt")[0].data["clips"] == f"{NAME} en/words/k2"


def test_what_the_runtime_is_asked_for() -> None:
    w = asked()
    (call,) = w.switch.room.calls.values()
    (wanted,) = w.wanted
    assert wanted == SpeakWanted(call.id, wanted.ticket, own_clips.FIRST, 1, "Ana Lee 12", "en", None, 1_500, False)


@pytest.mark.parametrize("detail", ["no voice here", ""])
def test_without_them_the_rest_is_heard_in_time(detail: str) -> None:
    """Refused, or never answered: both texts are spelled, and the call goes on."""
    w = asked()
    began, caller = w.now_ms, next(iter(w.phones.values()))
    if detail:
        done(w, detail)
    assert w.run_until(lambda: w.hears(caller) == " ".join([*SPELLED, *CODE]), 5_000)
    assert w.now_ms - began <= (100 if detail else 3_000)
    assert any("words of a prompt were not spoken" in line.text and detail in line.text for line in w.logs)
    assert w.switch.room.own_clips == {}
    w.give(SoundDone(w.wanted[0].call, w.wanted[0].ticket, 700, "", 9_000))  # too late changes nothing
    assert over(w).data["outcome"] == "served"


def test_a_voice_that_says_nothing_otherwise() -> None:
    voices = "\nvoices: {en: {engine: flite, wait: 3s, otherwise: skip}}\n"
    w = Silent(busy_site(dialplans__echo=PLAN, site=BUSY_SITE + voices), law9=True)
    caller = ring(w, "9196", "5551234")
    assert w.run_until(lambda: bool(w.wanted), 5_000)
    assert w.wanted[0].voice == VoiceModel("flite", wait_ms=3_000, otherwise="skip") and w.wanted[0].wait_ms == 3_000
    done(w, "too busy")
    assert w.run_until(lambda: w.hears(caller) == "en/goodbye", 1_000)


def test_a_caller_who_hangs_up_meanwhile_is_forgotten() -> None:
    w = asked()
    next(iter(w.phones.values())).hang_up(w.now_ms)
    w.run(3_000)
    done(w)
    assert w.quiet() and not any(NAME in words for phone in w.phones.values() for words in w.heard(phone))


def test_more_calls_than_clips_hear_them_spelled() -> None:
    w = asked()
    room = w.switch.room
    room.own_clips = dict.fromkeys(range(1_000), next(iter(room.calls)))
    other = ring(w, "9196", "5559999")
    assert w.run_until(lambda: w.hears(other) == " ".join([*SPELLED, *CODE]), 3_000)
    assert len(w.wanted) == 1


def test_a_restart_in_the_middle_changes_nothing() -> None:
    w = asked()
    w.switch = Switch.decode(w.switch.encode())
    done(w)
    caller = next(iter(w.phones.values()))
    w.run(100)
    assert w.hears(caller) == " ".join([NAME, *CODE])
    w.switch = Switch.decode(w.switch.encode())
    assert over(w).data["outcome"] == "served" and w.switch.room.own_clips == {}
