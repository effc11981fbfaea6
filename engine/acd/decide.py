"""Who gets whom: the one place where offers are made (law 5: state in, decisions out).

Rule across queues: who starves comes first (`starving`), then callers are taken in the order of (queue weight,
highest first; effective age, that is time waited + priority_ms, oldest first; sequence of joining), over all queues
in which something changed since the last settle. Each takes the best idle agent of his own queue by its strategy
(ring-all: every idle agent of the best level that has any). So an agent of several queues gets the caller of the
heaviest, then oldest, claim, and nobody is passed over by a younger caller of equal weight whom the same agent could
serve.

After a settle no caller waits while an agent of his queue is idle and fits; therefore only touched queues need a
look: a queue is touched when a caller begins to wait or an agent becomes idle.
"""

from __future__ import annotations

from heapq import heappop, heappush

from engine.acd import agents as agent_machine
from engine.acd import bars, policy, recalls, reserve, starving, turns
from engine.acd import entries as entry_machine
from engine.acd import offers as offer_rows
from engine.acd.bars import Pick
from engine.acd.pool import Pool, Queue
from engine.acd.tables import E_ALERTING, E_OFFER, E_WAITING
from engine.acd.tables import OFFER as AGENT_OFFER


def decide(pool: Pool, pick: Pick, now_ms: int) -> None:
    """Make every offer that can be made. Leaves no queue touched."""
    rows, pool.touched = sorted(pool.touched), []
    queues = []
    for row in rows:
        queue = pool.queues[row]
        if queue is not None:
            queue.touched = False
            if queue.idle or queue.absent:
                queues.append(queue)
    serving = [queue for queue in queues if queue.idle and (queue.waiting or queue.absent)]
    if serving and starving.anybody(serving, now_ms):
        _serve_starving(pool, pick, serving, now_ms)
    if len(serving) == 1:
        _serve_one(pool, pick, serving[0], now_ms)
    elif serving:
        _serve_all(pool, pick, serving, now_ms)
    for queue in queues:
        if queue.idle and policy.STRATEGIES[queue.strategy].fan:
            _ring_more(pool, pick, queue, now_ms)
        if queue.absent:
            recalls.ahead(pool, queue, now_ms)


def _serve_starving(pool: Pool, pick: Pick, queues: list[Queue], now_ms: int) -> None:
    """Who has waited too long is served before all others, over all queues, the longest wait first."""
    lines = [(queue, recalls.line(pool, queue, now_ms)) for queue in queues]
    unmet: dict[int, list[tuple[int, ...]]] = {queue.row: [] for queue in queues}
    for _, _, row, entry in starving.claims(pool, lines, now_ms):
        queue = pool.queue_at(row)
        if queue.idle:
            _serve(pool, pick, queue, entry, unmet[row], now_ms)
        elif not any(other.idle for other in queues):
            return


def _serve_one(pool: Pool, pick: Pick, queue: Queue, now_ms: int) -> None:
    index = 0
    unmet: list[tuple[int, ...]] = []
    line = recalls.line(pool, queue, now_ms)
    while queue.idle and index < len(line):
        if not _serve(pool, pick, queue, line[index][2], unmet, now_ms) or line is not queue.waiting:
            index += 1  # who was served has left the list of those who wait, which the line is unless somebody is away


def _serve_all(pool: Pool, pick: Pick, queues: list[Queue], now_ms: int) -> None:
    """Merge the waiting lists of several queues by (−weight, age, sequence)."""
    heads: list[tuple[int, int, int, int, int]] = []
    unmet: dict[int, list[tuple[int, ...]]] = {queue.row: [] for queue in queues}
    lines = {queue.row: recalls.line(pool, queue, now_ms) for queue in queues}

    def push(queue: Queue, index: int) -> None:
        line = lines[queue.row]
        if index < len(line):
            age, sequence, _ = line[index]
            heappush(heads, (-queue.spec.weight, age, sequence, queue.row, index))

    for queue in queues:
        push(queue, 0)
    while heads:
        _, _, _, row, index = heappop(heads)
        queue = pool.queue_at(row)
        if queue.idle:
            line = lines[row]
            served = _serve(pool, pick, queue, line[index][2], unmet[row], now_ms)
            push(queue, index if served and line is queue.waiting else index + 1)


def _serve(pool: Pool, pick: Pick, queue: Queue, entry: int, unmet: list[tuple[int, ...]], now_ms: int) -> bool:
    """Offer this caller to whom the strategy picks. `unmet` remembers needs that nobody idle fits in this settle."""
    needs = pool.needs_of(entry)
    barred = bars.apply_to(pool, entry, now_ms)
    entries = pool.entries
    asked = (-1 - barred, -1 - entries.ring[entry], -1 - entries.group[entry], *needs) if barred else needs
    if barred != bars.OWN and asked in unmet:
        if barred and queue.spec.reserve:
            reserve.arm(pool, queue, entry)
        return False
    if recalls.is_absent(pool, entry):
        return recalls.start(pool, pick, queue, entry, now_ms)
    memory = policy.STRATEGIES[queue.strategy].memory
    if memory:
        turns.prepare(pool, queue, entry)
    if barred:
        rows = bars.pick(pool, pick, queue, entry, policy.offers_first(queue), now_ms)
    else:
        rows = pick(pool, queue, needs, policy.offers_first(queue))
    if not rows:
        if barred != bars.OWN:
            unmet.append(asked)
        return False
    if pool.explain is not None:
        pool.explain(pool, queue, entry, rows, now_ms)
    made = make_offers(pool, entry, rows, now_ms)
    if made and memory:
        turns.remember(pool, queue, entry, rows[0], now_ms)
    return made


def make_offers(pool: Pool, entry: int, rows: list[int], now_ms: int) -> bool:
    """Ring the agents of these membership rows; False when not one offer could be made."""
    team, entries = pool.team, pool.entries
    made = False
    queue_id = pool.queue_at(entries.queue[entry]).spec.id
    for row in rows:
        agent = team.agent[row]
        offer = offer_rows.start(pool, entry, agent, now_ms)
        if offer < 0:
            pool.breach("offers_max", f"call {entries.call[entry]}")
            break
        if not made:
            entries.ring_level[entry] = team.level[row]
        made = True
        agent_machine.step(pool, agent, AGENT_OFFER, now_ms, "offer", queue_id, entries.call[entry])
        entry_machine.step(pool, entry, E_OFFER, now_ms, "")
    if made:
        pool.arm_entry(entry, max(pool.offers.deadline[offer] for offer in offer_rows.ringing(pool, entry)))
    return made


def _ring_more(pool: Pool, pick: Pick, queue: Queue, now_ms: int) -> None:
    """Ring-all: an agent who becomes idle while phones ring joins in, unless his level is worse than those that ring.

    Ring-progressively: one more phone, of any level, whenever `progress_ms` have passed since the last. Callers for
    whom nothing rings come first. A caller past his wait limit is not given more phones, so that ringing comes to an
    end.
    """
    entries = pool.entries
    slowly = policy.STRATEGIES[queue.strategy].memory == policy.PROGRESS
    alerting = len(queue.order) - len(queue.waiting) - len(queue.absent)
    for _, _, entry in queue.order:
        if not alerting or not queue.idle:
            return
        if entries.state[entry] != E_ALERTING:
            continue
        alerting -= 1
        room = policy.offers_at_once(queue) - entries.ringing[entry]
        if room <= 0 or entries.wait_until[entry] <= now_ms or (slowly and entries.more_at[entry]):
            continue
        rows = bars.pick(pool, pick, queue, entry, 1 if slowly else room, now_ms)
        if not rows or (not slowly and pool.team.level[rows[0]] > entries.ring_level[entry]):
            continue
        if pool.explain is not None:
            pool.explain(pool, queue, entry, rows, now_ms)
        if make_offers(pool, entry, rows, now_ms) and slowly:
            turns.remember(pool, queue, entry, rows[0], now_ms)


def tell_unserved(pool: Pool, now_ms: int) -> None:
    """For records: those who began to wait and are still waiting when everything is decided, with why it is so."""
    begun, pool.begun = dict.fromkeys(pool.begun), []
    for entry in begun:
        if pool.explain is not None and pool.entries.state[entry] == E_WAITING:
            pool.explain(pool, pool.queue_at(pool.entries.queue[entry]), entry, [], now_ms)
