"""Break the columns on purpose: each breach is named, healed, and nobody is stuck afterwards."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.acd.commands import CancelOffer
from engine.acd.invariants import LATE_EXPIRE_MS
from engine.acd.tables import ALERTING, E_ALERTING, E_CONNECTED, NOT_READY, READY, RESTING, TALKING
from tests.acd.test_machine import assert_sound
from tests.acd.world import World, agent, queue


def busy() -> World:
    """Agent rows: 0 talking (call 10), 1 and 2 alerting (call 11, ring-all), 3 not ready; call 12 waits."""
    world = World(
        [queue(1, wrap_up_ms=1_000), queue(2, strategy="ring-all")],
        [agent(1, 1), agent(2, 2), agent(3, 2), agent(4, 1, 2)],
    )
    from engine.acd import events

    world.do(events.AgentNotReady(4))
    world.talk(10, 1)
    world.join(11, 2)
    world.join(12, 1)
    return world


def set_cell(kind: str, field: str, row: int, value: int) -> Callable[[World], None]:
    def run(world: World) -> None:
        getattr(getattr(world.pool, kind), field)[row] = value

    return run


def forget_call(world: World) -> None:
    del world.pool.calls[12]


def shuffle_order(world: World) -> None:
    world.pool.queues[0].order.append((0, 0, 0))


def wrong_idle_list(world: World) -> None:
    world.pool.queues[1].idle.append(0)


BREAKS: dict[str, tuple[Callable[[World], None], str]] = {
    "alerting without offer": (set_cell("agents", "offer", 1, -1), "offer_alone"),
    "alerting agent is ready": (set_cell("agents", "state", 1, READY), "idle_flag"),
    "talking to nobody": (set_cell("agents", "entry", 0, -1), "connected_alone"),
    "talking agent rests": (set_cell("agents", "state", 0, RESTING), "connected_alone"),
    "ready agent talks": (set_cell("agents", "state", 3, TALKING), "agent_alone"),
    "ready agent alerts": (set_cell("agents", "state", 3, ALERTING), "agent_alone"),
    "agent without deadline": (set_cell("agents", "deadline", 0, 0), "agent_deadline"),
    "pause with deadline": (set_cell("agents", "deadline", 3, 99), "agent_deadline"),
    "caller without deadline": (set_cell("entries", "deadline", 2, 0), "entry_deadline"),
    "offer without deadline": (set_cell("offers", "deadline", 1, 0), "offer_deadline"),
    "connected with nobody": (set_cell("entries", "agent", 0, -1), "connected_alone"),
    "connected to another's agent": (set_cell("entries", "agent", 0, 1), "connected_alone"),
    "waiting is alerting": (set_cell("entries", "state", 2, E_ALERTING), "alerting_alone"),
    "waiting is connected": (set_cell("entries", "state", 2, E_CONNECTED), "connected_alone"),
    "count of ringing": (set_cell("entries", "ringing", 1, 7), "offer_links"),
    "circle of offers": (set_cell("offers", "next", 1, 1), "offer_links"),
    "lost list of offers": (set_cell("entries", "first", 1, -1), "offer_links"),
    "idle flag": (set_cell("agents", "idle", 3, 1), "idle_flag"),
    "forgotten call": (forget_call, "derived_calls"),
    "order": (shuffle_order, "derived_order"),
    "idle list": (wrong_idle_list, "derived_idle"),
}


@pytest.mark.parametrize("name", list(BREAKS))
def test_each_breach_is_found_and_healed(name: str) -> None:
    damage, rule = BREAKS[name]
    world = busy()
    assert world.distributor.check(world.now) == []
    damage(world)
    found = [breach.rule for breach in world.distributor.check(world.now)]
    assert rule in found, found
    world.distributor.settle(world.now)
    assert [b for b in world.distributor.check(world.now) if not b.rule.endswith("_overdue")] == []
    assert_sound(world.distributor)
    for _ in range(200):  # silence until the last deadline: nobody stays
        at = world.distributor.next_deadline()
        if at is None:
            break
        world.now = max(world.now, at)
        world.distributor.expire(world.now)
        world.distributor.settle(world.now)
    assert world.pool.calls == {}
    assert all(world.pool.agents.state[row] in (READY, NOT_READY) for row in range(4))


def test_a_phone_that_rings_for_nobody_is_stopped() -> None:
    world = busy()
    world.pool.agents.state[1] = NOT_READY
    world.pool.agents.wish[1] = NOT_READY
    world.distributor.check(world.now)
    assert [c.agent for c in world.distributor.settle(world.now) if isinstance(c, CancelOffer)] == [2]


def test_a_sum_that_does_not_add_up_is_told() -> None:
    world = busy()
    world.pool.queues[0].tally.offered += 1
    assert [breach.rule for breach in world.distributor.check(world.now)] == ["tally"]
    assert world.distributor.check(world.now) == []


def test_an_idle_agent_beside_a_waiting_caller_is_told_and_settled() -> None:
    world = busy()
    pool = world.pool
    pool.agents.state[3] = pool.agents.wish[3] = READY
    pool.set_idle(3, 1)
    pool.touched.clear()
    for line in pool.queues:
        line.touched = False
    assert [breach.rule for breach in world.distributor.check(world.now)] == ["idle_and_waiting"]
    assert [type(c).__name__ for c in world.distributor.settle(world.now)] == ["Offer", "AgentChanged"]


def test_a_lost_alarm_is_armed_again() -> None:
    world = busy()
    world.pool.heap.words.clear()
    world.now += 30_000 + LATE_EXPIRE_MS
    assert world.distributor.next_deadline() is None
    rules = {breach.rule for breach in world.distributor.check(world.now)}
    assert rules == {"agent_overdue", "entry_overdue", "offer_overdue"}
    assert world.distributor.next_deadline() is not None
    world.distributor.expire(world.now)
    assert world.state(2) == "resting"
