"""The entry machine: a caller from joining to the end of his conversation. Steps the agents it frees."""

from __future__ import annotations

from bisect import bisect_left, insort

from engine import limits
from engine.acd import agents as agent_machine
from engine.acd import fairness, hard, kept, preference, waking, widening
from engine.acd import offers as offer_rows
from engine.acd.agents import CALL_MS_MAX
from engine.acd.columns import NEEDS_MAX
from engine.acd.commands import Connect, EntryEnded
from engine.acd.events import CallJoined
from engine.acd.learning import GAVE_UP, OVER, SHORT_WAIT_MS
from engine.acd.pool import Pool, Queue, bounded, pack_needs
from engine.acd.tables import (
    CANCEL,
    CONNECT,
    E_ALL_LOST,
    E_CONNECT,
    E_CONNECTED,
    E_ENDED,
    E_JOIN,
    E_LOST,
    E_PICK,
    E_WAITING,
    END,
    ENTRY_ACTIONS,
    ENTRY_INPUTS,
    ENTRY_NEXT,
    ENTRY_STATES,
    FAULT,
    HERE,
    NOT_READY,
    PICK,
    RELEASE,
    TIMEOUT,
    WITHDRAW,
)

NEXT: list[list[int]] = ENTRY_NEXT.tolist()
ACTIONS: list[list[int]] = ENTRY_ACTIONS.tolist()
PICKED = "answered_elsewhere"  # what phones are told when somebody takes their caller; he leaves answered


def join(pool: Pool, event: CallJoined, now_ms: int) -> None:
    """A caller comes in, or is told at once why he can't (EntryEnded: full, no_agents)."""
    row = pool.queue_rows.get(event.queue, -1)
    queue = pool.queues[row] if row >= 0 else None
    needs = pack_needs(event.needs)
    stages = widening.plan(event, queue.spec if queue is not None else None)
    refusal = ""
    waits = not event.away
    if queue is None or queue.draining or needs is None or stages is None:
        refusal = "no_agents"  # nobody will ever serve him there
    elif waits and not queue.spec.join_empty and queue.on_duty == 0:
        refusal = "no_agents"
        queue.tally.refused_no_agents += 1
    elif event.refused:
        refusal = event.refused
        queue.tally.refused_no_agents += refusal == "no_agents"
    elif waits and len(queue.order) >= bounded(queue.spec.entries_max, limits.entries_max):
        refusal = "full"
    if not refusal and len(pool.entries) >= pool.entries.capacity_max:
        refusal = "full"
    if refusal or queue is None or needs is None or stages is None:
        if queue is not None and refusal == "full":
            queue.tally.refused_full += 1
        pool.out.append(EntryEnded(event.call, event.queue, refusal, 0))
        return
    entry = pool.entries.take()
    entries = pool.entries
    pool.sequence += 1
    pool.calls[event.call] = entry
    entries.call[entry] = event.call
    entries.queue[entry] = queue.row
    entries.sequence[entry] = pool.sequence
    entries.joined[entry] = now_ms
    entries.effective[entry] = now_ms - event.priority_ms - event.credit_ms
    entries.office[entry] = event.office
    entries.credit[entry], entries.group[entry], entries.hard[entry] = event.credit_ms, event.group, int(event.hard)
    queue.ranked |= event.priority_ms != 0
    pool.hard |= event.hard
    wait_ms = bounded(event.wait_ms_max or queue.spec.wait_ms_max, limits.queue_wait_ms_max)
    entries.wait_until[entry] = now_ms + wait_ms
    if event.needs:
        for place in range(NEEDS_MAX):
            entries.needs[place][entry] = needs[place]
    if event.avoid >= 0 and event.avoid_ms > 0:
        entries.avoid[entry], entries.avoid_until[entry] = event.avoid, now_ms + event.avoid_ms
    if stages:
        widening.begin(pool, entry, stages, now_ms)
    if event.prefer >= 0 and event.prefer_ms > 0:
        preference.begin(pool, entry, event, now_ms)
    queue.tally.offered += 1
    queue.learnt.arrived(event.priority_ms, now_ms)
    step(pool, entry, E_JOIN, now_ms, "")
    if queue.gives_way_ms:
        waking.begin(pool, entry)


def step(pool: Pool, row: int, given: int, now_ms: int, reason: str) -> None:
    """One input to one entry; `reason` is why it leaves, or what its phones are told."""
    entries = pool.entries
    state = entries.state[row]
    goal = NEXT[state][given]
    actions = ACTIONS[state][given]
    if actions:
        if actions & FAULT:
            pool.breach(f"entry.{ENTRY_STATES[state]}.{ENTRY_INPUTS[given]}", f"call {entries.call[row]}: {reason}")
        if actions & CANCEL:
            withdraw_all(pool, row, reason, now_ms)
        if actions & RELEASE:
            _release(pool, row, now_ms, reason)
        if actions & TIMEOUT:
            _tell_timeout(pool, row, now_ms)
        if actions & HERE:
            pool.entries.connected[row] = now_ms
            _count_answer(pool, row, now_ms)
    if goal == state:
        return
    queue = pool.queue_at(entries.queue[row])
    if goal == E_ENDED:
        _leave(pool, queue, row, state, now_ms, "timeout" if actions & TIMEOUT else reason)
    elif goal in kept.KEPT_STATES:
        kept.enter(pool, queue, row, state, goal, now_ms)
    elif goal == E_WAITING:
        _wait(pool, queue, row, state, now_ms)
    else:
        entries.state[row] = goal
        if state == E_WAITING:
            pool.unqueue(queue.waiting, row)
            kept.unblock(pool, queue, row, now_ms)
        if goal == E_CONNECTED:
            _connect(pool, queue, row, now_ms)


def _wait(pool: Pool, queue: Queue, row: int, state: int, now_ms: int) -> None:
    """Joins, or falls back after his last offer failed: he keeps his place.

    A wait limit that passed while a phone was ringing is honoured only now: the ringing phone was his best chance,
    and it is bounded by ring_ms_max.
    """
    entries = pool.entries
    until = entries.wait_until[row]
    if until <= now_ms:
        _tell_timeout(pool, row, now_ms)
        _leave(pool, queue, row, state, now_ms, "timeout")
        return
    entries.state[row] = E_WAITING
    pool.arm_entry(row, until)
    if state == E_ENDED:
        insort(queue.order, pool.place(row))
    elif state in kept.KEPT_STATES:
        kept.leave(pool, queue, row)
    pool.queue_up(queue, row)


def _connect(pool: Pool, queue: Queue, row: int, now_ms: int) -> None:
    entries = pool.entries
    pool.unqueue(queue.order, row)
    queue.connected += 1
    entries.connected[row] = now_ms
    pool.arm_entry(row, now_ms + CALL_MS_MAX)
    if not entries.away[row]:  # agent first: counted when the caller is there as well
        _count_answer(pool, row, now_ms)


def _count_answer(pool: Pool, row: int, now_ms: int) -> None:
    queue = pool.queue_at(pool.entries.queue[row])
    waited = now_ms - pool.entries.joined[row]
    tally = queue.tally
    tally.answered += 1
    tally.waited_ms += waited
    tally.waited_ms_max = max(tally.waited_ms_max, waited)
    if waited >= SHORT_WAIT_MS:
        pool.learn(queue, OVER, waited)
    if waited <= queue.spec.service_level_ms:
        tally.answered_in_time += 1


def _leave(pool: Pool, queue: Queue, row: int, state: int, now_ms: int, reason: str) -> None:
    """Out of every list, counted once, row given back."""
    entries, tally = pool.entries, queue.tally
    if state == E_CONNECTED:
        queue.connected -= 1
    else:
        pool.unqueue(queue.order, row)
        if state == E_WAITING:
            pool.unqueue(queue.waiting, row)
            kept.unblock(pool, queue, row, now_ms)
        elif state in kept.KEPT_STATES:
            kept.leave(pool, queue, row)
        if reason == PICKED:
            _count_answer(pool, row, now_ms)
            tally.completed += 1
        elif state not in kept.KEPT_STATES:
            _learn(pool, queue, now_ms - entries.joined[row], reason)
    if state == E_CONNECTED and not entries.away[row]:
        tally.completed += 1
        tally.talked_ms += now_ms - entries.connected[row]
    elif reason != PICKED:
        if reason == "timeout":
            tally.timed_out += 1
        elif reason == "abandoned":
            tally.abandoned += 1
            tally.abandoned_in_time += now_ms - entries.joined[row] <= queue.spec.service_level_ms
        else:
            tally.left += 1
    del pool.calls[entries.call[row]]
    pool.plans.pop(row, None)
    entries.give(row)


def _learn(pool: Pool, queue: Queue, waited: int, reason: str) -> None:
    """A wait that nobody answered. Who left for another reason would have been patient for longer."""
    if reason == "abandoned":
        pool.learn(queue, GAVE_UP, waited)
    if reason == "abandoned" or waited >= SHORT_WAIT_MS:
        pool.learn(queue, OVER, waited)


def drop(pool: Pool, row: int, now_ms: int) -> None:
    """Healing only: a conversation that has no agent is over in our books."""
    _leave(pool, pool.queue_at(pool.entries.queue[row]), row, pool.entries.state[row], now_ms, "healed")


def _tell_timeout(pool: Pool, row: int, now_ms: int) -> None:
    entries = pool.entries
    queue = pool.queue_at(entries.queue[row])
    place = bisect_left(queue.order, pool.place(row)) + 1
    pool.out.append(EntryEnded(entries.call[row], queue.spec.id, "timeout", now_ms - entries.joined[row], place))


def win(pool: Pool, offer: int, now_ms: int) -> None:
    """The first answer: Connect, and every other phone stops."""
    entries, agents = pool.entries, pool.agents
    row, agent = pool.offers.entry[offer], pool.offers.agent[offer]
    queue = pool.queue_at(entries.queue[row])
    call = entries.call[row]
    offer_rows.win(pool, offer, now_ms)
    waited = now_ms - entries.joined[row]
    queue.learnt.rang(now_ms - pool.offers.started[offer])
    pool.out.append(Connect(pool.offers.id[offer], call, agents.id[agent], queue.spec.id, waited))
    _assign(pool, queue, row, agent, now_ms)
    if pool.hard:
        hard.count(pool, queue, row, agent)
    agent_machine.step(pool, agent, CONNECT, now_ms, "answered", queue.spec.id, call)
    step(pool, row, E_CONNECT, now_ms, "answered_elsewhere")


def pick(pool: Pool, row: int, agent: int, now_ms: int) -> None:
    """An agent on duty takes this caller himself: nothing rings for either any more. The owner knows, so nothing is
    told; among hard calls it counts only for a member of the queue, who could have been given it."""
    agents = pool.agents
    queue, call = pool.queue_at(pool.entries.queue[row]), pool.entries.call[row]
    agents.last_offered[agent], agents.serves[agent] = now_ms, queue.row + 1
    _assign(pool, queue, row, agent, now_ms)
    if pool.hard and any(home is queue for home, _ in pool.seats[agent]):
        hard.count(pool, queue, row, agent)
    agent_machine.step(pool, agent, PICK, now_ms, "picked_up", queue.spec.id, call)
    step(pool, row, E_PICK, now_ms, PICKED)


def _assign(pool: Pool, queue: Queue, row: int, agent: int, now_ms: int) -> None:
    """This agent has this caller: what counts for both, and what follows for him."""
    entries, agents = pool.entries, pool.agents
    entries.agent[row] = agent
    agents.entry[agent] = row
    agents.misses[agent] = 0
    agents.answered[agent] += 1
    fairness.count_call(pool, agent, now_ms)
    agent_machine.plan_wrap_up(pool, agent, queue.spec)
    if agents.on_demand[agent]:
        agents.wish[agent] = NOT_READY
        pool.pause_reasons[agent] = "on_demand"


def lose(pool: Pool, row: int, now_ms: int) -> None:
    """One of his offers is over without a conversation (closed and unlinked before)."""
    if pool.entries.ringing[row]:
        step(pool, row, E_LOST, now_ms, "")
        pool.touch(pool.queue_at(pool.entries.queue[row]))  # room for one more phone
    else:
        step(pool, row, E_ALL_LOST, now_ms, "")


def withdraw_all(pool: Pool, row: int, reason: str, now_ms: int) -> None:
    """Every phone that rings for him stops, its agent is free again: no wrap-up, his idle time goes on."""
    told = reason if reason in ("answered_elsewhere", "moved", "timeout") else "caller_gone"
    call = pool.entries.call[row]
    for offer in offer_rows.ringing(pool, row):
        agent = pool.offers.agent[offer]
        offer_rows.close(pool, offer, told, now_ms, cancel=True)
        agent_machine.step(pool, agent, WITHDRAW, now_ms, told, call=call)


def _release(pool: Pool, row: int, now_ms: int, reason: str) -> None:
    """The conversation is over for its agent: wrap-up or home. Without the caller there was none to wrap up."""
    entries, agents = pool.entries, pool.agents
    agent = entries.agent[row]
    entries.agent[row] = -1
    if entries.away[row]:
        agents.wrap_ms[agent] = 0
    fairness.count_talk(pool, agent, now_ms - entries.connected[row], now_ms)
    queue = pool.queue_at(entries.queue[row])
    agents.entry[agent] = -1
    if agents.offer[agent] >= 0:
        offer_rows.close(pool, agents.offer[agent], "answered", now_ms, cancel=False)
    agent_machine.step(pool, agent, END, now_ms, reason, queue.spec.id, entries.call[row])
