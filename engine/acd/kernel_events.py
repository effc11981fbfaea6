"""The distributor in one loop: events, deadlines and settling of `happenings` and `machine`, compiled.

The same transition arrays, the same columns, the same pick; Python's part decides in objects and lists, this one in
arrays, and streams of random events leave both in the same state to the byte (tests/acd/test_kernel_events.py).
Queues, agents and calls are rows and small numbers here: the owner translates. Importing this imports numba.
"""

from __future__ import annotations

import numpy as np

from engine.acd.deadlines import ENTRY, MORE, OFFER
from engine.acd.kernel_agents import CALL_MS_MAX, catch_up, refresh_idle, step_agent
from engine.acd.kernel_decide import settle
from engine.acd.kernel_entries import (
    AGENT_STATE,
    ENDED,
    MOVED,
    REASONS,
    TIMED_OUT,
    close_offer,
    join,
    lose,
    step_entry,
    tell_lost,
    win,
)
from engine.acd.kernel_rows import OUT_BREACH, OUT_CANCEL, arm_agent, owned_by_nobody, pop_due, say, touch
from engine.acd.kernel_state import A, E, L, O, P, Q, State
from engine.acd.offers import FAILURES
from engine.acd.tables import (
    AGENT_ACTIONS,
    CANCEL,
    DEADLINE,
    E_ALERTING,
    E_CONNECTED,
    E_DEADLINE,
    E_END,
    E_LEAVE,
    FAULT,
    FREE,
    LOGIN,
    LOGIN_PAUSED,
    LOGOUT,
    MISS,
    NOT_READY,
    O_ANSWER,
    O_DEADLINE,
    O_FAIL,
    O_FREE,
    O_RINGING,
    O_WITHDRAW,
    OCCUPIED,
    OCCUPY,
    OFFER_ACTIONS,
    OFFER_NEXT,
    PAUSE,
    RESUME,
    TALKING,
    TELL,
    IntArray,
)
from engine.jit import kernel, part

# kinds of a step of `play`
JOINED, LEFT_QUEUE, OFFER_ANSWERED, OFFER_FAILED, CALL_ENDED, LOGGED_IN, LOGGED_OUT, PAUSED, READY = range(9)
REACHABLE, OCCUPIED_BY, SETTLE, EXPIRE, ADVANCE = range(9, 14)
STEP_WIDTH = 6

_COUNTS = np.array([counts for _, counts in FAILURES.values()])  # by number of the failure: is it a miss?
_FAILED = np.array([REASONS.index(reason) for reason in FAILURES])
NO_ANSWER = list(FAILURES).index("no_answer")
REST = Q.rest_no_answer


# --- callers ------------------------------------------------------------------------------------------
@part
def call_joined(s: State, call: int, queue: int, priority_ms: int, wait_ms: int, needs: int, now_ms: int) -> None:
    """`needs` words of State.lists[L.needs]: skill << 8 | level."""
    row = s.calls[call]
    if row >= 0:
        if s.entries[E.queue, row] == queue and s.entries[E.state, row] != E_CONNECTED:
            return
        step_entry(s, row, E_LEAVE, now_ms, MOVED)
    join(s, call, queue, priority_ms, wait_ms, needs, now_ms)


@part
def call_left(s: State, call: int, reason: int, now_ms: int) -> None:
    """`reason`: ABANDONED, MOVED or LEFT."""
    if s.calls[call] >= 0:
        step_entry(s, s.calls[call], E_LEAVE, now_ms, reason)


@part
def call_ended(s: State, call: int, agent: int, now_ms: int) -> None:
    """Only the agent who has the conversation can end it."""
    row = s.calls[call]
    if row >= 0 and agent >= 0 and s.entries[E.agent, row] == agent:
        step_entry(s, row, E_END, now_ms, ENDED)


# --- offers -------------------------------------------------------------------------------------------
@part
def find_offer(s: State, offer: int) -> int:
    """As `offers.find`."""
    row = offer & 0xFFFF
    if offer <= 0 or row >= s.pool[P.offers_used] or s.offers[O.id, row] != offer:
        return -1
    return -1 if s.offers[O.state, row] == O_FREE else int(row)


@part
def offer_answered(s: State, offer: int, now_ms: int) -> None:
    """An answer, perhaps too late."""
    row = find_offer(s, offer)
    if row < 0:
        say(s, OUT_CANCEL, offer, -1, -1, TIMED_OUT, 0)
        return
    state = s.offers[O.state, row]
    if OFFER_ACTIONS[state, O_ANSWER] & TELL:
        tell_lost(s, row)
    elif OFFER_NEXT[state, O_ANSWER] != state:
        win(s, row, now_ms)


@part
def offer_failed(s: State, offer: int, failure: int, now_ms: int) -> None:
    """`failure`: its number in FAILURES."""
    row = find_offer(s, offer)
    if row >= 0:
        _end_offer(s, row, O_FAIL, failure, now_ms, False)


@part
def _end_offer(s: State, row: int, given: int, failure: int, now_ms: int, cancel: bool) -> None:
    o, a = s.offers, s.agents
    state = o[O.state, row]
    if OFFER_ACTIONS[state, given] & FAULT:
        say(s, OUT_BREACH, 4, row, state, given, 0)
    if OFFER_NEXT[state, given] == state or state != O_RINGING:
        return
    agent, entry, queue = o[O.agent, row], o[O.entry, row], o[O.queue, row]
    close_offer(s, row, _FAILED[failure], now_ms, cancel)
    s.queues[Q.tally_missed, queue] += 1
    a[A.missed, agent] += 1
    a[A.rest_until, agent] = now_ms + s.queues[REST + failure, queue]
    if _COUNTS[failure]:
        a[A.misses, agent] += 1
        if 0 < s.queues[Q.misses_max, queue] <= a[A.misses, agent]:
            a[A.wish, agent] = NOT_READY
    step_agent(s, agent, MISS, now_ms)
    lose(s, entry, now_ms)


# --- agents -------------------------------------------------------------------------------------------
@part
def ask(s: State, row: int, given: int, now_ms: int) -> None:
    """As `happenings.ask`: an input that may take his ringing offer away first."""
    offer = s.agents[A.offer, row]
    if offer >= 0 and AGENT_ACTIONS[s.agents[A.state, row], given] & CANCEL:
        state = s.offers[O.state, offer]
        if OFFER_NEXT[state, O_WITHDRAW] != state:
            entry = s.offers[O.entry, offer]
            close_offer(s, offer, AGENT_STATE, now_ms, True)
            lose(s, entry, now_ms)
    step_agent(s, row, given, now_ms)


@part
def agent_ready(s: State, row: int, now_ms: int) -> None:
    """Back from a pause, or out of his wrap-up."""
    ask(s, row, RESUME, now_ms)


@part
def agent_reachable(s: State, row: int, reachable: int, now_ms: int) -> None:
    """As `happenings.reachable`."""
    if reachable and not s.agents[A.reachable, row]:
        catch_up(s, row)
    s.agents[A.reachable, row] = reachable
    refresh_idle(s, row)


@part
def agent_occupied(s: State, row: int, occupied: int, now_ms: int) -> None:
    """As `happenings.occupied`."""
    a = s.agents
    a[A.occupied_until, row] = now_ms + CALL_MS_MAX if occupied else 0
    if occupied and a[A.state, row] == OCCUPIED:
        arm_agent(s, row, a[A.occupied_until, row])
    if not a[A.second_line, row] or a[A.state, row] == OCCUPIED:
        ask(s, row, OCCUPY if occupied else FREE, now_ms)


# --- time ---------------------------------------------------------------------------------------------
@part
def expire(s: State, now_ms: int) -> None:
    """Everything whose deadline has come, in the heap's order."""
    s.pool[P.now_ms] = max(s.pool[P.now_ms], now_ms)
    word = pop_due(s, now_ms)
    while word >= 0:
        kind, row = word >> 16, word & 0xFFFF
        if kind == OFFER:
            _end_offer(s, row, O_DEADLINE, NO_ANSWER, now_ms, True)
        elif kind == ENTRY:
            step_entry(s, row, E_DEADLINE, now_ms, TIMED_OUT)
        elif kind == MORE:
            if s.entries[E.state, row] == E_ALERTING:
                touch(s, s.entries[E.queue, row])
        else:
            _agent_deadline(s, row, now_ms)
        word = pop_due(s, now_ms)


@part
def _agent_deadline(s: State, row: int, now_ms: int) -> None:
    state = s.agents[A.state, row]
    if state == OCCUPIED:
        s.agents[A.occupied_until, row] = 0
    if state == TALKING and s.agents[A.entry, row] >= 0:
        step_entry(s, s.agents[A.entry, row], E_DEADLINE, now_ms, ENDED)
        return
    ask(s, row, DEADLINE, now_ms)


# --- a whole stream -----------------------------------------------------------------------------------
@kernel
def play(s: State, steps: IntArray) -> None:
    """A stream of steps (n, STEP_WIDTH): kind and up to five numbers. It needs nothing of what the loop answers.

    Who answers or ends names a row instead of an offer or a call (taken modulo the rows in use), so that a stream can
    be drawn before it is played: JOINED call, queue, priority ms, wait ms, need; LEFT_QUEUE call, reason;
    OFFER_ANSWERED row, generations too old; OFFER_FAILED row, generations, failure; CALL_ENDED row of an entry, 1 for
    a wrong agent; LOGGED_IN agent, ready; LOGGED_OUT, PAUSED, READY agent; REACHABLE, OCCUPIED_BY agent, 0 or 1;
    SETTLE; EXPIRE; ADVANCE ms.
    """
    _play(owned_by_nobody(s), steps)


@part
def _play(s: State, steps: IntArray) -> None:
    now_ms = s.pool[P.now_ms]
    for place in range(steps.shape[0]):
        kind, one, two, three = steps[place, 0], steps[place, 1], steps[place, 2], steps[place, 3]
        if kind == ADVANCE:
            now_ms += one
            continue
        if kind == SETTLE:
            settle(s, now_ms)
            continue
        s.pool[P.now_ms] = now_ms
        if kind == EXPIRE:
            expire(s, now_ms)
        elif kind == JOINED:
            s.lists[L.needs, 0] = steps[place, 5]
            call_joined(s, one, two, three, steps[place, 4], 1 if steps[place, 5] else 0, now_ms)
        elif kind == LEFT_QUEUE:
            call_left(s, one, two, now_ms)
        elif kind == OFFER_ANSWERED:
            offer_answered(s, _offer_at(s, one, two), now_ms)
        elif kind == OFFER_FAILED:
            offer_failed(s, _offer_at(s, one, two), three, now_ms)
        elif kind == CALL_ENDED:
            if s.pool[P.entries_used]:
                row = one % s.pool[P.entries_used]
                call_ended(s, s.entries[E.call, row], s.entries[E.agent, row] + two, now_ms)
        elif kind == REACHABLE:
            agent_reachable(s, one, two, now_ms)
        elif kind == OCCUPIED_BY:
            agent_occupied(s, one, two, now_ms)
        else:
            ask(s, one, _input(kind, two), now_ms)


@part
def _offer_at(s: State, row: int, older: int) -> int:
    used = s.pool[P.offers_used]
    return int(s.offers[O.id, row % used] - (older << 16)) if used else 1


@part
def _input(kind: int, ready: int) -> int:
    if kind == LOGGED_IN:
        return LOGIN if ready else LOGIN_PAUSED
    if kind == LOGGED_OUT:
        return LOGOUT
    return PAUSE if kind == PAUSED else RESUME
