"""Staffing by simulation: Erlang's answer where Erlang has one, and the smallest groups where he has none."""

from __future__ import annotations

import msgspec
import pytest

from engine import limits
from engine.acd import forecast
from engine.errors import LimitExceeded, LocalError
from engine.sim import staffing
from engine.sim.scenario import CONSTANT, EXPONENTIAL, AgentPlan, Law, QueuePlan, Scenario, Source

ONE = Scenario(
    (QueuePlan("q"),), (AgentPlan("a", 9, ((0, 1),)),),
    (Source(0, 100 / 1_800_000, talk=Law(EXPONENTIAL, 180_000)),), calls=60_000, warm_up_calls=3_000,
)  # fmt: skip


@pytest.mark.parametrize("share", [0.85, 0.70])
def test_one_skill_needs_what_erlang_c_says(share: float) -> None:
    """100 calls in half an hour of three minutes each; targets between the levels of two numbers of agents."""
    load = forecast.Load(100 / 1_800, 180)
    needed = forecast.agents_needed(load, forecast.Target(share, 20))
    levels = [forecast.figures(load, agents, 20).service_level for agents in (needed - 1, needed)]
    assert levels[0] < share - 0.03 and levels[1] > share + 0.03, "far enough from both to be sure"
    plan = staffing.fewest(ONE, share)
    assert plan.counts == (needed,)
    figure = plan.figures["q"]["service_level"]
    assert figure["mean"] is not None and abs(figure["mean"] - levels[1]) < 0.03


def small(calls: int = 1_500) -> Scenario:
    """Two kinds of callers; specialists of each, and generalists."""
    groups = (
        AgentPlan("en", 6, ((0, 1),), ((0, 1),)),
        AgentPlan("fr", 6, ((0, 1),), ((1, 1),)),
        AgentPlan("both", 6, ((0, 2),), ((0, 1), (1, 1))),
    )
    sources = tuple(
        Source(0, 1 / 30_000, needs=((skill, 1),), talk=Law(EXPONENTIAL, 60_000), patience=Law(EXPONENTIAL, 120_000))
        for skill in (0, 1)
    )
    return Scenario((QueuePlan("q"),), groups, sources, skills=("en", "fr"), calls=calls)


def test_no_group_can_do_with_one_fewer() -> None:
    scenario = small()
    plan = staffing.fewest(scenario, 0.8, engine="distributor")
    assert sum(plan.counts) < 18
    search = staffing._Search(scenario, 0.8, "distributor")
    assert search.holds(plan.counts)
    for group, count in enumerate(plan.counts):
        if count:
            fewer = tuple(each - (number == group) for number, each in enumerate(plan.counts))
            assert not search.holds(fewer), (group, plan.counts)


def test_too_few_at_first_are_doubled_until_it_holds() -> None:
    groups = tuple(msgspec.structs.replace(group, count=1) for group in small().agents)
    plan = staffing.fewest(msgspec.structs.replace(small(), agents=groups), 0.8, engine="distributor")
    assert sum(plan.counts) > 3 and plan.trials < 20


def test_too_short_to_say_and_out_of_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "agents_max", 80)
    with pytest.raises(LocalError, match="simulate more calls"):
        staffing.fewest(small(60), 0.8, engine="distributor")
    ring = Law(CONSTANT, 21_000)
    never = msgspec.structs.replace(small(), queues=(QueuePlan("q", ring=ring, wait_ms_max=1_000),), calls=200)
    with pytest.raises(LimitExceeded):
        staffing.fewest(never, 0.8, engine="distributor")
