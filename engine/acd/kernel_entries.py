"""The entry machine and the offers' rows of `entries` and `offers`, over the same transition arrays, for the loop."""

from __future__ import annotations

from engine import limits
from engine.acd import offers
from engine.acd.kernel_agents import CALL_MS_MAX, count_call, count_talk, plan_wrap_up, step_agent
from engine.acd.kernel_rows import (
    NEED0,
    ORDER,
    OUT_BREACH,
    OUT_CANCEL,
    OUT_CONNECT,
    OUT_ENDED,
    OUT_OFFER,
    WAITING,
    arm_entry,
    arm_offer,
    drop,
    give_entry,
    put,
    remember_closed,
    say,
    take_entry,
    take_offer,
    touch,
)
from engine.acd.kernel_state import A, E, L, O, P, Q, State
from engine.acd.pool import LATE_MS, OFFER_GRACE_MS
from engine.acd.tables import (
    CANCEL,
    CONNECT,
    E_ALL_LOST,
    E_CONNECT,
    E_CONNECTED,
    E_ENDED,
    E_JOIN,
    E_LOST,
    E_WAITING,
    END,
    ENTRY_ACTIONS,
    ENTRY_NEXT,
    FAULT,
    O_CLOSED,
    O_RINGING,
    O_WON,
    RELEASE,
    TIMEOUT,
    WITHDRAW,
)
from engine.jit import part

# reasons as numbers: those that offers end with, then those that only callers leave with
REASONS = (*offers.REASONS, "abandoned", "left", "full", "no_agents", "ended")
ANSWERED, ELSEWHERE, GONE, TIMED_OUT, AGENT_STATE, MOVED, ABANDONED, LEFT, FULL, NO_AGENTS, ENDED = (
    REASONS.index(reason)
    for reason in (
        "answered", "answered_elsewhere", "caller_gone", "timeout", "agent_state", "moved", "abandoned", "left",
        "full", "no_agents", "ended",
    )
)  # fmt: skip
WAIT_MS_MAX = limits.queue_wait_ms_max


# --- offers ---------------------------------------------------------------------------------------------
@part
def start_offer(s: State, entry: int, agent: int, now_ms: int) -> int:
    """As `offers.start`."""
    row = take_offer(s, now_ms)
    if row < 0:
        return -1
    o, queue = s.offers, s.entries[E.queue, entry]
    ring_ms = s.queues[Q.ring_ms, queue]
    o[O.id, row] = o[O.generation, row] << 16 | row
    o[O.call_id, row], o[O.agent_id, row] = s.entries[E.call, entry], s.agents[A.id, agent]
    o[O.state, row] = O_RINGING
    o[O.entry, row], o[O.agent, row], o[O.queue, row] = entry, agent, queue
    o[O.started, row] = now_ms
    arm_offer(s, row, now_ms + ring_ms + OFFER_GRACE_MS)
    o[O.next, row] = s.entries[E.first, entry]
    s.entries[E.first, entry] = row
    s.entries[E.ringing, entry] += 1
    s.agents[A.offer, agent] = row
    s.agents[A.offered, agent] += 1
    s.agents[A.last_offered, agent] = now_ms
    s.agents[A.serves, agent] = queue + 1
    s.queues[Q.tally_offers, queue] += 1
    say(s, OUT_OFFER, o[O.id, row], s.entries[E.call, entry], agent, queue, ring_ms)
    return row


@part
def _unlink(s: State, row: int) -> None:
    o = s.offers
    entry, after = o[O.entry, row], o[O.next, row]
    if s.entries[E.first, entry] == row:
        s.entries[E.first, entry] = after
    else:
        before = s.entries[E.first, entry]
        while o[O.next, before] != row:
            before = o[O.next, before]
        o[O.next, before] = after
    o[O.next, row] = -1
    s.entries[E.ringing, entry] -= 1


@part
def close_offer(s: State, row: int, reason: int, now_ms: int, cancel: bool) -> None:
    """As `offers.close`."""
    o = s.offers
    was = o[O.state, row]
    if was == O_RINGING:
        _unlink(s, row)
    o[O.state, row] = O_CLOSED
    o[O.reason, row] = reason
    o[O.until, row] = now_ms + LATE_MS
    arm_offer(s, row, 0)
    remember_closed(s, row)
    agent = o[O.agent, row]
    if s.agents[A.offer, agent] == row:
        s.agents[A.offer, agent] = -1
    if was == O_RINGING and cancel:
        tell_lost(s, row)


@part
def tell_lost(s: State, row: int) -> None:
    """As `offers.tell_lost`."""
    reason = s.offers[O.reason, row]
    if reason == ANSWERED:
        reason = GONE
    elif reason < ELSEWHERE:
        reason = TIMED_OUT
    say(s, OUT_CANCEL, s.offers[O.id, row], s.offers[O.call_id, row], s.offers[O.agent, row], reason, 0)


# --- entries --------------------------------------------------------------------------------------------
@part
def join(s: State, call: int, queue: int, priority_ms: int, wait_ms: int, needs: int, now_ms: int) -> None:
    """As `entries.join`; `needs` words of State.lists[L.needs] are packed."""
    refusal = 0
    if not s.queues[Q.join_empty, queue] and s.queues[Q.on_duty, queue] == 0:
        refusal = NO_AGENTS
        s.queues[Q.tally_refused_no_agents, queue] += 1
    elif (
        s.queues[Q.order, queue] >= s.queues[Q.entries_max, queue]
        or s.pool[P.entries_used] - s.pool[P.entries_free] >= s.pool[P.entries_max]
    ):
        refusal = FULL
        s.queues[Q.tally_refused_full, queue] += 1
    if refusal:
        say(s, OUT_ENDED, call, refusal, queue, 0, 0)
        return
    entry = take_entry(s)
    e = s.entries
    s.pool[P.sequence] += 1
    s.calls[call] = entry
    e[E.call, entry] = call
    e[E.queue, entry] = queue
    e[E.sequence, entry] = s.pool[P.sequence]
    e[E.joined, entry] = now_ms
    e[E.effective, entry] = now_ms - priority_ms
    if priority_ms:
        s.queues[Q.ranked, queue] = 1
    wait_ms = wait_ms if wait_ms else s.queues[Q.wait_ms_max, queue]
    e[E.wait_until, entry] = now_ms + (min(wait_ms, WAIT_MS_MAX) if wait_ms > 0 else WAIT_MS_MAX)
    for place in range(needs):
        e[NEED0 + place, entry] = s.lists[L.needs, place]
    s.queues[Q.tally_offered, queue] += 1
    step_entry(s, entry, E_JOIN, now_ms, 0)


@part
def step_entry(s: State, row: int, given: int, now_ms: int, reason: int) -> None:
    """As `entries.step`."""
    e = s.entries
    state = e[E.state, row]
    goal, actions = ENTRY_NEXT[state, given], ENTRY_ACTIONS[state, given]
    if actions:
        if actions & FAULT:
            say(s, OUT_BREACH, 2, row, state, given, 0)
        if actions & CANCEL:
            withdraw_all(s, row, reason, now_ms)
        if actions & RELEASE:
            _release(s, row, now_ms)
        if actions & TIMEOUT:
            _tell_timeout(s, row, now_ms)
    if goal == state:
        return
    queue = e[E.queue, row]
    if goal == E_ENDED:
        _leave(s, queue, row, state, now_ms, TIMED_OUT if actions & TIMEOUT else reason)
    elif goal == E_WAITING:
        _wait(s, queue, row, state, now_ms)
    else:
        e[E.state, row] = goal
        if state == E_WAITING:
            drop(s, WAITING, queue, row)
        if goal == E_CONNECTED:
            _connect(s, queue, row, now_ms)


@part
def _wait(s: State, queue: int, row: int, state: int, now_ms: int) -> None:
    until = s.entries[E.wait_until, row]
    if until <= now_ms:
        _tell_timeout(s, row, now_ms)
        _leave(s, queue, row, state, now_ms, TIMED_OUT)
        return
    s.entries[E.state, row] = E_WAITING
    arm_entry(s, row, until)
    if state == E_ENDED:
        put(s, ORDER, queue, row)
    put(s, WAITING, queue, row)
    touch(s, queue)


@part
def _connect(s: State, queue: int, row: int, now_ms: int) -> None:
    q = s.queues
    drop(s, ORDER, queue, row)
    q[Q.connected, queue] += 1
    s.entries[E.connected, row] = now_ms
    arm_entry(s, row, now_ms + CALL_MS_MAX)
    waited = now_ms - s.entries[E.joined, row]
    q[Q.tally_answered, queue] += 1
    q[Q.tally_waited_ms, queue] += waited
    q[Q.tally_waited_ms_max, queue] = max(q[Q.tally_waited_ms_max, queue], waited)
    if waited <= q[Q.service_level_ms, queue]:
        q[Q.tally_answered_in_time, queue] += 1


@part
def _leave(s: State, queue: int, row: int, state: int, now_ms: int, reason: int) -> None:
    q, e = s.queues, s.entries
    if state == E_CONNECTED:
        q[Q.connected, queue] -= 1
        q[Q.tally_completed, queue] += 1
        q[Q.tally_talked_ms, queue] += now_ms - e[E.connected, row]
    elif state != E_ENDED or reason == TIMED_OUT:
        if state != E_ENDED:
            drop(s, ORDER, queue, row)
        if state == E_WAITING:
            drop(s, WAITING, queue, row)
        if reason == TIMED_OUT:
            q[Q.tally_timed_out, queue] += 1
        elif reason == ABANDONED:
            q[Q.tally_abandoned, queue] += 1
            if now_ms - e[E.joined, row] <= q[Q.service_level_ms, queue]:
                q[Q.tally_abandoned_in_time, queue] += 1
        else:
            q[Q.tally_left, queue] += 1
    s.calls[e[E.call, row]] = -1
    give_entry(s, row)


@part
def _tell_timeout(s: State, row: int, now_ms: int) -> None:
    waited = now_ms - s.entries[E.joined, row]
    say(s, OUT_ENDED, s.entries[E.call, row], TIMED_OUT, s.entries[E.queue, row], waited, 0)


@part
def win(s: State, offer: int, now_ms: int) -> None:
    """As `entries.win`."""
    o, a = s.offers, s.agents
    row, agent = o[O.entry, offer], o[O.agent, offer]
    queue, call = s.entries[E.queue, row], s.entries[E.call, row]
    _unlink(s, offer)
    o[O.state, offer] = O_WON
    arm_offer(s, offer, 0)
    say(s, OUT_CONNECT, o[O.id, offer], call, agent, queue, now_ms - s.entries[E.joined, row])
    s.entries[E.agent, row] = agent
    a[A.entry, agent] = row
    a[A.misses, agent] = 0
    a[A.answered, agent] += 1
    count_call(s, agent, now_ms)
    plan_wrap_up(s, agent, queue)
    step_agent(s, agent, CONNECT, now_ms)
    step_entry(s, row, E_CONNECT, now_ms, ELSEWHERE)


@part
def lose(s: State, row: int, now_ms: int) -> None:
    """As `entries.lose`."""
    if s.entries[E.ringing, row]:
        step_entry(s, row, E_LOST, now_ms, 0)
        touch(s, s.entries[E.queue, row])
    else:
        step_entry(s, row, E_ALL_LOST, now_ms, 0)


@part
def withdraw_all(s: State, row: int, reason: int, now_ms: int) -> None:
    """As `entries.withdraw_all`: in the order in which the phones began to ring."""
    told = reason if reason in (ELSEWHERE, MOVED, TIMED_OUT) else GONE
    count = 0
    offer = s.entries[E.first, row]
    while offer >= 0:
        s.lists[L.ringing, count] = offer
        count += 1
        offer = s.offers[O.next, offer]
    while count > 0:
        count -= 1
        offer = s.lists[L.ringing, count]
        agent = s.offers[O.agent, offer]
        close_offer(s, offer, told, now_ms, True)
        step_agent(s, agent, WITHDRAW, now_ms)


@part
def _release(s: State, row: int, now_ms: int) -> None:
    agent = s.entries[E.agent, row]
    s.entries[E.agent, row] = -1
    count_talk(s, agent, row, now_ms)
    s.agents[A.entry, agent] = -1
    if s.agents[A.offer, agent] >= 0:
        close_offer(s, s.agents[A.offer, agent], ANSWERED, now_ms, False)
    step_agent(s, agent, END, now_ms)
