"""Reasons by phone, command and API; budgets that warn and never force."""

from __future__ import annotations

import pytest

from engine.call.effects import AgentStates
from engine.call.pauses import SHIFT_BREAK_MS
from engine.records.schema import login_state
from tests.call.calls import agent, ring, world
from tests.call.lives import desk, dial, life, standing, texts
from tests.scenarios.sites import BUSY_AGENTS

MINUTE = 60_000


def test_a_reason_by_phone_code() -> None:
    w, ana = desk(life())
    dial(w, ana, "*522")
    row = w.switch.room.agents["default/201"]
    assert (row.state, row.reason) == ("not_ready", "lunch")
    assert w.last("agent.paused").data["reason"] == "lunch"
    assert dial(w, ana, "*523") == "not_ready 3"  # no such reason: he hears so and stays as he was
    assert row.reason == "lunch"
    dial(w, ana, "*53")
    assert row.state == "ready"
    dial(w, ana, "*52")
    assert (row.state, row.reason) == ("not_ready", "phone")
    assert texts(ana) == []  # what he does himself he has heard


def test_a_reason_by_command_is_a_key_or_a_name_of_the_tenants() -> None:
    w, ana = desk(life())
    assert w.operate("agent.not_ready", agent="201", reason="1").ok
    w.run(100)
    assert w.switch.room.agents["default/201"].reason == "break"
    assert texts(ana) == ["Not ready: break, by test. To be ready again dial *53."]
    before = standing(w)
    reply = w.operate("agent.not_ready", agent="201", reason="snooze")
    assert not reply.ok and "1 break, 2 lunch, 7 training" in reply.error and standing(w) == before


def test_where_a_tenant_names_no_reasons_every_word_is_one() -> None:
    w = world()
    agent(w, "201")
    assert w.operate("agent.not_ready", agent="201", reason="snooze").ok
    assert w.switch.room.agents["default/201"].reason == "snooze"


@pytest.mark.parametrize("law9", [False, True])
def test_a_budget_is_added_up_over_the_shift_warns_once_and_forces_nobody(law9: bool) -> None:
    w, ana = desk(life())
    w.law9 = law9
    for _ in range(2):
        w.operate("agent.not_ready", agent="201", reason="break")
        w.run(7 * MINUTE)
        w.operate("agent.ready", agent="201")
        w.run(MINUTE)
    w.operate("agent.logout", agent="201")
    w.run(MINUTE)
    w.operate("agent.login", agent="201")  # out and in again is the same shift
    assert not w.all("agent.over_budget")
    w.operate("agent.not_ready", agent="201", reason="break")
    w.run(MINUTE - 1_000)
    assert not w.all("agent.over_budget")
    w.run(2_000)
    (event,) = w.all("agent.over_budget")
    assert event.data["budget_ms"] == 15 * MINUTE and abs(int(str(event.data["spent_ms"])) - 15 * MINUTE) <= 100
    assert texts(ana)[-1] == "Your break is over its 15 min for this shift."
    assert w.operate("agents").data.count(b'"over_budget":true') == 1
    w.run(60 * MINUTE)
    row = w.switch.room.agents["default/201"]
    assert len(w.all("agent.over_budget")) == 1 and row.state == "not_ready" and row.over_budget
    w.operate("agent.ready", agent="201")
    assert not w.switch.room.agents["default/201"].over_budget


def test_a_new_shift_has_its_own_budget() -> None:
    w, _ = desk(life())
    w.operate("agent.not_ready", agent="201", reason="break")
    w.run(14 * MINUTE)
    w.operate("agent.logout", agent="201")
    w.run(SHIFT_BREAK_MS)
    w.operate("agent.login", agent="201")
    w.operate("agent.not_ready", agent="201", reason="break")
    w.run(14 * MINUTE)
    assert not w.all("agent.over_budget")


def test_a_budget_that_a_reload_makes_smaller_counts_at_once() -> None:
    site = life()
    w, _ = desk(site)
    w.operate("agent.not_ready", agent="201", reason="training")
    w.run(20 * MINUTE)
    from tests.call.lives import REASONS
    from tests.scenarios.sites import BUSY_SITE, busy_site

    w.load(busy_site(site=BUSY_SITE + REASONS.replace("1h per shift", "10min")))
    w.run(100)
    assert w.last("agent.over_budget").data["reason"] == "training"


def test_logins_and_reasons_are_kept_over_reload_and_restart() -> None:
    w, _ = desk(life())
    w.operate("agent.not_ready", agent="201", reason="lunch")
    w.run(5_000)
    w.load(life("20s"))
    w.run(100)
    row = w.switch.room.agents["default/201"]
    assert (row.state, row.reason) == ("not_ready", "lunch")

    fresh = world_with_states({"default/201": "not_ready:lunch", "default/202": "ready", "default/203": "logged_out"})
    rows = fresh.switch.room.agents
    assert (rows["default/201"].state, rows["default/201"].reason) == ("not_ready", "lunch")
    assert (rows["default/202"].state, rows["default/203"].state) == ("ready", "logged_out")
    fresh.run(20 * MINUTE)  # lunch has no budget
    assert not fresh.all("agent.over_budget")


def test_what_the_engine_paused_stays_paused_over_a_restart() -> None:
    w, _ = desk(life(misses=1), answer_ms=-1)
    ring(w, "700")
    assert w.run_until(lambda: w.state("201") == "not_ready", 20_000)
    paused = w.last("agent.paused")
    assert login_state(paused) == ("default/201", "not_ready:missed", paused.at_ms)
    row = world_with_states({"default/201": "not_ready:missed"}).switch.room.agents["default/201"]
    assert (row.state, row.reason) == ("not_ready", "missed")


def test_one_call_on_demand_then_not_ready_with_its_reason() -> None:
    w, ana = desk(life("0s", agents=BUSY_AGENTS.replace("201: {name: Ana,", "201: {name: Ana, on_demand: yes,")))
    caller = ring(w, "700")
    assert w.run_until(lambda: w.state("201") == "talking", 20_000)
    caller.hang_up(w.now_ms)
    w.run(500)
    assert w.last("agent.paused").data["reason"] == "on_demand" and w.state("201") == "not_ready"
    assert texts(ana) == ["Not ready: one call at a time. To be ready again dial *53."]
    ring(w, "700", "5550002")
    w.run(5_000)
    assert w.state("201") == "not_ready"
    dial(w, ana, "*53")
    assert w.run_until(lambda: w.state("201") == "talking", 20_000)


def world_with_states(states: dict[str, str]):  # type: ignore[no-untyped-def]
    from engine.sim.world import World

    class Restarted(World):
        def load(self, site):  # type: ignore[no-untyped-def]
            self.give(AgentStates(states))
            super().load(site)

    return Restarted(life())


def test_a_pause_asked_for_in_a_call_is_booked_from_its_real_beginning() -> None:
    w, _ = desk(life("0s"))
    caller = ring(w, "700")
    assert w.run_until(lambda: w.state("201") == "talking", 20_000)
    w.operate("agent.not_ready", agent="201", reason="break")
    w.run(20 * MINUTE)
    assert not w.all("agent.over_budget")
    caller.hang_up(w.now_ms)
    w.run(14 * MINUTE)
    assert w.state("201") == "not_ready" and not w.all("agent.over_budget")
    w.run(2 * MINUTE)
    assert len(w.all("agent.over_budget")) == 1
