"""Lookups in a whole engine: answered, too late, never; what the records and the journal hold of them."""

from __future__ import annotations

import msgspec
import pytest

from engine import limits
from engine.call.effects import LookupDone
from engine.sim.world import World
from tests.call.calls import over, ring, world
from tests.scenarios.sites import busy_site

LOOKUPS = """
customer:
  get: https://crm.example/of/$access.caller
  returns: {tier: choice standard vip = standard, balance: number sensitive = 0}
"""
PLAN = """
ringdown: 1
flows:
  main:
    - answer
    - lookup: {name: customer, failed: down}
    - say: $customer.balance
    - hangup: served
  down:
    - play: goodbye
    - hangup: down
"""
SITE = busy_site(dialplans__echo=PLAN, lookups=LOOKUPS)


@pytest.fixture
def asked() -> World:
    w = world(SITE, law9=True)
    ring(w, "9196", "5551234")
    assert w.run_until(lambda: bool(w.asked), 2_000)
    return w


def done(w: World, result: str = "ok", **values: int) -> LookupDone:
    whole = {f"customer.{name}": value for name, value in values.items()}
    return LookupDone(w.asked[0].call, w.asked[0].ticket, result, whole, "" if result == "ok" else "status 500", 30)


def test_an_answer_is_spoken_and_named_nowhere(asked: World) -> None:
    w = asked
    (wanted,) = w.asked
    assert wanted.model.name == "customer" and wanted.values == {"access.caller": "5551234"}
    answer = done(w, balance=17)
    (call,) = w.switch.room.calls.values()
    assert wanted.name == call.name and w.switch.seal_for(answer) == f"call {call.name}"
    w.give(answer)
    w.run(100)
    assert w.hears(next(iter(w.phones.values()))) == "en/numbers/17"
    assert over(w).data["outcome"] == "served"
    assert w.last("call.lookup").data == {"lookup": "customer", "result": "ok", "ms": 30, "reason": ""}
    assert [event.data["clips"] for event in w.all("call.prompt")] == ["·"]
    assert "17" not in str([event.data for event in w.all("call.gathered")])


def test_a_failure_is_told_to_the_operators(asked: World) -> None:
    asked.give(done(asked, "failed"))
    asked.run(100)
    assert asked.last("call.lookup").data["reason"] == "status 500"
    assert [line.level for line in asked.logs if "the lookup customer failed: status 500" in line.text] == ["warning"]
    assert over(asked).data["outcome"] == "down"


def test_a_runtime_that_never_answers_costs_three_seconds(asked: World) -> None:
    began = asked.now_ms
    assert asked.run_until(lambda: bool(asked.all("call.lookup")), 10_000)
    assert asked.now_ms - began == limits.lookup_ms_default + limits.lookup_grace_ms
    asked.give(done(asked, balance=1))
    assert over(asked).data["outcome"] == "down"


def test_an_answer_for_a_call_that_is_gone_is_dropped_and_sealed(asked: World) -> None:
    answer = done(asked, balance=17)
    next(iter(asked.phones.values())).hang_up(asked.now_ms)
    over(asked)
    assert asked.switch.seal_for(answer) == "secrets" and asked.give(answer) == []
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(answer), type=LookupDone) == answer
