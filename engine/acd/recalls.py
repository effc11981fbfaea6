"""Virtual hold: when the turn of a caller who is away has come, and what his coming and going means for his place.

Agent first needs little: the entry waits as if its caller were on the line, and whoever answers the offer is connected
while the owner rings the caller up. Customer first keeps one rule, so that no call is started for which nobody will be
there: **each call that is started puts one agent aside**, who is nobody else's until the caller was reached or wasn't.
Should he leave meanwhile, the next one who fits takes his place before any other call is started; and while a caller
who was reached waits on the line, no other is rung.
That agent is idle now (callers are served in their order, the absent among the others, so nobody passes anybody), or
he is in wrap-up or resting and will be ready within `recall_lead_ms`, with nobody on the line before the absent
caller in any of his queues. Agents who talk are not counted: when they end isn't known.
"""

from __future__ import annotations

from engine import limits
from engine.acd import agents as agent_machine
from engine.acd import bars, kept, policy, turns, widening
from engine.acd import entries as entry_machine
from engine.acd.bars import Pick
from engine.acd.commands import Recall
from engine.acd.events import CallAway, CallHere
from engine.acd.pool import Place, Pool, Queue, bounded
from engine.acd.tables import (
    E_ABSENT,
    E_AWAY,
    E_CONNECTED,
    E_DEADLINE,
    E_HERE,
    E_RECALL,
    E_RECALLED,
    E_TURN,
    E_WAITING,
    READY,
    RESTING,
    WRAP_UP,
)


# --- coming and going -------------------------------------------------------------------------------------
def away(pool: Pool, event: CallAway, now_ms: int) -> None:
    """See `events.CallAway`. A conversation in which both are isn't taken back, a key in use isn't taken twice."""
    row = pool.calls.get(event.call, -1)
    if row < 0 or event.way not in kept.WAYS[1:]:
        return
    entries = pool.entries
    if entries.state[row] == E_CONNECTED and not entries.away[row]:
        return
    entries.away[row] = kept.WAYS.index(event.way)
    entries.pause_until[row] = now_ms + event.pause_ms if event.pause_ms > 0 else 0
    if event.wait_ms_max:
        entries.wait_until[row] = now_ms + bounded(event.wait_ms_max, limits.callback_ms_max)
    entry_machine.step(pool, row, E_AWAY, now_ms, "away")
    kept.arm(pool, row, now_ms)  # also where the state stays the same: the pause is a new one
    if event.key and event.key not in pool.calls:
        del pool.calls[event.call]
        pool.calls[event.key] = row
        entries.call[row] = event.key
    if entries.pause_until[row] <= now_ms:
        _turn(pool, row, now_ms)


def here(pool: Pool, event: CallHere, now_ms: int) -> None:
    """See `events.CallHere`."""
    row = pool.calls.get(event.call, -1)
    if row < 0 or not pool.entries.away[row]:
        return
    entries = pool.entries
    entries.away[row] = entries.pause_until[row] = 0
    if event.wait_ms_max:
        entries.wait_until[row] = now_ms + bounded(event.wait_ms_max, limits.queue_wait_ms_max)
    entry_machine.step(pool, row, E_HERE, now_ms, "here")
    if entries.state[row] == E_WAITING:
        pool.arm_entry(row, entries.wait_until[row])
        widening.advance(pool, row, now_ms)


def pause_over(pool: Pool, row: int, now_ms: int) -> None:
    """The deadline of an absent entry: its limit, or only the end of a pause."""
    entries = pool.entries
    if entries.wait_until[row] <= now_ms:
        entry_machine.step(pool, row, E_DEADLINE, now_ms, "timeout")
        return
    entries.pause_until[row] = 0
    kept.arm(pool, row, now_ms)
    _turn(pool, row, now_ms)


def _turn(pool: Pool, row: int, now_ms: int) -> None:
    if pool.entries.away[row] == kept.AGENT_FIRST:
        entry_machine.step(pool, row, E_TURN, now_ms, "")
        widening.advance(pool, row, now_ms)
    else:
        pool.touch(pool.queue_at(pool.entries.queue[row]))


# --- whose turn it is ---------------------------------------------------------------------------------------
def line(pool: Pool, queue: Queue, now_ms: int) -> list[Place]:
    """Who may be served, in order: those on the line, and among them the absent who may be rung up."""
    ready = [place for place in queue.absent if kept.due(pool, place[2], now_ms)]
    return sorted(queue.waiting + ready) if ready else queue.waiting


def start(pool: Pool, pick: Pick, queue: Queue, entry: int, now_ms: int) -> bool:
    """An idle agent fits this absent caller: put him aside and have the caller rung up."""
    if _blocked(pool, queue, entry):
        return False
    if policy.STRATEGIES[queue.strategy].memory:
        turns.prepare(pool, queue, entry)  # else the pick reads the turns and lots of an earlier caller
    rows = bars.pick(pool, pick, queue, entry, 1, now_ms)
    if rows:
        if pool.explain is not None:
            pool.explain(pool, queue, entry, rows, now_ms)
        _recall(pool, queue, entry, pool.team.agent[rows[0]], now_ms)
    return bool(rows)


def _blocked(pool: Pool, queue: Queue, entry: int) -> bool:
    """While somebody who was rung up waits on the line for an agent, nobody else is rung: the next one is his."""
    entries = pool.entries
    return entries.state[entry] == E_ABSENT and any(entries.rung[other] for _, _, other in queue.waiting)


def _recall(pool: Pool, queue: Queue, entry: int, agent: int, now_ms: int) -> None:
    agent_machine.put_aside(pool, agent, entry)
    if pool.entries.state[entry] == E_RECALLED:
        return  # he is being rung already; the agent whom he was rung for has left
    entry_machine.step(pool, entry, E_RECALL, now_ms, "")
    pool.out.append(Recall(pool.entries.call[entry], queue.spec.id, pool.agents.id[agent]))


def ahead(pool: Pool, queue: Queue, now_ms: int) -> None:
    """Ring absent callers up a little before an agent's wrap-up or rest is over; else be woken at that moment."""
    waiting = [place for place in queue.absent if kept.due(pool, place[2], now_ms)]
    if not waiting:
        return
    soon, look_ms = _soon_ready(pool, queue, now_ms)
    for place in waiting:
        for at in soon:
            agent = at[1]
            free = _fits(pool, place[2], agent, now_ms) and not _blocked(pool, queue, place[2])
            if free and _nobody_before(pool, queue, place, agent):
                soon.remove(at)
                _recall(pool, queue, place[2], agent, now_ms)
                break
    if look_ms:
        pool.arm_look(waiting[0][2], look_ms)


def _soon_ready(pool: Pool, queue: Queue, now_ms: int) -> tuple[list[tuple[int, int]], int]:
    """((when ready, agent) within the lead time, earliest first; when the next one comes within it, 0 never)."""
    agents, lead_ms = pool.agents, queue.spec.recall_lead_ms
    soon: list[tuple[int, int]] = []
    look_ms = 0
    for row in range(queue.first_row, queue.end_row):
        agent = pool.team.agent[row]
        at_ms = agents.deadline[agent]
        if agents.state[agent] not in (WRAP_UP, RESTING) or not _comes_home_ready(pool, agent, at_ms):
            continue
        if at_ms <= now_ms + lead_ms:
            soon.append((at_ms, agent))
        elif not look_ms or at_ms - lead_ms < look_ms:
            look_ms = at_ms - lead_ms
    return sorted(soon), look_ms


def _comes_home_ready(pool: Pool, agent: int, at_ms: int) -> bool:
    agents = pool.agents
    free = agents.held[agent] < 0 and agents.reachable[agent] == 1 and not agents.removed[agent]
    occupied = agents.occupied_until[agent] > at_ms and not agents.second_line[agent]
    rests = agents.humane[agent] and agents.state[agent] == WRAP_UP  # who has rules of rest may go from work to a rest
    return free and agents.wish[agent] == READY and not occupied and not rests and agents.rest_until[agent] <= at_ms


def _fits(pool: Pool, entry: int, agent: int, now_ms: int) -> bool:
    """By skills. For whom somebody is barred (rings, a preference) only an agent who is idle now is good enough."""
    skills, needs = pool.skill_of[agent], pool.needs_of(entry)
    free = not bars.apply_to(pool, entry, now_ms)
    return free and all(skills.get(need >> 8, 0) >= need & 0xFF for need in needs)


def _nobody_before(pool: Pool, queue: Queue, place: Place, agent: int) -> bool:
    """Does nobody who waits on the line come before, in any queue of this agent? (Whether he would fit isn't asked.)"""
    claim = (-queue.spec.weight, place[0], place[1])
    for other, _ in pool.seats[agent]:
        if other.waiting and (-other.spec.weight, other.waiting[0][0], other.waiting[0][1]) < claim:
            return False
    return True


def overdue(pool: Pool, pick: Pick, queue: Queue, now_ms: int) -> int:
    """For the invariants: the entry of an absent caller whose turn has come and who wasn't rung up, -1 none."""
    if queue.idle:
        for _, _, entry in queue.absent:
            looked = not 0 < pool.entries.look_at[entry] <= now_ms and not _blocked(pool, queue, entry)
            if looked and kept.due(pool, entry, now_ms) and bars.pick(pool, pick, queue, entry, 1, now_ms):
                return entry
    return -1


def is_absent(pool: Pool, entry: int) -> bool:
    return pool.entries.state[entry] in kept.KEPT_STATES
