"""Starving: who has waited `starve_ms` is served before all who have waited less, whatever priority and weight say.

Priority and weight are shares, and a share may be nothing while heavier queues are full. So callers who have waited
for that long (a wait they brought with them counts) come first, over all queues of the settle, the longest wait first.
Nobody waits much beyond the bound while an agent of his takes other calls: when it has passed, the next of his agents
who becomes idle is his, behind those only who have waited even longer.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import merge

from engine.acd.pool import Place, Pool, Queue

Claim = tuple[int, int, int, int]  # waits since, sequence of joining, queue row, entry row


def starves(pool: Pool, queue: Queue, entry: int, now_ms: int) -> bool:
    """Has he waited too long?"""
    return 0 < queue.spec.starve_ms <= now_ms - pool.waits_since(entry)


def anybody(queues: list[Queue], now_ms: int) -> bool:
    """Could one of these have to be served out of the usual order? False is certain, and costs next to nothing.

    One queue whose callers have no priority serves the longest wait first anyway.
    """
    if len(queues) == 1 and not queues[0].ranked:
        return False
    return any(
        queue.spec.starve_ms and places and places[0][0] <= now_ms - queue.spec.starve_ms
        for queue in queues
        for places in (queue.waiting, queue.absent)
    )


def claims(pool: Pool, lines: list[tuple[Queue, list[Place]]], now_ms: int) -> Iterator[Claim]:
    """All who starve among those who may be served (`recalls.line`), the longest wait first."""
    return merge(*(_of(pool, queue, line, now_ms) for queue, line in lines if queue.spec.starve_ms))


def _of(pool: Pool, queue: Queue, line: list[Place], now_ms: int) -> list[Claim]:
    """Priority only makes a caller older, so those who starve stand before the first who is too young with it."""
    limit = now_ms - queue.spec.starve_ms
    found = []
    for effective, sequence, entry in line:
        if effective > limit:
            break
        since = pool.waits_since(entry)
        if since <= limit:
            found.append((since, sequence, queue.row, entry))
    if queue.ranked:
        found.sort()
    return found
