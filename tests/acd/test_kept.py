"""The bookkeeping of kept places: lists, deadlines, holds, and what the invariants say when they are broken."""

from __future__ import annotations

import pytest

from engine.acd import events, kept
from engine.acd.tables import E_ABSENT, E_RECALLED
from tests.acd.world import Q, World, agent, queue


def world() -> World:
    """Agent 1 put aside for call 1, which is rung up; call 2's place is kept behind it."""
    made = World([queue(Q)], [agent(1)])
    made.join(1, away="customer_first")
    made.join(2, after=10)
    made.do(events.CallAway(2, "customer_first", pause_ms=5_000, wait_ms_max=60_000))
    return made


def test_the_lists_and_deadlines_of_kept_places() -> None:
    made = world()
    pool = made.pool
    assert [pool.entries.state[row] for _, _, row in pool.queues[0].absent] == [E_RECALLED, E_ABSENT]
    assert pool.queues[0].waiting == [] and len(pool.queues[0].order) == 2
    first, second = pool.calls[1], pool.calls[2]
    assert pool.entries.deadline[first] == 1 + 90_000 and pool.entries.deadline[second] == made.now + 5_000
    assert not kept.due(pool, second, made.now) and kept.due(pool, second, made.now + 5_000)
    made.wait(5_000)
    assert pool.entries.deadline[second] == made.now - 5_000 + 60_000


def test_a_pause_beyond_the_limit_is_the_limit() -> None:
    made = world()
    made.do(events.CallAway(2, "customer_first", pause_ms=999_999))
    assert made.pool.entries.deadline[made.pool.calls[2]] == made.now + 60_000


@pytest.mark.parametrize(
    ("kind", "field", "value", "rule"),
    [("agents", "held", 1, "agent_held"), ("entries", "hold", -1, "agent_held"), ("agents", "held", -1, "idle_flag")],
)
def test_a_broken_hold_is_found_and_healed(kind: str, field: str, value: int, rule: str) -> None:
    made = world()
    getattr(getattr(made.pool, kind), field)[0] = value
    assert rule in [breach.rule for breach in made.distributor.check(made.now)]
    made.distributor.settle(made.now)
    assert made.distributor.check(made.now) == []


def test_an_absent_caller_whose_turn_was_missed_is_found() -> None:
    made = World([queue(Q)], [agent(1)])
    made.join(1)
    made.do(events.CallAway(1, "customer_first", pause_ms=5_000))
    made.pool.entries.pause_until[0] = 0
    assert "idle_and_absent" in [breach.rule for breach in made.distributor.check(made.now)]


def test_a_lost_list_is_built_anew() -> None:
    made = world()
    made.pool.queues[0].absent.clear()
    assert [breach.rule for breach in made.distributor.check(made.now)] == ["derived_absent"]
    assert len(made.pool.queues[0].absent) == 2
