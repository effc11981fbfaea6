"""Whisper, announcement and beep before two are put through; who leaves meanwhile; what an old key means."""

from __future__ import annotations

import pytest

from engine.sim.phone import Habit, Phone
from engine.sim.world import World
from tests.call.calls import agent, over, ring, world
from tests.call.recorded import site, states
from tests.call.test_consent import results

CARRIER = "192.0.2.1"


def carrier(w: World, **habit: object) -> Phone:
    phone = w.phone("carrier", host=CARRIER, password="")
    phone.habit = Habit(**habit)  # type: ignore[arg-type]
    return phone


@pytest.mark.parametrize("law9", [False, True])
def test_whisper_then_the_beep_for_both_then_they_talk_and_are_recorded(law9: bool) -> None:
    w = world(site(), law9=law9)
    ana = agent(w, "201")
    caller = ring(w, "751")
    assert w.run_until(lambda: w.hears(ana) == "en/agent_ready", 10_000)
    assert w.hears(caller) == "music/default" and not states(w)
    assert w.run_until(lambda: w.hears(ana) == "tone/beep", 2_000)
    assert w.hears(caller) == "tone/beep" and not states(w)
    assert w.run_until(lambda: w.hears(ana).startswith("row"), 2_000)
    assert states(w) == ["started"] and w.hears(caller).startswith("row")
    ana.hang_up(w.now_ms)
    over(w)
    assert states(w) == ["started", "complete"]


def test_who_overflows_into_a_recorded_queue_hears_it_before_he_is_put_through() -> None:
    w = world(site())
    ana = agent(w, "201")
    caller = ring(w, "752")
    assert w.run_until(lambda: bool(ana.up()), 15_000)
    w.run(100)
    assert w.hears(caller) == "en/one_moment" and w.hears(ana) == "silence"
    w.run(1_000)
    w.press(caller, "*")
    assert w.run_until(lambda: w.hears(ana).startswith("row"), 2_000)
    assert results(w) == [("caller", "declined")] and not states(w)


def test_whom_we_call_hears_his_own_words_and_may_refuse() -> None:
    w = world(site())
    line = carrier(w, answer_ms=1_000)
    caller = ring(w, "753")
    assert w.run_until(lambda: w.hears(line) == "en/try_again", 10_000)
    assert w.hears(caller) == "tone/ringback.gb" and results(w) == [("caller", "told")]
    w.press(line, "9")
    assert w.run_until(lambda: w.hears(caller).startswith("row"), 1_000)
    assert results(w)[1][1] == "declined" and not states(w)
    line.hang_up(w.now_ms)
    w.run(300)
    assert w.hears(caller) == "en/thank_you"
    over(w)


def test_a_caller_who_was_not_answered_yet_is_told_when_the_other_picks_up() -> None:
    w = world(site())
    line = carrier(w, answer_ms=1_000)
    caller = ring(w, "754")
    assert w.run_until(lambda: bool(line.up()), 5_000)
    w.run(50)
    assert caller.up() and w.hears(caller) == "en/one_moment" and w.hears(line) == "en/try_again"
    assert w.run_until(lambda: w.hears(line).startswith("row"), 5_000)
    assert states(w) == ["started"] and [each for _, each in results(w)] == ["told", "told"]


@pytest.mark.parametrize("who", ["caller", "callee"])
def test_who_hangs_up_meanwhile_frees_the_other(who: str) -> None:
    w = world(site())
    line = carrier(w, answer_ms=1_000)
    caller = ring(w, "753")
    assert w.run_until(lambda: w.hears(line) == "en/try_again", 10_000)
    (caller if who == "caller" else line).hang_up(w.now_ms)
    w.run(200)
    assert w.hears(caller if who == "callee" else line) in ("en/thank_you", "nothing")
    over(w)
    assert not states(w)


def test_a_plane_that_forgets_the_end_cannot_hold_them_apart() -> None:
    w = world(site())
    w.media.forgetful = True
    line = carrier(w, answer_ms=1_000)
    caller = ring(w, "754")
    w.run(1_000 + 600 + 15_000)
    assert w.hears(caller).startswith("row") and w.hears(line).startswith("row") and states(w) == ["started"]


def test_an_agents_own_call_to_the_outside_is_recorded_when_the_site_says_so() -> None:
    w = world(site())
    line = carrier(w, answer_ms=500)
    ana = agent(w, "201")
    ring(w, "9555", phone=ana)
    assert w.run_until(lambda: w.hears(line) == "en/try_again", 5_000)
    assert w.run_until(lambda: w.hears(line).startswith("row"), 5_000)
    assert states(w) == ["started"]
    line.hang_up(w.now_ms)
    over(w)


def test_when_the_one_who_dialled_transfers_the_recording_goes_on_with_those_who_stay() -> None:
    w = world(site())
    line = carrier(w, answer_ms=500)
    ana, ben = agent(w, "201"), agent(w, "202")
    ring(w, "9555", phone=ana)
    assert w.run_until(lambda: w.hears(line).startswith("row"), 8_000)
    w.press(ana, "*1202#")
    assert w.run_until(lambda: w.hears(ben).startswith("row"), 8_000)
    assert states(w).count("started") == 2
    line.hang_up(w.now_ms)
    over(w)
    names = list(dict.fromkeys(str(e.data["name"]) for e in w.all("call.recording")))
    (call,) = {e.call for e in w.all("call.recording")}
    assert len(names) == 2 and all(call in name for name in names) and states(w).count("complete") == 2


@pytest.mark.parametrize("law9", [False, True])
def test_follow_me_asks_for_the_key_whispers_and_puts_through(law9: bool) -> None:
    from tests.call import people

    w = world(people.site(), law9=law9)
    agent(w, "201", answer_ms=-1)
    line = carrier(w, answer_ms=1_000)
    caller = ring(w, "764")
    assert w.run_until(lambda: w.hears(line) == "en/try_again", 10_000)
    assert w.hears(caller) == "tone/ringback.gb"
    w.press(line, "1", gap_ms=20)
    assert w.hears(line) == "en/one_moment" and w.hears(caller) == "tone/ringback.gb"
    assert w.run_until(lambda: w.hears(caller).startswith("row"), 2_000)
    line.hang_up(w.now_ms)
    w.run(100)
    assert w.hears(caller) == "en/thank_you"
    over(w)


@pytest.mark.parametrize("key", ["", "5"])
def test_who_does_not_take_it_by_the_key_is_no_answer(key: str) -> None:
    from tests.call import people

    w = world(people.site())
    agent(w, "201", answer_ms=-1)
    line = carrier(w, answer_ms=1_000)
    caller = ring(w, "764")
    assert w.run_until(lambda: w.hears(line) == "en/try_again", 10_000)
    w.press(line, key)
    assert w.run_until(lambda: w.hears(caller) == "en/goodbye", 12_000)
    w.run(100)
    assert not line.up()
    over(w)
