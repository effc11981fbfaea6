"""Nobody starves: the bound for a light queue beside a heavy one, within one queue, and in random streams."""

from __future__ import annotations

from random import Random

import pytest

from engine.acd import events, starving
from engine.acd.commands import AcdCommand
from tests.acd.floor import Floor
from tests.acd.world import Q, R, World, agent, offers, queue

MINUTE, HOUR = 60_000, 3_600_000
W = 15 * MINUTE


def ready(world: World) -> list[AcdCommand]:
    return world.do(events.AgentReachable(1, True), events.AgentLoggedIn(1))


def test_a_light_queue_beside_a_heavy_one_that_never_empties() -> None:
    """The heavy queue alone would fill both agents; each caller of the light one is served within W and one call."""
    agents = [agent(1, Q, R), agent(2, Q, R)]
    heavy = queue(Q, weight=100, starve_ms=W, wait_ms_max=20 * HOUR)
    floor = Floor([heavy, queue(R, starve_ms=W, wait_ms_max=20 * HOUR)], agents)
    for number in range(3 * 60):
        floor.call(number * MINUTE, number, Q, 2 * MINUTE)
    for number in range(6):
        floor.call(number * 30 * MINUTE, 1_000 + number, R, 2 * MINUTE)
    floor.run(4 * HOUR)
    light = [waited for _, call, _, waited in floor.served if call >= 1_000]
    assert len(light) == 6 and W < max(light) <= W + 2 * MINUTE + 2_000

    floor = Floor([queue(Q, weight=100, starve_ms=0, wait_ms_max=3 * HOUR),
                   queue(R, starve_ms=0, wait_ms_max=3 * HOUR)], agents)  # fmt: skip
    for number in range(3 * 60):
        floor.call(number * MINUTE, number, Q, 2 * MINUTE)
    floor.call(30 * MINUTE, 1_000, R, 2 * MINUTE)
    floor.run(3 * HOUR)
    assert not [call for _, call, _, _ in floor.served if call >= 1_000], "without the bound he waits for hours"


def test_priority_counts_until_the_bound_and_not_beyond() -> None:
    """In one queue: callers with an hour of priority come all the time; who has none is served within W."""
    floor = Floor([queue(starve_ms=W, wait_ms_max=9 * HOUR)], [agent(1)])
    floor.call(0, 1, Q, MINUTE, priority_ms=HOUR)
    floor.call(1_000, 2, Q, MINUTE)
    for number in range(3, 60):
        floor.call((number - 3) * 30_000 + 2_000, number, Q, MINUTE, priority_ms=HOUR)
    floor.run(HOUR)
    ((at, waited),) = [(at, waited) for at, call, _, waited in floor.served if call == 2]
    assert W <= waited <= W + MINUTE + 2_000
    before = [call for when, call, _, _ in floor.served if when < at]
    assert len(before) >= 14


def test_the_longest_wait_first_over_all_queues_whatever_their_weight() -> None:
    world = World([queue(Q, weight=9, starve_ms=W), queue(R, starve_ms=W)], [agent(1, Q, R)], ready=False)
    world.now = 1_000
    world.join(10, R), world.wait(1_000)
    world.join(11, Q), world.wait(1_000)
    world.join(12, R), world.wait(W)
    world.join(13, Q, priority_ms=5 * HOUR)
    order = []
    for made in (ready(world), *(None for _ in range(3))):
        made = made if made is not None else world.end(order[-1], 1, after=1_000)
        (offer,) = offers(made)
        world.answer(offer)
        order.append(offer.call)
    assert order == [10, 11, 12, 13]


def test_a_wait_that_he_brought_with_him_counts() -> None:
    world = World([queue(starve_ms=W, weight=0), queue(R, weight=5)], [agent(1, Q, R)], ready=False)
    world.join(10, R)
    world.join(11, Q, credit_ms=W)
    assert [offer.call for offer in offers(ready(world))] == [11]
    assert starving.starves(world.pool, world.pool.queue_at(0), world.pool.calls.get(11, 0), world.now)


@pytest.mark.parametrize("seed", range(6))
def test_under_bounded_load_nobody_waits_beyond_the_bound_while_his_agents_take_younger_calls(seed: int) -> None:
    """Random queues, weights, priorities and skills at 90 % load. `Floor.fair` checks every single offer: no agent is
    given a caller while one with a better claim, whom he could have served, still waits. So a wait beyond W holds
    only calls that began before W had passed, or of callers who had waited even longer.
    """
    chance = Random(seed)
    bound = 4 * MINUTE
    queues = [queue(n, weight=chance.choice((0, 1, 50)), starve_ms=bound, wait_ms_max=3 * HOUR) for n in (1, 2, 3)]
    agents = [
        agent(n, *chance.sample((1, 2, 3), chance.choice((1, 2, 3))), skills=((1, chance.randint(1, 9)),))
        for n in range(1, 9)
    ]
    agents.append(agent(9, 1, 2, 3, skills=((1, 16),)))
    floor = Floor(queues, agents)
    at, talk_ms = 0, 70_000
    for number in range(700):
        at += int(chance.expovariate(0.9 * len(agents) / talk_ms))
        needs = ((1, chance.randint(1, 12)),) if chance.random() < 0.3 else ()
        floor.call(at, number, chance.choice((1, 1, 2, 3)), int(chance.expovariate(1 / talk_ms)) + 1,
                   priority_ms=chance.choice((0, 0, 0, MINUTE, HOUR)), needs=needs)  # fmt: skip
    floor.run(at + HOUR)
    assert len(floor.served) == 700
    assert sum(waited > bound for _, _, _, waited in floor.served) > 5, "the bound was never needed here"
