"""Derived state follows the columns, lists keep their order, the heap stays small."""

from __future__ import annotations

from random import Random

import pytest

from engine.acd import events
from engine.acd.columns import NEEDS_MAX
from engine.acd.invariants import derived_state
from engine.acd.pool import SKILLS_MAX, bounded, pack_needs
from tests.acd.states import random_pool, shuffle
from tests.acd.streams import start
from tests.acd.world import World, agent, queue


@pytest.mark.parametrize("seed", range(10))
def test_reindex_builds_what_the_verbs_kept(seed: int) -> None:
    distributor, stream = start(seed)
    for _ in range(60):
        stream.step(distributor)
        before = derived_state(distributor._pool)
        distributor._pool.reindex()
        assert derived_state(distributor._pool) == before


def test_memberships_are_contiguous_and_sorted() -> None:
    pool = random_pool(Random(1), 30)
    team = pool.team
    rows = [(team.queue[r], team.level[r], team.position[r], team.agent[r]) for r in range(team.used)]
    assert rows == sorted(rows)
    for number in (0, 1):
        queue_row = pool.queue_at(number)
        assert {team.queue[r] for r in range(queue_row.first_row, queue_row.end_row)} == {number}


def test_idle_lists_are_sorted_and_match_the_flags() -> None:
    chance = Random(2)
    pool = random_pool(chance, 30)
    for _ in range(20):
        shuffle(chance, pool)
        for number in (0, 1):
            queue_row = pool.queue_at(number)
            flags = [r for r in range(queue_row.first_row, queue_row.end_row) if pool.agents.idle[pool.team.agent[r]]]
            assert queue_row.idle == flags


def test_needs_are_packed_and_unpacked() -> None:
    world = World([queue()], [agent(1)], ready=False)
    world.join(10, needs=((3, 5), (0, 16), (SKILLS_MAX - 1, 1)))
    assert world.pool.needs_of(0) == (3 << 8 | 5, 16, (SKILLS_MAX - 1) << 8 | 1)
    world.join(11)
    assert world.pool.needs_of(1) == ()
    packed = pack_needs(tuple((n, 1) for n in range(NEEDS_MAX)))
    assert packed is not None and len(packed) == NEEDS_MAX
    assert pack_needs(()) == (0,) * NEEDS_MAX


def test_bounded() -> None:
    assert [bounded(value, 100) for value in (-1, 0, 1, 100, 101)] == [100, 100, 1, 100, 100]


def test_deadlines_that_never_fire_do_not_pile_up() -> None:
    world = World([queue()], [agent(1)])
    for call in range(2_000):
        world.distributor.apply(events.CallJoined(call, 1), world.now)
        offer = next(c for c in world.distributor.settle(world.now) if type(c).__name__ == "Offer")
        world.distributor.apply(events.OfferAnswered(offer.offer), world.now)
        world.distributor.apply(events.CallEnded(call, 1), world.now)
        world.distributor.settle(world.now)
    assert len(world.pool.heap.words) < 300
