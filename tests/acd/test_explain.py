"""Explanations: their winner is the pick's, in random pools of every strategy; what is always kept agrees with them."""

from __future__ import annotations

from collections import Counter
from random import Random

import msgspec
import pytest

from engine.acd import bars, custom, explain, policy, turns
from engine.acd.model import Policy
from engine.acd.pool import Pool
from engine.acd.saving import encode
from tests.acd.states import random_needs, random_pool, shuffle

BY_CALLS = Policy((((custom.FIELD, custom.FIELDS.index("agent.calls")),),), ())


def give_needs(pool: Pool, needs: tuple[int, ...]) -> None:
    for place, column in enumerate(pool.entries.needs):
        column[0] = needs[place] if place < len(needs) else 0


@pytest.mark.parametrize("seed", range(20))
def test_the_winner_is_the_picks(seed: int) -> None:
    """10⁴ states in all, of every strategy; a full key decides as the pick does, term after term."""
    chance, met = Random(seed), Counter[str]()
    for _ in range(25):
        pool = random_pool(chance, chance.choice((1, 4, 12, 40)))
        queues = [home for home in pool.queues if home is not None]
        for home in queues:
            if policy.STRATEGIES[home.strategy].name == "custom":
                home.spec = msgspec.structs.replace(home.spec, policy=BY_CALLS)
        pool.policies = True
        for _ in range(10):
            shuffle(chance, pool)
            give_needs(pool, random_needs(chance))
            for home in queues:
                bars.clear(pool, home)
                pool.entries.queue[0] = home.row
                turns.prepare(pool, home, 0)
                rows = bars.pick(pool, policy.pick, home, 0, policy.offers_first(home), 1)
                before = encode(pool)
                told = explain.explain(pool, home, 0, 1)
                assert encode(pool) == before
                assert sorted(told.picked) == sorted(pool.agents.id[pool.team.agent[row]] for row in rows)
                _candidates_lost_for_a_reason(told)
                met[told.strategy] += 1
    assert sum(met.values()) == 500 and len(met) > 10


def _candidates_lost_for_a_reason(told: explain.Explanation) -> None:
    winner = next((seat for seat in told.seats if seat.picked), None)
    for seat in told.seats:
        assert bool(seat.against) != (seat.picked or bool(seat.lost_by))
        if winner is None or seat.picked or seat.against:
            continue
        assert seat.key >= winner.key and len(seat.key) == len(told.columns) == len(seat.shown)
        if seat.lost_by == explain.ORDER:
            assert seat.key == winner.key
        else:
            place = told.columns.index(seat.lost_by)
            assert seat.key[:place] == winner.key[:place] and seat.key[place] > winner.key[place]
