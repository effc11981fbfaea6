"""Bars: agents who are idle and able, but may not be offered this caller at this moment.

A bar belongs to a caller and a time, so it can't be a state of the agent. `write` turns the rules into the column
`barred` of the queue's membership rows just before a pick, which keeps the pick a comparison of columns, the same in
the twin and in the kernel; the column is cleared behind it. A bar that ends by time arms a look, so that the caller's
queue is settled again at that moment and nobody waits for a bar that is over.
"""

from __future__ import annotations

from collections.abc import Callable

from engine.acd.columns import TeamColumns
from engine.acd.pool import Pool, Queue

Pick = Callable[[Pool, Queue, tuple[int, ...], int], list[int]]

_BARRED = TeamColumns.index("barred")


def apply_to(pool: Pool, entry: int, now_ms: int) -> bool:
    """Could anybody be barred for this caller now? False is certain, and what nearly every caller gets."""
    return pool.entries.avoid[entry] >= 0 and pool.entries.avoid_until[entry] > now_ms


def pick(pool: Pool, choose: Pick, queue: Queue, entry: int, count_max: int, now_ms: int) -> list[int]:
    """As `choose`, for this caller with his needs and his bars."""
    needs = pool.needs_of(entry)
    if not apply_to(pool, entry, now_ms):
        return choose(pool, queue, needs, count_max)
    write(pool, queue, entry)
    rows = choose(pool, queue, needs, count_max)
    clear(pool, queue)
    return rows


def write(pool: Pool, queue: Queue, entry: int) -> None:
    """Mark the membership rows that are barred for this caller, and have him looked at when the bar is over."""
    entries = pool.entries
    queue.barred = True
    agent = pool.agent_rows.get(entries.avoid[entry], -1)
    if agent >= 0:
        for home, row in pool.seats[agent]:
            if home is queue:
                pool.team.barred[row] = 1
    pool.arm_look(entry, entries.avoid_until[entry])


def clear(pool: Pool, queue: Queue) -> None:
    pool.team.block[_BARRED, queue.first_row : queue.end_row] = 0
    queue.barred = False
