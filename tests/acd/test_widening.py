"""Needs that relax and rings that open: the right agents at the right moment, and the place is kept."""

from __future__ import annotations

from random import Random

import pytest

from engine.acd import bars, policy, turns, widening
from engine.acd.commands import Breach, Widened
from engine.acd.events import CallJoined, Step
from engine.acd.machine import Distributor
from engine.acd.model import Ring
from engine.acd.policy import NAMES
from engine.acd.stages import BORROWED, STEPS_MAX
from tests.acd.naive import agent_rows, choose
from tests.acd.states import random_needs, random_pool, shuffle
from tests.acd.world import Q, R, World, agent, ended, offers, queue

POWER, EN = 1, 2
RELAXING = (Step(30_000, ((POWER, 3), (EN, 2))), Step(60_000, ((POWER, 2),)), Step(0, ((POWER, 1),)))
RINGS = (Ring(level=1, for_ms=20_000), Ring(level=2, for_ms=30_000), Ring())


def widened(commands: list[object]) -> list[tuple[int, int, int]]:
    return [(c.call, c.stage, c.waited_ms) for c in commands if isinstance(c, Widened)]


def test_needs_relax_step_by_step() -> None:
    people = [agent(1, skills=((POWER, 1),)), agent(2, skills=((POWER, 2),))]
    world = World([queue()], people)
    assert offers(world.join(10, steps=RELAXING)) == []
    assert world.wait(29_999) == []
    (offer,) = offers(world.wait(1))
    assert offer.agent == 2 and widened(world.log) == [(10, 2, 30_000)]
    world.answer(offer)
    assert offers(world.join(11, steps=RELAXING)) == []
    assert offers(world.wait(89_999)) == []
    (offer,) = offers(world.wait(1))
    assert (offer.call, offer.agent) == (11, 1) and widened(world.log)[-2:] == [(11, 2, 30_000), (11, 3, 90_000)]


def test_a_step_without_needs_means_anybody() -> None:
    world = World([queue()], [agent(1)])
    assert offers(world.join(10, steps=(Step(5_000, ((POWER, 16),)), Step()))) == []
    assert [offer.agent for offer in offers(world.wait(5_000))] == [1]


def test_who_relaxes_keeps_his_place_before_a_younger_caller() -> None:
    world = World([queue()], [agent(1)])
    busy = world.talk(9)
    world.join(10, steps=(Step(10_000, ((POWER, 16),)), Step()))
    world.join(11, after=1_000)
    world.wait(10_000)
    assert [offer.call for offer in offers(world.end(9, busy.agent))] == [10]


def test_rings_open_with_the_wait_and_inner_rings_stay_first() -> None:
    people = [agent(1, level=3), agent(2, level=2), agent(3, level=1)]
    world = World([queue(rings=RINGS, ring_ms_max=180_000)], people)
    assert [offer.agent for offer in offers(world.join(10))] == [3]
    assert offers(world.join(11)) == [], "levels 2 and 3 aren't asked in ring 1"
    assert offers(world.wait(19_000)) == []
    assert [(offer.call, offer.agent) for offer in offers(world.wait(1_000))] == [(11, 2)]
    world.join(12)
    assert offers(world.wait(49_999)) == []
    assert [(offer.call, offer.agent) for offer in offers(world.wait(1))] == [(12, 1)]


def test_a_ring_of_teams_and_one_of_another_queue() -> None:
    rings = (Ring(teams=("house",), for_ms=10_000), Ring(teams=("bpo",), for_ms=10_000), Ring(borrows=True))
    people = [
        agent(1, team="bpo"),
        agent(2, seats=((R, 1, 0), (Q, BORROWED + 3, 0))),
        agent(3, team="house"),
    ]
    world = World([queue(rings=rings, ring_ms_max=180_000), queue(R)], people)
    assert [offer.agent for offer in offers(world.join(10))] == [3]
    assert offers(world.join(11)) == [] and [offer.agent for offer in offers(world.wait(10_000))] == [1]
    world.join(12)
    assert offers(world.wait(19_999)) == []
    assert [offer.agent for offer in offers(world.wait(1))] == [2]
    assert world.pool.queue_at(0).ring_top == 3 and world.pool.queue_at(1).ring_top == 0


def test_a_ring_drops_a_skill() -> None:
    rings = (Ring(level=1, for_ms=20_000), Ring(without=(EN,)))
    world = World([queue(rings=rings)], [agent(1, skills=((POWER, 5),))])
    assert offers(world.join(10, needs=((POWER, 2), (EN, 2)))) == []
    assert [offer.agent for offer in offers(world.wait(20_000))] == [1]


def test_ring_all_rings_more_phones_when_the_ring_opens() -> None:
    people = [agent(1, team="a"), agent(2, team="b")]
    rings = (Ring(teams=("a",), for_ms=5_000), Ring())
    world = World([queue(strategy="ring-all", rings=rings, ring_ms_max=60_000)], people)
    assert [offer.agent for offer in offers(world.join(10))] == [1]
    assert [offer.agent for offer in offers(world.wait(5_000))] == [2]


def test_who_joined_keeps_his_plan_over_reload_encoding_and_shift() -> None:
    world = World([queue(rings=RINGS)], [agent(1, level=2)])
    world.join(10)
    world.wait(5_000)
    world.distributor = Distributor.decode(world.distributor.encode())
    assert world.pool.plans and world.distributor.check(world.now) == []
    world.distributor.configure([queue(rings=(Ring(level=1, for_ms=90_000), Ring()))], [agent(1, level=2)], world.now)
    world.settle()
    world.distributor.shift(60_000)
    assert [offer.agent for offer in offers(world.wait(15_000))] == [1]
    world.answer(offers(world.log)[-1])
    world.end(10, 1)
    assert world.pool.plans == {}, "who has left leaves no plan behind"


def test_too_many_steps_or_impossible_needs_are_refused_at_joining() -> None:
    world = World([queue()], [agent(1)])
    assert ended(world.join(10, steps=(Step(1),) * (STEPS_MAX + 1)))[0].reason == "no_agents"
    assert ended(world.join(11, steps=(Step(1, ((1, 99),)),)))[0].reason == "no_agents"
    assert ended(world.join(12, steps=(Step(-1), Step())))[0].reason == "no_agents"
    assert widening.plan(CallJoined(1, 1), None) == ()


def test_a_lost_look_is_found_and_healed() -> None:
    world = World([queue(rings=RINGS)], [agent(1, level=2)])
    world.join(10)
    row = world.pool.calls[10]
    world.pool.entries.look_at[row] = 0
    assert world.distributor.check(world.now) == [Breach("stage_deadline", "call 10")]
    assert world.distributor.check(world.now) == []
    assert [offer.agent for offer in offers(world.wait(20_000))] == [1]


def test_callers_of_one_ring_share_a_look() -> None:
    """A thousand who wait in ring 1 while only ring 2 has somebody idle cost one pick a settle, not a thousand."""
    world = World([queue(rings=RINGS)], [agent(1, level=1), agent(2, level=2)])
    world.talk(1)
    for call in range(10, 60):
        world.join(call)
    asked: list[int] = []
    real = world.distributor._pick
    world.distributor._pick = lambda *given: asked.append(1) or real(*given)
    world.pool.touch(world.pool.queue_at(0))
    assert offers(world.settle()) == [] and len(asked) == 1


def test_the_pick_within_a_ring_is_the_oracle_s() -> None:
    chance = Random(5)
    seen = 0
    for _ in range(150):
        pool = random_pool(chance, 12)
        for _ in range(8):
            shuffle(chance, pool)
            line = pool.queue_at(chance.randrange(2))
            top = chance.randint(1, 3)
            block = pool.team.ring
            for row in range(line.first_row, line.end_row):
                block[row] = chance.randint(1, top)
                pool.team.barred[row] = 0
            line.ring_top, line.barred = top, False
            entries, needs = pool.entries, random_needs(chance)
            entries.queue[0], entries.ring[0] = line.row, chance.randint(1, 3)
            for place in range(8):
                entries.needs[place][0] = needs[place] if place < len(needs) else 0
            turns.prepare(pool, line, 0)
            most = policy.offers_first(line)
            found = bars.pick(pool, policy.pick, line, 0, most, 0)
            line.barred = True
            for row in range(line.first_row, line.end_row):
                pool.team.barred[row] = int(block[row] > entries.ring[0])
            assert agent_rows(pool, found) == choose(pool, line, needs, most)
            bars.clear(pool, line)
            seen += bool(found)
    assert seen > 200


@pytest.mark.parametrize("strategy", NAMES)
@pytest.mark.parametrize("kernels", ["python", "numba"])
def test_every_strategy_keeps_to_the_ring(strategy: str, kernels: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.acd.policy.KERNEL_FROM", 1)
    world = World([queue(strategy=strategy, rings=RINGS)], [agent(1, level=3), agent(2, level=1)], kernels=kernels)
    assert [offer.agent for offer in offers(world.join(10))] == [2]
    assert offers(world.join(11)) == []
    assert [offer.agent for offer in offers(world.wait(50_000))][-1:] == [1]
