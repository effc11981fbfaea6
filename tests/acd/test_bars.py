"""Bars: idle and able, but not for this caller now; and nobody waits for a bar that is over."""

from __future__ import annotations

import pytest

from engine.acd import bars, events
from engine.acd.machine import Distributor
from engine.acd.policy import NAMES
from tests.acd.world import Q, World, agent, offers, queue


def test_who_passed_a_caller_on_is_not_offered_him_until_his_bar_is_over() -> None:
    world = World([queue()], [agent(1), agent(2)])
    first = world.talk(10)
    assert first.agent == 1
    world.end(10, 1)
    (offer,) = offers(world.join(11, avoid=2, avoid_ms=60_000))
    assert offer.agent == 1
    world.answer(offer)
    assert offers(world.join(12, avoid=2, avoid_ms=60_000)) == []
    assert offers(world.wait(59_000)) == []
    (offer,) = offers(world.wait(1_001))
    assert (offer.call, offer.agent) == (12, 2)


def test_the_bar_is_his_alone_and_the_caller_behind_is_served() -> None:
    world = World([queue()], [agent(1)])
    assert offers(world.join(10, avoid=1, avoid_ms=60_000)) == []
    (offer,) = offers(world.join(11))
    assert offer.call == 11


def test_ring_all_leaves_out_who_is_barred_and_lets_him_join_later() -> None:
    world = World([queue(strategy="ring-all", ring_ms_max=30_000)], [agent(1), agent(2), agent(3)])
    assert [offer.agent for offer in offers(world.join(10, avoid=2, avoid_ms=5_000))] == [1, 3]
    assert [offer.agent for offer in offers(world.wait(5_001))] == [2]


@pytest.mark.parametrize("strategy", NAMES)
@pytest.mark.parametrize("kernels", ["python", "numba"])
def test_every_strategy_keeps_the_bar(strategy: str, kernels: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.acd.policy.KERNEL_FROM", 1)
    world = World([queue(strategy=strategy)], [agent(1), agent(2)], kernels=kernels)
    assert [offer.agent for offer in offers(world.join(10, avoid=1, avoid_ms=60_000))] == [2]


def test_an_unknown_agent_bars_nobody_and_a_bar_outlives_encoding_and_shift() -> None:
    world = World([queue()], [agent(1)])
    (offer,) = offers(world.join(10, avoid=77, avoid_ms=1_000))
    world.answer(offer)
    world.end(10, 1)
    assert offers(world.join(11, avoid=1, avoid_ms=1_000)) == []
    world.distributor = Distributor.decode(world.distributor.encode())
    world.distributor.shift(30_000)
    world.now += 1_000
    world.distributor.expire(world.now)
    assert [offer.call for offer in offers(world.settle())] == [11]


def test_a_pick_leaves_no_bar_behind() -> None:
    world = World([queue()], [agent(1), agent(2)])
    world.do(events.AgentNotReady(2))
    world.join(10, avoid=1, avoid_ms=9_000)
    line = world.pool.queues[world.pool.queue_rows[Q]]
    assert not line.barred
    assert not any(world.pool.team.barred[row] for row in range(world.pool.team.used))
    assert bars.apply_to(world.pool, world.pool.calls[10], world.now)
    assert not bars.apply_to(world.pool, world.pool.calls[10], world.now + 9_000)
