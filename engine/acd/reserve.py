"""Reserve: the last ready agents are kept for those for whom it was made (`reserve: {vip: 2}`).

A rule of a queue names whom it leaves agents to: another queue, whose ready agents are then counted, or a class of its
own callers. While no more agents are ready there than the rule keeps, they are barred for everybody else; a caller who
starves (`starving`) is nobody else any more, so a reserve can't let anybody wait for ever. A strategy that rings many
phones leaves the last ones of the reserve silent.

More ready agents lift the bar: `Pool.set_idle` touches the queues that follow (`Queue.followers`).
"""

from __future__ import annotations

from engine.acd import starving
from engine.acd.pool import Pool, Queue


def applies(pool: Pool, queue: Queue, entry: int, now_ms: int) -> bool:
    """Is anything kept from this caller?"""
    group = pool.entries.group[entry]
    if not any(not rule_group or rule_group != group for _, rule_group, _ in queue.spec.reserve):
        return False
    return not starving.starves(pool, queue, entry, now_ms)


def write(pool: Pool, queue: Queue, entry: int, *, fan: bool) -> None:
    """Bar what is kept. `fan`: several may be asked at once."""
    group = pool.entries.group[entry]
    for number, rule_group, count in queue.spec.reserve:
        if rule_group and rule_group == group:
            continue
        keeper = queue if rule_group else kept_for(pool, number)
        if keeper is None:
            continue
        if len(keeper.idle) <= count:
            kept = keeper.idle
        else:
            kept = keeper.idle[-count:] if fan else []
        for row in kept:
            _bar(pool, queue, pool.team.agent[row])
    arm(pool, queue, entry)


def arm(pool: Pool, queue: Queue, entry: int) -> None:
    """Look at him when nothing is kept from him any more."""
    if queue.spec.starve_ms:
        pool.arm_look(entry, pool.waits_since(entry) + queue.spec.starve_ms)


def kept_for(pool: Pool, number: int) -> Queue | None:
    """The queue of an id; None when it is not in the configuration (any more): nothing is kept then."""
    row = pool.queue_rows.get(number, -1)
    return pool.queues[row] if row >= 0 else None


def _bar(pool: Pool, queue: Queue, agent: int) -> None:
    for home, row in pool.seats[agent]:
        if home is queue:
            pool.team.barred[row] = 1
