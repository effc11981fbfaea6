"""Places kept for callers who are away: the lists, holds and deadlines of the states absent and recalled.

A kept place stays in the queue's order, so it is counted, nobody who came later passes it, and it passes nobody. The
entry machine moves entries in and out of these states through `enter` and `leave`; whose turn it is says `recalls`.
"""

from __future__ import annotations

from bisect import insort

from engine import limits
from engine.acd import agents as agent_machine
from engine.acd.pool import Pool, Queue, bounded
from engine.acd.tables import E_ABSENT, E_CONNECTED, E_RECALLED, E_WAITING

WAYS = ("", "held", "agent_first", "customer_first")
HELD, AGENT_FIRST, CUSTOMER_FIRST = 1, 2, 3
KEPT_STATES = (E_ABSENT, E_RECALLED)


def enter(pool: Pool, queue: Queue, row: int, state: int, goal: int, now_ms: int) -> None:
    """From `state` to absent or recalled; whoever was put aside for a caller who wasn't reached is free again."""
    entries = pool.entries
    if state == E_WAITING:
        pool.unqueue(queue.waiting, row)
        unblock(pool, queue, row, now_ms)
    elif state == E_CONNECTED:
        queue.connected -= 1
        entries.connected[row] = 0
        insort(queue.order, pool.place(row))
    if state not in KEPT_STATES:
        insort(queue.absent, pool.place(row))
    entries.state[row] = goal
    entries.rung[row] = int(goal == E_RECALLED)
    if state == E_RECALLED:
        agent_machine.let_go(pool, row)
    arm(pool, row, now_ms)
    pool.touch(queue)


def leave(pool: Pool, queue: Queue, row: int) -> None:
    """Out of absent or recalled, for good or to wait on the line."""
    pool.unqueue(queue.absent, row)
    agent_machine.let_go(pool, row)


def unblock(pool: Pool, queue: Queue, row: int, now_ms: int) -> None:
    """Somebody leaves the line. If he had been rung up, the absent may be rung again: they are looked at at once."""
    if pool.entries.rung[row] and queue.absent:
        pool.arm_look(queue.absent[0][2], now_ms)


def arm(pool: Pool, row: int, now_ms: int) -> None:
    """The deadline of a kept place: the end of its pause, its limit, or the end of the ringing."""
    entries = pool.entries
    if entries.state[row] == E_RECALLED:
        spec = pool.queue_at(entries.queue[row]).spec
        pool.arm_entry(row, now_ms + bounded(spec.recall_ms_max, limits.callback_ring_ms_max))
    else:
        pause, limit = entries.pause_until[row], entries.wait_until[row]
        pool.arm_entry(row, pause if now_ms < pause < limit else max(limit, now_ms))  # passed as he was rung


def due(pool: Pool, row: int, now_ms: int) -> bool:
    """Does this caller need an agent to be put aside? Customer first: before he is rung up, and again when the one who
    was has left meanwhile."""
    entries = pool.entries
    if entries.state[row] == E_RECALLED:
        return entries.hold[row] < 0
    return entries.away[row] == CUSTOMER_FIRST and entries.pause_until[row] <= now_ms
