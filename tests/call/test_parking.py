"""Parked by code or by the dialplan, picked up by code, taken back, and who leaves meanwhile."""

from __future__ import annotations

import pytest

from engine.sim.phone import Habit
from tests.call.calls import agent, over, ring, talk, world
from tests.call.people import site


def parked(w: object) -> list[tuple[object, object]]:
    return [(e.data["slot"], e.data["state"]) for e in w.all("call.parked")]  # type: ignore[attr-defined]


@pytest.mark.parametrize("law9", [False, True])
def test_an_agent_parks_hears_the_slot_and_another_picks_up(law9: bool) -> None:
    w = world(site(), law9=law9)
    caller, ana = talk(w)
    ben = agent(w, "202", login=False)
    w.press(ana, "*8", gap_ms=50)
    assert w.hears(caller) == "music/default" and w.hears(ana) == "en/digits/7 en/digits/1 en/digits/7 en/digits/1"
    assert w.state("201") == "wrap_up"
    assert w.run_until(lambda: not ana.up(), 3_000)
    ring(w, "*871", phone=ben)
    assert w.run_until(lambda: w.hears(ben).startswith("row"), 3_000)
    assert w.hears(caller).startswith("row") and parked(w) == [("71", "parked"), ("71", "picked")]
    ben.hang_up(w.now_ms)
    ended = over(w)
    assert ended.data["outcome"] == "served" and "parked in 71" in str(ended.data["path"])


def test_nobody_picks_up_so_whoever_parked_is_rung_until_he_answers() -> None:
    w = world(site())
    caller, ana = talk(w)
    w.press(ana, "*8", gap_ms=50)
    assert w.run_until(lambda: not ana.up(), 3_000)
    ana.habit = Habit(answer_ms=-1)
    w.run(60_000 + 25_000)
    assert w.hears(caller) == "music/default" and parked(w) == [("71", "parked")]
    ana.habit = Habit(answer_ms=300)
    assert w.run_until(lambda: w.hears(ana).startswith("row"), 70_000)
    assert parked(w)[-1] == ("71", "returned")
    caller.hang_up(w.now_ms)
    over(w)


def test_who_dials_while_the_parker_rings_has_the_caller() -> None:
    w = world(site())
    caller, ana = talk(w)
    ben = agent(w, "202", login=False)
    w.press(ana, "*8", gap_ms=50)
    assert w.run_until(lambda: not ana.up(), 3_000)
    ana.habit = Habit(answer_ms=-1)
    assert w.run_until(lambda: bool(ana.sessions), 65_000)
    ring(w, "*871", phone=ben)
    assert w.run_until(lambda: w.hears(ben).startswith("row"), 3_000)
    w.run(300)
    assert not ana.sessions and w.hears(caller).startswith("row")
    ben.hang_up(w.now_ms)
    over(w)


def test_an_empty_slot_says_so_and_no_slot_left_lets_them_talk_on() -> None:
    w = world(site())
    ben = agent(w, "202", login=False)
    ring(w, "*872", phone=ben)
    assert w.run_until(lambda: w.hears(ben) == "en/not_available", 3_000)
    w.run(3_000)
    one, two = ring(w, "765", "5550001"), ring(w, "765", "5550002")
    w.run(500)
    caller, ana = talk(w)
    w.press(ana, "*8", gap_ms=50)
    assert w.hears(ana).startswith("row") and w.hears(caller).startswith("row")
    assert [slot for slot, _ in parked(w)] == ["71", "72"]
    three = ring(w, "765", "5550003")
    w.run(500)
    assert w.hears(three) == "en/not_available"
    for phone in (one, two, caller):
        phone.hang_up(w.now_ms)
    over(w)


@pytest.mark.parametrize("law9", [False, True])
def test_the_dialplan_parks_and_goes_on_when_whoever_picked_up_has_hung_up(law9: bool) -> None:
    w = world(site(), law9=law9)
    ben = agent(w, "202", login=False)
    caller = ring(w, "765")
    w.run(500)
    assert w.hears(caller) == "music/default"
    ring(w, "*871", phone=ben)
    assert w.run_until(lambda: w.hears(ben).startswith("row"), 3_000)
    ben.hang_up(w.now_ms)
    w.run(100)
    assert w.hears(caller) == "en/thank_you"
    over(w)


def test_the_dialplan_takes_him_back_when_nobody_comes() -> None:
    w = world(site())
    caller = ring(w, "765")
    assert w.run_until(lambda: w.hears(caller) == "en/goodbye", 31_000)
    assert parked(w) == [("71", "parked"), ("71", "timeout")]
    over(w)


def test_a_parked_caller_who_hangs_up_frees_his_slot() -> None:
    w = world(site())
    caller = ring(w, "765")
    w.run(500)
    caller.hang_up(w.now_ms)
    over(w)
    ring(w, "765")
    w.run(500)
    assert parked(w)[-1] == ("71", "parked")


def test_an_operator_may_send_him_on() -> None:
    w = world(site())
    ana = agent(w, "201")
    caller = ring(w, "765")
    w.run(500)
    assert w.operate("call.transfer", call="last", to="201").ok
    assert w.run_until(lambda: w.hears(caller).startswith("row"), 5_000)
    assert parked(w)[-1] == ("71", "moved")
    ana.hang_up(w.now_ms)
    over(w)
