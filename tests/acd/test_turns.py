"""Strategies with a memory: expected orders by hand, pointers that survive reloads, and lots that are fair."""

from __future__ import annotations

from collections import Counter
from random import Random

import numpy as np
import pytest

from engine.acd import events, policy, turns
from tests.acd import naive
from tests.acd.states import random_pool, shuffle
from tests.acd.world import Q, R, World, agent, offers, queue

ROUND = ("round-robin", "rrmemory", "rrordered")


def take(world: World, calls: range, where: int = Q) -> list[int]:
    """One call after another, each answered and over at once; who took each."""
    took = []
    for call in calls:
        took.append(world.talk(call, where).agent)
        world.end(call, took[-1], after=1)
    return took


def reject(world: World, call: int, times: int, where: int = Q) -> list[int]:
    """One caller whom everybody refuses; who was asked, in this order."""
    offer = offers(world.join(call, where))[0]
    asked = [offer.agent]
    while len(asked) < times:
        offer = offers(world.fail(offer, "rejected", after=1))[0]
        asked.append(offer.agent)
    world.do(events.CallLeft(call, "abandoned"), after=1)
    return asked


# --- round robin: the queue remembers ---------------------------------------------------------------------
@pytest.mark.parametrize("strategy", ROUND)
def test_round_robin_goes_on_after_the_last_asked(strategy: str) -> None:
    people = [agent(1, position=2), agent(2, position=1), agent(3, position=3), agent(4, level=2)]
    world = World([queue(strategy=strategy, delay_reject_ms=0)], people)
    assert take(world, range(10, 15)) == [2, 1, 3, 2, 1]
    assert reject(world, 20, 4) == [3, 2, 1, 3], "a refused offer is a turn too"
    assert take(world, range(21, 23)) == [2, 1]


def test_round_robin_who_was_busy_waits_for_the_next_round() -> None:
    """The pointer doesn't run back, as it would if who was offered a call least recently came first."""
    world = World([queue(strategy="round-robin")], [agent(n) for n in (1, 2, 3, 4)])
    world.do(events.AgentNotReady(2, ""))
    assert take(world, range(10, 12)) == [1, 3]
    world.do(events.AgentReady(2))
    assert take(world, range(12, 16)) == [4, 1, 2, 3]


def test_round_robin_remembers_each_level_and_each_queue() -> None:
    people = [agent(1, Q, R), agent(2, Q, R), agent(3, Q, R, level=2), agent(4, Q, R, level=2)]
    world = World([queue(Q, strategy="round-robin"), queue(R, strategy="round-robin")], people)
    assert take(world, range(10, 11)) == [1]
    world.do(events.AgentNotReady(1, ""), events.AgentNotReady(2, ""))
    assert take(world, range(11, 12)) == [3]
    world.do(events.AgentReady(1), events.AgentReady(2))
    assert take(world, range(12, 14)) == [2, 1]
    world.do(events.AgentNotReady(1, ""), events.AgentNotReady(2, ""))
    assert take(world, range(14, 16)) == [4, 3]
    assert take(world, range(16, 17), R) == [3], "the other queue has its own"


def test_round_robin_a_new_login_does_not_jump_the_line() -> None:
    world = World([queue(strategy="round-robin")], [agent(n) for n in (1, 2, 3)])
    assert take(world, range(10, 11)) == [1]
    world.do(events.AgentLoggedOut(1))
    world.do(events.AgentLoggedIn(1))
    assert take(world, range(11, 14)) == [2, 3, 1]


def test_round_robin_over_a_reload() -> None:
    world = World([queue(strategy="round-robin")], [agent(n) for n in (1, 2, 3)])
    assert take(world, range(10, 12)) == [1, 2]
    world.distributor.configure([queue(strategy="round-robin")], [agent(n) for n in (3, 2, 1)], world.now)
    assert take(world, range(12, 14)) == [3, 1]
    world.distributor.configure([queue(strategy="round-robin")], [agent(2), agent(3)], world.now)
    assert take(world, range(14, 16)) == [2, 3], "who had the last turn is gone: from the first"


# --- linear and top-down: the caller remembers --------------------------------------------------------------
def test_linear_each_caller_begins_at_the_first_and_stays_in_the_level() -> None:
    people = [agent(1, position=2), agent(2, position=1), agent(3, position=3), agent(4, level=2)]
    world = World([queue(strategy="linear", delay_reject_ms=0)], people)
    assert take(world, range(10, 13)) == [2, 2, 2], "no memory between callers"
    assert reject(world, 20, 5) == [2, 1, 3, 2, 1]
    assert take(world, range(21, 22)) == [2]


def test_linear_goes_to_the_next_level_only_when_the_first_has_nobody() -> None:
    world = World([queue(strategy="linear", delay_reject_ms=9_000)], [agent(1), agent(2), agent(3, level=2)])
    assert reject(world, 10, 3) == [1, 2, 3], "who refused rests"


def test_linear_skips_who_is_busy_and_keeps_its_direction() -> None:
    world = World([queue(strategy="linear", delay_reject_ms=0)], [agent(n) for n in (1, 2, 3, 4)])
    world.do(events.AgentNotReady(2, ""))
    first = offers(world.join(10))[0]
    second = offers(world.fail(first, "rejected"))[0]
    world.do(events.AgentReady(2))
    third = offers(world.fail(second, "rejected"))[0]
    assert [first.agent, second.agent, third.agent] == [1, 3, 4]


def test_top_down_tries_every_level_before_anybody_twice() -> None:
    people = [agent(1, position=2), agent(2, position=1), agent(3, level=2), agent(4, level=3)]
    world = World([queue(strategy="top-down", delay_reject_ms=0)], people)
    assert reject(world, 10, 6) == [2, 1, 3, 4, 2, 1]
    assert take(world, range(20, 22)) == [2, 2]


@pytest.mark.parametrize("strategy", ["linear", "top-down"])
def test_two_callers_have_a_pointer_each_and_a_row_taken_again_has_none(strategy: str) -> None:
    world = World([queue(strategy=strategy, delay_reject_ms=0)], [agent(n) for n in (1, 2, 3)])
    one = offers(world.join(10))[0]
    two = offers(world.join(11))[0]
    assert (one.agent, two.agent) == (1, 2)
    assert offers(world.fail(one, "rejected"))[0].agent == 3
    assert offers(world.fail(two, "rejected"))[0].agent == 1 if strategy == "linear" else True
    for call in (10, 11):
        world.do(events.CallLeft(call, "abandoned"))
    assert offers(world.join(12))[0].agent == 1


def test_a_live_queue_can_become_linear() -> None:
    world = World([queue(delay_reject_ms=0)], [agent(n) for n in (1, 2, 3)])
    offer = offers(world.join(10))[0]
    world.distributor.configure([queue(strategy="linear", delay_reject_ms=0)], [agent(n) for n in (1, 2, 3)], world.now)
    again = offers(world.fail(offer, "rejected"))[0]
    assert (offer.agent, again.agent) == (1, 1), "his round begins now"
    assert offers(world.fail(again, "rejected"))[0].agent == 2


# --- lots ---------------------------------------------------------------------------------------------------
def drawn(world: World, calls: int) -> Counter[int]:
    return Counter(take(world, range(10, 10 + calls)))


def near(found: int, expected: float, spread: float) -> bool:
    """Within five standard deviations: wrong by chance once in a million, and the seed is fixed besides."""
    return abs(found - expected) < 5 * spread**0.5


def test_random_is_even_within_the_best_level() -> None:
    world = World([queue(strategy="random")], [agent(1), agent(2), agent(3), agent(4, level=2)])
    found = drawn(world, 3_000)
    assert set(found) == {1, 2, 3}
    assert all(near(count, 1_000, 3_000 * 2 / 9) for count in found.values()), found


def test_random_draws_do_not_depend_on_the_last() -> None:
    """Pairs of consecutive draws are even too: chi-squared over 9 cells with 8 degrees of freedom, 0.1 % at 26.1."""
    world = World([queue(strategy="random")], [agent(1), agent(2), agent(3)])
    took = take(world, range(10, 3_611))
    pairs = Counter(zip(took[::2], took[1::2], strict=False))
    assert sum((pairs[one, two] - 200) ** 2 / 200 for one in (1, 2, 3) for two in (1, 2, 3)) < 26.1


def test_wrandom_level_is_a_weight_not_an_order() -> None:
    """The smaller of u and 2v, both uniform: u wins with 3/4."""
    world = World([queue(strategy="wrandom")], [agent(1, level=1), agent(2, level=2)])
    found = drawn(world, 4_000)
    assert near(found[1], 3_000, 4_000 * 3 / 16), found


def test_the_seed_decides_and_asking_draws_nothing() -> None:
    def orders(seed: int) -> list[int]:
        world = World([queue(strategy="random")], [agent(n) for n in range(1, 6)])
        world.pool.seed = seed
        world.distributor.check(world.now)
        return take(world, range(10, 30))

    assert orders(1) == orders(1) != orders(2)
    world = World([queue(strategy="random")], [agent(1)])
    world.do(events.AgentNotReady(1, ""))
    world.join(10)
    assert world.pool.draws == 0, "nobody to offer to"
    world.do(events.AgentReady(1))
    assert world.pool.draws == 1


def test_lots_are_the_plain_arithmetic_of_the_oracle_and_follow_the_agent() -> None:
    chance = Random(5)
    for _ in range(200):
        pool = random_pool(chance, 9)
        shuffle(chance, pool)
        line = pool.queue_at(chance.randrange(2))
        found = turns.lots(pool, line)
        assert found.dtype == np.int64 and (found >= 0).all()
        expected = [naive.lot(pool, pool.team.agent[row]) for row in range(line.first_row, line.end_row)]
        assert found.tolist() == expected


def test_prepare_writes_nothing_but_scratch() -> None:
    """Asking who would be picked leaves the state as it was, to the byte."""
    for name in policy.NAMES:
        world = World([queue(strategy=name)], [agent(n, level=1 + n % 2) for n in range(1, 6)])
        world.talk(10)
        before = world.distributor.encode()
        line = world.pool.queue_at(0)
        turns.prepare(world.pool, line, 0)
        policy.pick(world.pool, line, (), 1)
        assert world.distributor.encode() == before
