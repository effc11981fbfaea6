"""Bars: agents who are idle and able, but may not be offered this caller at this moment.

A bar belongs to a caller and a time, so it can't be a state of the agent. `write` turns the rules into the column
`barred` of the queue's membership rows just before a pick, which keeps the pick a comparison of columns, the same in
the twin and in the kernel; the column is cleared behind it. A bar that ends by time arms a look, so that the caller's
queue is settled again at that moment and nobody waits for a bar that is over.

| rule | bars | ends |
|---|---|---|
| avoid | who has just passed him on | by time |
| ring (`widening`) | everybody further out than the ring he has reached | by time |
| policy (`custom`) | whom the site's own rule doesn't admit; it is looked at anew every second |  |
| preference | everybody but the agent he waits for | by time, or when that agent goes |
| reserve | the last ready agents, kept for others | when more are ready, or he starves |
| hard | who has had his share of hard calls | when the share has changed, or by time |
"""

from __future__ import annotations

from collections.abc import Callable

from engine.acd import custom, hard, policy, preference, reserve, widening
from engine.acd.columns import TeamColumns
from engine.acd.pool import Pool, Queue

Pick = Callable[[Pool, Queue, tuple[int, ...], int], list[int]]

# nobody is barred | as for every caller of the queue in the same ring | also by the reserve, as for every one of his
# class in the same ring | for him alone
FREE, SHARED, KEPT, OWN = range(4)

_BARRED, _RING = TeamColumns.index("barred"), TeamColumns.index("ring")


def apply_to(pool: Pool, entry: int, now_ms: int) -> int:
    """Could anybody be barred for this caller now? FREE is certain, and what nearly every caller gets."""
    entries = pool.entries
    if entries.prefer[entry] >= 0 and entries.prefer_until[entry] > now_ms:
        return OWN
    if entries.avoid[entry] >= 0 and entries.avoid_until[entry] > now_ms:
        return OWN
    queue = pool.queue_at(entries.queue[entry])
    if entries.hard[entry] and hard.applies(pool, queue, entry, now_ms):
        return OWN
    ring = entries.ring[entry]
    if queue.spec.reserve and reserve.applies(pool, queue, entry, now_ms):
        return OWN if pool.policies else KEPT
    if pool.policies and custom.applies(queue):
        return OWN if custom.personal(queue) else SHARED
    return SHARED if ring and widening.holds(queue, ring) else FREE


def pick(pool: Pool, choose: Pick, queue: Queue, entry: int, count_max: int, now_ms: int) -> list[int]:
    """As `choose`, for this caller with his needs and his bars."""
    needs = pool.needs_of(entry)
    if not apply_to(pool, entry, now_ms):
        return choose(pool, queue, needs, count_max)
    write(pool, queue, entry, now_ms)
    if preference.holds(pool, queue, entry, now_ms):
        rows = preference.rows(pool, queue, entry)
        pool.arm_look(entry, pool.entries.prefer_until[entry])
    else:
        rows = choose(pool, queue, needs, count_max)
    clear(pool, queue)
    return rows


def write(pool: Pool, queue: Queue, entry: int, now_ms: int) -> None:
    """Mark the membership rows that are barred for this caller, and have him looked at when the bar is over.

    The fair share of hard calls comes last: it measures against those whom nothing else bars.
    """
    entries = pool.entries
    queue.barred = True
    ring = entries.ring[entry]
    if widening.holds(queue, ring) and not preference.holds(pool, queue, entry, now_ms):
        block = pool.team.block
        block[_BARRED, queue.first_row : queue.end_row] = block[_RING, queue.first_row : queue.end_row] > ring
    if pool.policies:
        custom.write(pool, queue, entry, now_ms)
    agent = pool.agent_rows.get(entries.avoid[entry], -1)
    if agent >= 0 and entries.avoid_until[entry] > now_ms:
        for home, row in pool.seats[agent]:
            if home is queue:
                pool.team.barred[row] = 1
        pool.arm_look(entry, entries.avoid_until[entry])
    if queue.spec.reserve and reserve.applies(pool, queue, entry, now_ms):
        reserve.write(pool, queue, entry, fan=policy.STRATEGIES[queue.strategy].fan)
    if hard.applies(pool, queue, entry, now_ms) and not preference.holds(pool, queue, entry, now_ms):
        hard.write(pool, queue, entry)


def clear(pool: Pool, queue: Queue) -> None:
    pool.team.block[_BARRED, queue.first_row : queue.end_row] = 0
    queue.barred = False
