"""Hard calls: over four hours everybody's share of them is his share of calls, within ± 20 %, and who waits for it."""

from __future__ import annotations

from random import Random

import pytest

from engine.acd import hard
from engine.acd.machine import Distributor
from engine.acd.policy import STRATEGIES
from tests.acd.floor import Floor
from tests.acd.world import Q, World, agent, offers, queue

MINUTE, HOUR = 60_000, 3_600_000


def four_hours(strategy: str, seed: int, *, ruled: bool, load: float = 0.9) -> dict[int, float]:
    """By agent: his share of the hard calls that he was eligible for, divided by his share of all calls that he was.

    Twelve agents; four of them without the skill that a third of the calls need, so not everybody is eligible for
    everything. One call in four is hard. Warm-up: half an hour.
    """
    chance = Random(seed)
    agents = [agent(n, skills=((1, 5),) if n > 4 else (), level=1 + n % 2, position=n) for n in range(1, 13)]
    floor = Floor([queue(strategy=strategy, wait_ms_max=HOUR, wrap_up_ms=10_000)], agents)
    at, talk_ms = 0, 75_000
    kinds: dict[int, tuple[bool, bool]] = {}
    while at < 4.5 * HOUR:
        at += int(chance.expovariate(load * len(agents) / (talk_ms + 11_000))) + 1
        number = len(kinds)
        kinds[number] = chance.random() < 0.25, chance.random() < 1 / 3
        difficult, special = kinds[number]
        floor.call(at, number, Q, int(chance.lognormvariate(0, 0.5) * talk_ms * 0.88) + 1,
                   hard=ruled and difficult, needs=((1, 5),) if special else ())  # fmt: skip
    floor.run(int(4.5 * HOUR))
    shares = {}
    for spec in agents:
        counts = [0, 0, 0, 0]  # all, all his, hard, hard his
        for when, call, who, _ in floor.served:
            difficult, special = kinds[call]
            if when < HOUR // 2 or (special and not spec.skills):
                continue
            counts[0] += 1
            counts[1] += who == spec.id
            counts[2] += difficult
            counts[3] += difficult and who == spec.id
        if counts[1] >= 40:  # whoever the strategy hardly asks has no share to speak of
            shares[spec.id] = (counts[3] / counts[2]) / (counts[1] / counts[0])
    return shares


ONE_PHONE = tuple(strategy.name for strategy in STRATEGIES if not strategy.fan)


@pytest.mark.parametrize("strategy", ONE_PHONE)
def test_over_four_hours_the_share_of_hard_calls_is_within_a_fifth_of_the_share_of_calls(strategy: str) -> None:
    shares = four_hours(strategy, 1, ruled=True)
    assert len(shares) >= 6
    assert all(0.8 <= share <= 1.2 for share in shares.values()), shares


@pytest.mark.parametrize("load", [0.6, 1.05])
def test_at_low_load_and_beyond_the_staff(load: float) -> None:
    shares = four_hours("longest-idle-agent", 2, ruled=True, load=load)
    assert len(shares) == 12 and all(0.8 <= share <= 1.2 for share in shares.values()), shares


def test_without_the_rule_the_same_calls_fall_unfairly() -> None:
    shares = four_hours("longest-idle-agent", 1, ruled=False)
    assert not all(0.8 <= share <= 1.2 for share in shares.values()), shares


def test_who_has_had_his_share_is_passed_over_and_waited_for_no_longer_than_the_hold() -> None:
    world = World([queue(hard_hold_ms=20_000)], [agent(1), agent(2)])
    pool = world.pool
    pool.agents.owed[0] = -2 * hard.UNIT
    (offer,) = offers(world.join(10, hard=True))
    assert offer.agent == 2
    world.answer(offer)
    assert offers(world.join(11, hard=True)) == [], "agent 2 talks; agent 1 has had his share"
    assert [offer.call for offer in offers(world.join(12))] == [12], "the next caller isn't kept waiting for that"
    world.answer(offers(world.log)[-1])
    world.end(12, 1, after=5_000)
    assert offers(world.wait(14_999)) == []
    assert [(made.call, made.agent) for made in offers(world.wait(1))] == [(11, 1)]


def test_what_is_owed_follows_what_was_taken() -> None:
    world = World([queue()], [agent(1), agent(2)])
    world.talk(10)
    assert not any(world.pool.agents.eligible[row] for row in (0, 1)), "nothing is counted before the first hard call"
    (offer,) = offers(world.join(11, hard=True))
    world.answer(offer)
    agents = world.pool.agents
    assert [agents.owed[row] for row in (0, 1)] == [0, 0], "he has taken every call, and so the hard one"
    assert agents.hard[1] == 1 and agents.taken[1] == agents.eligible[1] == agents.eligible[0] == hard.UNIT
    again = Distributor.decode(world.distributor.encode())
    assert again._pool.hard and again.snapshot_agents(world.now) == world.distributor.snapshot_agents(world.now)
