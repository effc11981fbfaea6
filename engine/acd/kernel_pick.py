"""The facade of the kernels (strip types, call, put types back): the same signature as `policy.pick`."""

from __future__ import annotations

import numpy as np

from engine import limits
from engine.acd import kernels, policy
from engine.acd.columns import AgentColumns, TeamColumns
from engine.acd.pool import Pool, Queue

_TEAM = TeamColumns.index
_FIELDS = np.array([_TEAM("agent"), AgentColumns.index("idle"), _TEAM("level"), _TEAM("barred")], dtype=np.int64)
_OUT = np.zeros(limits.offers_parallel_max, dtype=np.int64)  # scratch, no state
_NO_NEEDS = np.zeros(0, dtype=np.int64)


def pick(pool: Pool, queue: Queue, needs: tuple[int, ...], count_max: int) -> list[int]:
    """As `policy.pick`. A handful of idle agents is cheaper in Python, and both decide alike."""
    if len(queue.idle) < policy.KERNEL_FROM:
        return policy.pick(pool, queue, needs, count_max)
    return run_kernel(pool, queue, needs, count_max)


def run_kernel(pool: Pool, queue: Queue, needs: tuple[int, ...], count_max: int) -> list[int]:
    """Always the kernel (tests and bench)."""
    out = _OUT[:count_max]
    count = kernels.pick(
        pool.agents.block,
        pool.team.block,
        pool.skills,
        policy.TERM_TABLES[queue.strategy],
        np.array(needs, dtype=np.int64) if needs else _NO_NEEDS,
        queue.first_row,
        queue.end_row,
        _FIELDS,
        out,
    )
    return [int(row) for row in out[:count]]
