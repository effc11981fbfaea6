"""Whom an agent may dial: prefixes, hours, money; and that he and his record are told."""

from __future__ import annotations

import pytest

from engine.sim.phone import Habit, Phone
from engine.sim.world import World
from tests.call.calls import agent, ring, said, told, world
from tests.call.numbered import CARRIER, NUMBERS, numbered_site
from tests.scenarios.sites import BUSY_AGENTS

CLASSES = """
rates: {'+49.': 0.05, '+4930.': 0, '+.': 1.50}
classes:
  default:
    allow: ['+49.']
    refuse: ['+49900.']
  clerk:
    hours: office
  frugal:
    spend: {day: 0.12, month: 3}
"""
AGENTS = BUSY_AGENTS.replace("202: {name: Ben,", "202: {name: Ben, class: clerk,").replace(
    "203: {name: Cho,", "203: {name: Cho, class: frugal,"
)
HOURS = "office: {open: [mon-fri 08:00-10:05]}\n"
OUT = "0x.: carrier\n9123: carrier\n"
SITE = numbered_site(outbound=OUT, site=NUMBERS + CLASSES, agents=AGENTS, calendars=HOURS)


def far_end(w: World) -> Phone:
    phone = w.phone("far", host=CARRIER, password="")
    phone.habit = Habit(answer_ms=200)
    return phone


@pytest.mark.parametrize(
    ("number", "allowed"), [("0891234567", True), ("00442071234567", False), ("09001234567", False)]
)
def test_the_longest_prefix_decides(number: str, allowed: bool) -> None:
    w = world(SITE, law9=True)
    far, ana = far_end(w), agent(w, "201", reads=True)
    ring(w, number, phone=ana)
    w.run(1_000)
    assert bool(far.up()) is allowed
    if allowed:
        assert w.state("201") == "occupied" and not w.all("dial.refused")
        return
    assert told(ana) == "rejected 403" and not said(far, "INVITE")
    assert w.last("dial.refused").data == {
        "agent": "default/201", "number": number, "service_class": "default", "why": "prefix",
    }  # fmt: skip
    assert w.last("dial.ended").data["status"] == 403
    assert any("your class default" in text for text in said(ana, "MESSAGE"))


def test_out_of_hours_nobody_dials_out_and_agents_are_rung_all_the_same() -> None:
    w = world(SITE)  # Thursday 10:10
    far, ben, ana = far_end(w), agent(w, "202"), agent(w, "201")
    ring(w, "0891234567", phone=ben)
    w.run(1_000)
    assert w.last("dial.refused").data["why"] == "hours" and not far.got
    ring(w, "201", phone=ben)
    assert w.run_until(lambda: bool(ana.up()), 3_000)


def test_begun_minutes_cost_and_spent_money_ends_it_until_the_next_day() -> None:
    w = world(SITE, law9=True)
    far, cho = far_end(w), agent(w, "203")
    for _ in range(2):
        ring(w, "0891234567", phone=cho)
        assert w.run_until(lambda: bool(far.up()), 3_000)
        w.run(61_000)
        cho.hang_up(w.now_ms)
        w.run(500)
    assert [event.data["cost"] for event in w.all("dial.cost")] == ["0.100", "0.100"]
    assert w.last("dial.cost").data["today"] == "0.200"
    ring(w, "0891234567", phone=cho)
    w.run(1_000)
    assert w.last("dial.refused").data["why"] == "day" and told(cho) == "rejected 403"
    spent = w.switch.room.spent["default/203"]
    w.run(86_400_000 // 2)
    w.run(86_400_000 // 2)
    ring(w, "0891234567", phone=cho)
    w.run(1_000)
    assert bool(far.up()) and spent.this_month == 200


def test_what_costs_nothing_is_not_counted() -> None:
    w = world(SITE)
    far, cho = far_end(w), agent(w, "203")
    ring(w, "0301234567", phone=cho)
    assert w.run_until(lambda: bool(far.up()), 3_000)
    cho.hang_up(w.now_ms)
    w.run(500)
    assert not w.all("dial.cost")


def test_a_transfer_outside_is_his_call_too() -> None:
    w = world(SITE)
    far, ana = far_end(w), agent(w, "201")
    caller = ring(w, "700")
    assert w.run_until(lambda: bool(ana.up()), 20_000)
    w.run(200)
    ana.refer(ana.up()[0], "00442071234567", w.now_ms)
    w.run(1_000)
    assert w.last("dial.refused").data["why"] == "prefix" and not said(far, "INVITE")
    caller.hang_up(w.now_ms)


def test_a_dialplan_dials_on_the_sites_account() -> None:
    plan = "ringdown: 1\nlanguages: [en]\nflows:\n  main:\n    - dial: {to: '00442071234567', failed: bye}\n"
    plan += "    - hangup: served\n  bye: [hangup: failed]\n"
    w = world(numbered_site(
        outbound=OUT, site=NUMBERS + "  '300': {dialplan: abroad}\n" + CLASSES, agents=AGENTS, calendars=HOURS,
        dialplans__abroad=plan,
    ))  # fmt: skip
    far, ana = far_end(w), agent(w, "201")
    ring(w, "300", phone=ana)
    assert w.run_until(lambda: bool(far.up()), 3_000)
