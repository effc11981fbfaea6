"""The facade of the kernels (strip types, call, put types back): the same signature as `policy.pick`."""

from __future__ import annotations

import numpy as np

from engine import jit, limits
from engine.acd import kernels, policy, turns
from engine.acd.pool import Pool, Queue, Writers

_OUT = np.zeros(limits.offers_parallel_max, dtype=np.int64)  # scratch, no state
_ONE = _OUT[:1]
_ROWS = np.zeros(256, dtype=np.int64)
_NO_NEEDS = np.zeros(0, dtype=np.int64)
_NO_WORD = np.uint64(0)
_LOTS = {policy.LOTS: kernels.PLAIN, policy.WEIGHTED_LOTS: kernels.WEIGHTED}


def pick(pool: Pool, queue: Queue, needs: tuple[int, ...], count_max: int) -> list[int]:
    """As `policy.pick`. A handful of idle agents is cheaper in Python, and both decide alike."""
    if len(queue.idle) < policy.KERNEL_FROM:
        memory = policy.STRATEGIES[queue.strategy].memory
        if memory in _LOTS:
            turns.draw(pool, queue, memory == policy.WEIGHTED_LOTS)
        return policy.pick(pool, queue, needs, count_max)
    return run_kernel(pool, queue, needs, count_max)


def run_kernel(pool: Pool, queue: Queue, needs: tuple[int, ...], count_max: int) -> list[int]:
    """Always the kernel (tests and bench). It draws lots itself: `turn` alone was written before."""
    lots = _LOTS.get(policy.STRATEGIES[queue.strategy].memory, 0)
    word = np.uint64(turns.word_of(pool.seed, pool.draws)) if lots else _NO_WORD
    out = _ONE if count_max == 1 else _OUT[:count_max]
    arguments = (
        pool.agents.block,
        pool.team.block,
        pool.skills,
        policy.TERM_TABLES[queue.strategy],
        np.array(needs, dtype=np.int64) if needs else _NO_NEEDS,
        queue.first_row,
        queue.end_row,
        lots,
        word,
        out,
    )
    if jit.DISABLED:
        with np.errstate(over="ignore"):  # plain numpy words wrap with a warning, compiled ones without
            count = kernels.pick(*arguments)
    else:
        count = kernels.pick(*arguments)
    return [out.item(0)] if count == 1 else out[:count].tolist()


def mark(pool: Pool, queue: Queue, rows: list[int], by_level: bool) -> None:
    """As `turns.mark`."""
    count = len(rows)
    scratch = _ROWS if count <= len(_ROWS) else np.zeros(count, dtype=np.int64)
    for place in range(count):
        scratch[place] = rows[place]
    kernels.mark(pool.team.block, queue.first_row, queue.end_row, scratch, count, by_level)


def draw(pool: Pool, queue: Queue, weighted: bool) -> None:
    """Nothing: the kernel draws a lot as it looks at a row."""


WRITERS = Writers(mark, draw)
