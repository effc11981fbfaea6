"""A caller hears that he is recorded before he is, once, and may refuse."""

from __future__ import annotations

import pytest

from engine.call.consent import WINDOW_MS
from tests.call.calls import agent, over, ring, world
from tests.call.recorded import site, states


def results(w: object) -> list[tuple[object, object]]:
    return [(e.data["who"], e.data["result"]) for e in w.all("recording.told")]  # type: ignore[attr-defined]


@pytest.mark.parametrize("law9", [False, True])
def test_he_hears_it_and_the_recording_begins_after_the_time_for_the_key(law9: bool) -> None:
    w = world(site(), law9=law9)
    caller = ring(w, "750")
    w.run(300)
    assert w.hears(caller) == "en/one_moment" and not states(w)
    w.run(WINDOW_MS)
    assert w.hears(caller) == "silence" and not states(w)
    w.run(500)
    assert states(w) == ["started"] and results(w) == [("caller", "told")]
    assert w.hears(caller) == "en/welcome"
    caller.hang_up(w.now_ms)
    over(w)


@pytest.mark.parametrize("after_ms", [200, 1_500])
def test_his_key_refuses_during_the_words_and_for_a_moment_after(after_ms: int) -> None:
    w = world(site())
    caller = ring(w, "750")
    w.run(after_ms)
    w.press(caller, "*")
    assert results(w) == [("caller", "declined")] and w.hears(caller) == "en/welcome"
    over(w)
    assert not states(w)


def test_another_key_is_no_refusal() -> None:
    w = world(site())
    caller = ring(w, "750")
    w.run(200)
    w.press(caller, "5")
    assert w.hears(caller) == "en/one_moment" and not results(w)
    w.run(WINDOW_MS + 1_000)
    assert results(w) == [("caller", "told")]


def test_who_refused_is_not_recorded_by_a_queue_either() -> None:
    w = world(site())
    ana = agent(w, "201")
    caller = ring(w, "751")
    w.run(200)
    w.press(caller, "*")
    assert w.run_until(lambda: w.hears(ana).startswith("row"), 10_000)
    ana.hang_up(w.now_ms)
    over(w)
    assert not states(w) and w.last("call.ended").data["outcome"] == "served"


def test_a_plane_that_never_tells_the_end_cannot_hold_him() -> None:
    w = world(site())
    w.media.forgetful = True
    caller = ring(w, "750")
    w.run(600 + 5_000 + 300)
    assert states(w) == ["started"] and w.hears(caller) == "en/welcome"


def test_a_caller_who_hangs_up_while_it_is_said_is_gone() -> None:
    w = world(site())
    caller = ring(w, "751")
    w.run(300)
    caller.hang_up(w.now_ms)
    assert over(w).data["outcome"] == "abandoned"
    assert not results(w) and not states(w)


def test_while_a_secret_is_keyed_the_recording_pauses_and_by_the_dialplans_word() -> None:
    w = world(site())
    caller = ring(w, "750")
    assert w.run_until(lambda: w.hears(caller) == "en/you_pressed", 10_000)
    assert states(w) == ["started", "paused"] and w.row(caller).paused
    w.run(500)
    w.press(caller, "4711#", gap_ms=20)
    assert w.hears(caller) == "en/thank_you" and states(w) == ["started", "paused", "resumed"]
    assert not w.row(caller).paused
    assert w.run_until(lambda: w.hears(caller) == "en/please_hold", 2_000)
    assert w.row(caller).paused
    over(w)
    assert states(w) == ["started", "paused", "resumed", "paused", "resumed", "complete"]
