"""The kernel decides like its twin: on 10⁵ random states here, 10⁶ under `slow`, with the JIT on and off."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import numpy as np
import pytest

from engine.acd import policy, turns
from engine.acd.columns import AgentColumns, TeamColumns
from engine.acd.pool import Pool
from tests.acd.states import random_needs, random_pool, shuffle

kernels: Any = pytest.importorskip("engine.acd.kernels")
kernel_pick: Any = pytest.importorskip("engine.acd.kernel_pick")


def compare(seed: int, pools: int, states: int) -> Counter[str]:
    """States by strategy in which both picked alike (they must all)."""
    chance = Random(seed)
    seen: Counter[str] = Counter()
    for _ in range(pools):
        pool = random_pool(chance, chance.choice((1, 3, 8, 20)))
        for _ in range(states):
            shuffle(chance, pool)
            for number in (0, 1):
                queue, needs = pool.queue_at(number), random_needs(chance)
                most = policy.offers_first(queue)
                turns.prepare(pool, queue, 0)
                assert kernel_pick.run_kernel(pool, queue, needs, most) == policy.pick(pool, queue, needs, most)
                seen[queue.spec.strategy] += 1
    return seen


def test_like_the_twin() -> None:
    seen = compare(1, 100, 500)
    assert seen.total() == 100_000
    assert set(seen) == set(policy.NAMES) and min(seen.values()) >= 2_000


@pytest.mark.slow
def test_like_the_twin_for_long() -> None:
    assert compare(2, 1_000, 500).total() == 1_000_000


def pure(function: Any) -> Any:
    return getattr(function, "py_func", function)


def random_terms(chance: Random) -> np.ndarray:
    """Any strategy the layout can hold, not only those that have a name."""
    terms = np.zeros((policy.TERMS_MAX, 3), dtype=np.int64)
    for place in range(chance.randint(0, policy.TERMS_MAX)):
        source = chance.choice((policy.TEAM, policy.AGENT))
        fields = (TeamColumns, AgentColumns)[source]
        name = chance.choice(("level", "position") if source == policy.TEAM else ("idle_since", "answered", "misses"))
        terms[place] = (source, fields.index(name), chance.choice((1, -1)))
    return terms


def key_pick(pool: Pool, terms: np.ndarray, first: int, end: int, most: int) -> list[int]:
    """By tuples."""
    blocks = (pool.team.block, pool.agents.block)
    keys = []
    for row in range(first, end):
        agent = pool.team.agent[row]
        if pool.agents.idle[agent] and not pool.team.barred[row]:
            values = [sign * blocks[source][field, (row, agent)[source]] for source, field, sign in terms.tolist()]
            keys.append((*values, row))
    best = min(keys, default=())
    return [key[-1] for key in sorted(keys) if key[:-1] == best[:-1]][:most]


@pytest.mark.parametrize("jit", [True, False], ids=["jit", "python"])
def test_any_key_layout(jit: bool) -> None:
    chance = Random(3)
    run = kernels.pick if jit else pure(kernels.pick)
    for _ in range(300):
        pool = random_pool(chance, 6)
        shuffle(chance, pool)
        for row in range(6):
            pool.agents.answered[row], pool.agents.misses[row] = chance.randrange(2), chance.randrange(2)
        terms, most = random_terms(chance), chance.randint(1, 4)
        queue = pool.queue_at(0)
        out = np.zeros(most, dtype=np.int64)
        count = run(
            pool.agents.block, pool.team.block, pool.skills, terms, np.zeros(0, dtype=np.int64), queue.first_row,
            queue.end_row, kernels.NO_LOTS, np.uint64(0), out,
        )  # fmt: skip
        assert out[:count].tolist() == key_pick(pool, terms, queue.first_row, queue.end_row, most)


@pytest.mark.parametrize("jit", [True, False], ids=["jit", "python"])
def test_lots_and_turns_are_written_as_numpy_writes_them(jit: bool) -> None:
    chance = Random(6)
    lot, turn = TeamColumns.index("lot"), TeamColumns.index("turn")
    draw, mark = (kernels.draw, kernels.mark) if jit else (pure(kernels.draw), pure(kernels.mark))
    with np.errstate(over="ignore"):
        for _ in range(200):
            pool = random_pool(chance, 9)
            shuffle(chance, pool)
            queue = pool.queue_at(chance.randrange(2))
            first, end, team = queue.first_row, queue.end_row, pool.team
            weighted, word = chance.random() < 0.5, np.uint64(turns.word_of(pool.seed, pool.draws))
            turns.draw(pool, queue, weighted)
            drawn = [
                draw(pool.agents.id[team.agent[row]], word, team.level[row] if weighted else 0)
                for row in range(first, end)
            ]
            assert drawn == team.block[lot, first:end].tolist()
            rows = sorted(chance.sample(range(first, end), min(end - first, chance.randrange(3))))
            by_level = chance.random() < 0.5
            turns.mark(pool, queue, rows, by_level)
            expected = team.block[turn, first:end].tolist()
            mark(team.block, first, end, np.array(rows, dtype=np.int64), len(rows), by_level)
            assert team.block[turn, first:end].tolist() == expected


def test_warm_compiles_what_production_calls() -> None:
    kernels.warm()
    if hasattr(kernels.pick, "signatures"):
        before = list(kernels.pick.signatures)
        compare(4, 1, 1)
        assert kernels.pick.signatures == before, "the kernel was compiled again for other types"
