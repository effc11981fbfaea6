"""The last ready agents are kept: the bound in a busy hour, both forms, ring-all, and what ends it."""

from __future__ import annotations

from random import Random

import pytest

from engine.acd import events
from engine.acd.policy import NAMES
from tests.acd.floor import Floor
from tests.acd.world import Q, R, World, agent, offers, queue

VIP = 77
MINUTE = 60_000


def classed(**more: object) -> World:
    return World([queue(reserve=((-1, VIP, 2),), **more)], [agent(number) for number in (1, 2, 3, 4)])


@pytest.mark.parametrize("strategy", NAMES)
@pytest.mark.parametrize("kernels", ["python", "numba"])
def test_the_last_two_are_kept_whatever_the_strategy(
    strategy: str, kernels: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.acd.policy.KERNEL_FROM", 1)
    world = World(
        [queue(strategy=strategy, reserve=((-1, VIP, 2),))], [agent(n) for n in (1, 2, 3, 4)], kernels=kernels
    )
    for call in (10, 11, 12):
        world.join(call)
    ready = [n for n in (1, 2, 3, 4) if world.state(n) == "ready"]
    assert len(ready) == 2
    made = offers(world.join(13, group=VIP))
    assert made and {offer.agent for offer in made} <= set(ready)


def test_who_becomes_ready_is_free_only_above_the_reserve() -> None:
    world = classed()
    first, second = world.talk(10), world.talk(11)
    assert offers(world.join(12)) == []
    assert [offer.call for offer in offers(world.end(10, first.agent))] == [12], "three are ready: one may go"
    assert offers(world.join(13)) == []
    (offer,) = offers(world.join(14, group=VIP))
    assert offer.call == 14 and second.agent != offer.agent


def test_kept_for_another_queue_which_counts_its_own_ready_agents() -> None:
    world = World([queue(Q, reserve=((R, 0, 1),)), queue(R)], [agent(1, Q, R), agent(2, Q), agent(3, R)])
    (offer,) = offers(world.join(10))
    assert offer.agent == 1, "agent 3 is still ready for the other queue"
    world.do(events.AgentNotReady(2), events.CallLeft(10, "abandoned"), events.AgentNotReady(3))
    assert offers(world.join(11)) == [], "agent 1 is the last one for the other queue"
    assert [offer.agent for offer in offers(world.do(events.AgentReady(3)))] == [1], "the other queue has one again"
    assert [offer.agent for offer in offers(world.join(12, R))] == [3]


def test_who_starves_is_served_from_the_reserve() -> None:
    world = classed(starve_ms=5 * MINUTE, wait_ms_max=60 * MINUTE)
    world.talk(10), world.talk(11)
    world.join(12)
    assert offers(world.wait(5 * MINUTE - 1)) == []
    assert [offer.call for offer in offers(world.wait(1))] == [12]


def test_a_reload_without_the_rule_or_without_its_queue_frees_them() -> None:
    world = World([queue(Q, reserve=((R, 0, 1),)), queue(R)], [agent(1, Q, R)])
    assert offers(world.join(10)) == []
    world.distributor.configure([queue(Q, reserve=((R, 0, 1),))], [agent(1, Q)], world.now)
    assert [offer.call for offer in offers(world.settle())] == [10]


@pytest.mark.parametrize("strategy", ["longest-idle-agent", "ring-all", "round-robin", "fewestcalls"])
def test_in_a_busy_hour_a_vip_waits_for_nobody_while_two_are_kept(strategy: str) -> None:
    """Ten agents, callers for nine, VIPs one at a time: none waits, the others for minutes.

    Without the reserve VIPs wait as long as everybody."""
    waits = {}
    for reserve in ((), ((-1, VIP, 2),)):
        chance = Random(3)
        floor = Floor(
            [queue(strategy=strategy, reserve=reserve, wait_ms_max=60 * MINUTE, offers_max=3)],
            [agent(number) for number in range(1, 11)],
        )
        for number in range(510):
            floor.call(number * 7_000, number, Q, chance.choice((40_000, 60_000, 90_000)))
        for number in range(30):
            floor.call(MINUTE + number * 2 * MINUTE, 1_000 + number, Q, 30_000, group=VIP)
        floor.run(60 * MINUTE)
        vips = [waited for _, call, _, waited in floor.served if call >= 1_000]
        assert len(vips) >= 28
        waits[bool(reserve)] = max(vips)
    assert waits[True] <= 1_000 < 2_000 < waits[False], waits
