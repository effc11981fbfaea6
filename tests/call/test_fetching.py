"""Recordings of other people's servers in a whole Switch: fetched, heard, given back; late, never, and too many."""

from __future__ import annotations

import pytest

from engine import limits
from engine.call import own_clips
from engine.call.effects import FetchWanted, SoundDone
from engine.sim.world import World
from engine.switch import Switch
from tests.call.calls import over, ring, world
from tests.scenarios.sites import busy_site

URL = "https://news.example/today.mp3"
PLAN = f"""
ringdown: 1
flows:
  main:
    - answer
    - music: 1s
    - play_url: {{url: '{URL}?key=7', timeout: 2s, cache: 10min, failed: down}}
    - play: goodbye
    - hangup: served
  down:
    - play: technical_fault
    - hangup: down
"""
SITE = busy_site(dialplans__echo=PLAN)


class Silent(World):
    """Its runtime doesn't answer: the test does."""

    def _carry_out(self, outputs: list) -> None:  # type: ignore[type-arg]
        super()._carry_out(outputs)
        self.wanted = getattr(self, "wanted", [])
        self.wanted += [each for each in outputs if isinstance(each, FetchWanted)]
        self.loading = [each for each in self.loading if not isinstance(each, SoundDone)]


def asked(count: int = 1) -> Silent:
    w = Silent(SITE, law9=True)
    w.watched = True
    for number in range(count):
        ring(w, "9196", f"555{number:04}")
    assert w.run_until(lambda: len(w.wanted) == count, 5_000)
    return w


def test_it_is_heard_and_the_clip_is_free_again() -> None:
    w = world(SITE, law9=True)
    w.watched = True
    caller = ring(w, "9196", "5551234")
    assert w.run_until(lambda: w.hears(caller) == f"{URL}?key=7", 2_000)
    assert len(w.switch.room.own_clips) == 1
    assert w.run_until(lambda: w.hears(caller) == "en/goodbye", 6_000)
    assert w.switch.room.own_clips == {}
    assert over(w).data["outcome"] == "served"
    assert w.last("call.fetch").data == {"url": URL, "result": "ok", "ms": 0, "reason": ""}
    assert w.all("call.prompt")[1].data["clips"] == URL  # what stands behind the ? is in no record


def test_what_the_runtime_is_asked_for() -> None:
    w = asked()
    (wanted,) = w.wanted
    (call,) = w.switch.room.calls.values()
    assert not call.stays  # whatever was heard before: who hangs up now has abandoned the call
    assert wanted == FetchWanted(call.id, wanted.ticket, own_clips.FIRST, 1, f"{URL}?key=7", 2_000, 600_000)


def test_nothing_came_and_ops_see_why() -> None:
    w = asked()
    w.give(SoundDone(w.wanted[0].call, w.wanted[0].ticket, 0, "status 404", 30))
    assert over(w).data["outcome"] == "down" and w.switch.room.own_clips == {}
    assert w.last("call.fetch").data == {"url": URL, "result": "failed", "ms": 30, "reason": "status 404"}
    assert any(f"{URL} could not be played: status 404" in line.text for line in w.logs)


def test_a_runtime_that_never_answers_and_one_that_does_too_late() -> None:
    w = asked()
    began = w.now_ms
    assert w.run_until(lambda: bool(w.all("call.fetch")), 10_000)
    assert w.now_ms - began <= 2_000 + limits.lookup_grace_ms
    assert w.last("call.fetch").data["reason"] == "no answer came in time"
    w.give(SoundDone(w.wanted[0].call, w.wanted[0].ticket, 9_000, "", 5_000))
    assert over(w).data["outcome"] == "down"
    assert not any(URL in words for phone in w.phones.values() for words in w.heard(phone))
    w.give(SoundDone(w.wanted[0].call, w.wanted[0].ticket, 9_000, "", 9_000))  # the call is over
    assert w.quiet()


def test_more_calls_than_clips_go_on_by_failed() -> None:
    w = asked()
    room = w.switch.room
    room.own_clips = dict.fromkeys(range(limits.own_clips_max), next(iter(room.calls)))
    other = ring(w, "9196", "5559999")
    assert w.run_until(lambda: w.hears(other) == "en/technical_fault", 3_000)
    assert w.last("call.fetch").data["reason"] == "too many phones hear recordings already"


@pytest.mark.parametrize("answered", [False, True])
def test_a_caller_who_hangs_up_leaves_a_free_clip(answered: bool) -> None:
    w = asked()
    if answered:
        w.give(SoundDone(w.wanted[0].call, w.wanted[0].ticket, 9_000, "", 10))
        w.run(100)
    caller = next(iter(w.phones.values()))
    caller.hang_up(w.now_ms)
    w.run(2_000)
    assert w.quiet()
    ring(w, "9196", "5558888")
    assert w.run_until(lambda: len(w.wanted) == 2, 3_000)
    assert w.wanted[1].clip == own_clips.FIRST and w.wanted[1].serial == 2


def test_a_restart_in_the_middle_changes_nothing() -> None:
    w = asked()
    w.switch = Switch.decode(w.switch.encode())
    w.give(SoundDone(w.wanted[0].call, w.wanted[0].ticket, 9_000, "", 10))
    caller = next(iter(w.phones.values()))
    w.run(100)
    assert w.hears(caller) == f"{URL}?key=7"
    w.switch = Switch.decode(w.switch.encode())
    assert over(w).data["outcome"] == "served"
