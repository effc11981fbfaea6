"""Limits against toll fraud: the five counts, whose they are, when they hold, and what never falls under them."""

from __future__ import annotations

import msgspec
import pytest

from engine.call import fraud
from engine.dialplan.fraud_model import FraudRule, Threshold
from engine.dialplan.model import Site
from engine.sim.phone import Habit, Phone
from engine.sim.world import World
from tests.call.calls import agent, ring, told, world
from tests.call.carriers import A, B, gateway, invites
from tests.call.carriers import site as carriers
from tests.call.numbered import CARRIER, NUMBERS, numbered_site
from tests.scenarios.sites import BUSY_AGENTS

HOURS = "office: {open: [mon-fri 08:00-10:05]}\n"
SITE = numbered_site(outbound="0x.: carrier\n9123: carrier\n", site=NUMBERS, agents=BUSY_AGENTS, calendars=HOURS)
NUMBER = "0891234567"


def site(**fields: object) -> Site:
    """With one rule over all numbers."""
    rule = msgspec.structs.replace(FraudRule("all", ("+.",)), **fields)
    return msgspec.structs.replace(SITE, fraud=(rule,))


def far_end(w: World) -> Phone:
    phone = w.phone("far", host=CARRIER, password="")
    phone.habit = Habit(answer_ms=200)
    return phone


def dial(w: World, phone: Phone, number: str = NUMBER, *, talk_ms: int = 1_000) -> bool:
    """Call, and hang up after a while. True when it was answered."""
    ring(w, number, phone=phone)
    w.run(talk_ms)
    answered = bool(phone.up())
    phone.hang_up(w.now_ms)
    w.run(500)
    return answered


@pytest.mark.parametrize(
    ("fields", "limit"),
    [
        ({"per_minute": Threshold(2, 3)}, "calls_per_minute"), ({"in_a_row": Threshold(2, 3)}, "calls_in_a_row"),
        ({"total": Threshold(2, 3)}, "calls_total"),
    ],
)  # fmt: skip
def test_so_many_calls_are_allowed_then_told_of_then_refused(fields: dict[str, Threshold], limit: str) -> None:
    w = world(site(**fields), law9=True)
    far, ana = far_end(w), agent(w, "201")
    assert dial(w, ana) and not w.all("fraud.warned")
    assert dial(w, ana) and w.last("fraud.warned").data == {
        "rule": "all", "caller": "default/201", "number": "+49891234567", "trunk": "carrier", "limit": limit,
        "count": 2, "most": 2,
    }  # fmt: skip
    assert dial(w, ana) and len(w.all("fraud.warned")) == 1
    heard = len(far.got)
    assert not dial(w, ana) and told(ana) == "rejected 403" and len(far.got) == heard
    stopped = w.last("fraud.stopped").data
    assert (stopped["limit"], stopped["count"], stopped["most"]) == (limit, 4, 3)
    assert w.last("dial.ended").data["result"] == "rejected"
    assert any("fraud rule all" in line.text for line in w.logs)


def test_a_minute_and_a_window_pass_and_another_number_ends_a_row() -> None:
    w = world(site(per_minute=Threshold(0, 2), in_a_row=Threshold(0, 3), total=Threshold(0, 5), window_ms=600_000))
    far_end(w)
    ana = agent(w, "201")
    assert [dial(w, ana) for _ in range(3)] == [True, True, False]
    w.run(60_000)
    assert [dial(w, ana) for _ in range(2)] == [True, False]  # the fourth in a row
    assert dial(w, ana, "0307654321")
    w.run(60_000)
    assert [dial(w, ana) for _ in range(2)] == [True, False]  # the sixth in ten minutes
    w.run(600_000)
    assert dial(w, ana)


def test_calls_at_once_are_counted_over_whoever_shares_the_account() -> None:
    w = world(site(at_once=Threshold(0, 1), per="tenant"), law9=True)
    far_end(w)
    ana, ben = agent(w, "201"), agent(w, "202")
    ring(w, NUMBER, phone=ana)
    w.run(1_000)
    assert ana.up() and not dial(w, ben)
    ana.hang_up(w.now_ms)
    w.run(500)
    assert dial(w, ben)
    assert all(not row["at_once"] for row in fraud.rows(w.switch.room))


def test_one_caller_doesnt_pay_for_another() -> None:
    w = world(site(total=Threshold(0, 1)))
    far_end(w)
    ana, ben = agent(w, "201"), agent(w, "202")
    assert dial(w, ana) and not dial(w, ana) and dial(w, ben)


def test_a_call_that_lasts_too_long_is_told_of_and_ends() -> None:
    w = world(site(ms=Threshold(20_000, 60_000)), law9=True)
    far, ana = far_end(w), agent(w, "201")
    ring(w, NUMBER, phone=ana)
    w.run(19_000)
    assert ana.up() and not w.all("fraud.warned")
    w.run(7_000)
    assert ana.up() and w.last("fraud.warned").data["limit"] == "call_duration" and len(w.all("fraud.warned")) == 1
    w.run(36_000)
    assert not ana.up() and not far.up()
    stopped = w.last("fraud.stopped").data
    assert (stopped["limit"], stopped["most"]) == ("call_duration", 60) and 60 <= stopped["count"] <= 61
    assert len(w.all("fraud.warned")) == 1


@pytest.mark.parametrize(
    ("fields", "meant"),
    [
        ({"to": ("+4989.",)}, True), ({"to": ("+4930.",)}, False), ({"trunks": ("carrier",)}, True),
        ({"trunks": ("other",)}, False), ({"tenants": ("chess",)}, False), ({"during": "default/office"}, False),
        ({"outside": "default/office"}, True),  # Thursday 10:10
    ],
)  # fmt: skip
def test_number_trunk_tenant_and_hour_say_what_a_rule_is_for(fields: dict[str, object], meant: bool) -> None:
    w = world(site(total=Threshold(0, 1), **fields))
    far_end(w)
    ana = agent(w, "201")
    assert dial(w, ana) and dial(w, ana) is not meant


def test_a_call_that_goes_on_to_another_trunk_is_one_call_and_a_trunks_rule_leaves_the_others() -> None:
    rule = FraudRule("all", ("+.",), total=Threshold(0, 2))
    w = world(msgspec.structs.replace(carriers(), fraud=(rule,)))
    down, up, ana = gateway(w, A, status=503, answer_ms=50), gateway(w, B, answer_ms=100), agent(w, "201")
    assert dial(w, ana, "84455") and dial(w, ana, "84455") and not dial(w, ana, "84455")
    assert len(invites(down)) == len(invites(up)) == 2
    only_a = msgspec.structs.replace(rule, trunks=("a",), total=Threshold(0, 1))
    w = world(msgspec.structs.replace(carriers(), fraud=(only_a,)))
    one, other, ana = gateway(w, A, answer_ms=100), gateway(w, B, answer_ms=100), agent(w, "201")
    assert dial(w, ana, "84455") and dial(w, ana, "84455")
    assert (len(invites(one)), len(invites(other))) == (1, 1)


def test_what_is_counted_is_bounded_listed_and_forgotten_on_demand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.limits.fraud_callers_max", 1)
    w = world(site(total=Threshold(0, 1)))
    far_end(w)
    ana, ben = agent(w, "201"), agent(w, "202")
    assert dial(w, ana) and dial(w, ben) and len(w.switch.room.fraud) == 1
    (row,) = fraud.rows(w.switch.room)
    assert (row["rule"], row["caller"], row["total"], row["number"]) == ("all", "default/202", 1, "+49891234567")
    assert not dial(w, ben) and fraud.reset(w.switch.room, "default/202") == 1 and dial(w, ben)
    assert fraud.reset(w.switch.room, "nobody") == 0


def test_a_flood_is_told_of_once_a_window_and_its_refusals_are_counted() -> None:
    w = world(site(total=Threshold(0, 1), window_ms=60_000))
    far_end(w)
    ana = agent(w, "201")
    assert dial(w, ana) and [dial(w, ana) for _ in range(4)] == [False] * 4
    assert len(w.all("fraud.stopped")) == 1 and fraud.rows(w.switch.room)[0]["refused"] == 4
    assert len([line for line in w.logs if "refused" in line.text]) == 1
    w.run(61_000)
    assert dial(w, ana) and not dial(w, ana) and len(w.all("fraud.stopped")) == 2
    assert fraud.reset(w.switch.room, "all") == 1 and dial(w, ana) and not dial(w, ana)
    assert len(w.all("fraud.stopped")) == 3


def test_a_row_ages_with_its_window() -> None:
    w = world(site(in_a_row=Threshold(0, 2), window_ms=600_000))
    far_end(w)
    ana = agent(w, "201")
    assert [dial(w, ana) for _ in range(3)] == [True, True, False]
    w.run(540_000)
    assert not dial(w, ana)
    w.run(60_000)
    assert [dial(w, ana) for _ in range(3)] == [True, True, False]


def test_callers_long_gone_are_forgotten_and_those_on_the_line_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.limits.fraud_callers_max", 2)
    w = world(site(at_once=Threshold(0, 1), window_ms=60_000), law9=True)
    far_end(w)
    ana, ben, cho = agent(w, "201"), agent(w, "202"), agent(w, "203")
    ring(w, NUMBER, phone=ana)
    w.run(1_000)
    assert ana.up() and dial(w, ben) and dial(w, cho)
    assert [row["caller"] for row in fraud.rows(w.switch.room)] == ["default/201", "default/203"]
    w.run(180_000)
    (row,) = fraud.rows(w.switch.room)
    assert row["caller"] == "default/201" and row["at_once"] == 1
    ana.hang_up(w.now_ms)
    w.run(180_000)
    assert not w.switch.room.fraud and w.switch.room.deadlines.at(fraud.FORGET) is None
