"""The agent machine and the loads of `agents` and `fairness`, over the same transition arrays, for the loop."""

from __future__ import annotations

import numpy as np

from engine import limits
from engine.acd.fairness import AWAY, CALL, HALVING_MS
from engine.acd.kernel_rows import OUT_BREACH, arm_agent, say, touch
from engine.acd.kernel_state import A, E, L, O, P, Q, State, T
from engine.acd.tables import (
    AGENT_ACTIONS,
    AGENT_NEXT,
    ALERTING,
    FAULT,
    HOME,
    IDLE,
    LEAVE,
    LOGGED_OUT,
    LOGIN,
    LOGOUT,
    NOT_READY,
    OCCUPIED,
    READY,
    RESTING,
    RESUME,
    TALKING,
    UNREST,
    WISH,
    WRAP,
    WRAP_UP,
)
from engine.jit import part

CALL_MS_MAX = limits.call_ms_max + limits.hangup_grace_ms
WRAP_UP_MS_MAX = limits.wrap_up_ms_max
SPENT = A.spent_0
_AWAY = np.array(AWAY)


@part
def home(s: State, row: int, now_ms: int) -> int:
    """As `agents.home`."""
    wish = s.agents[A.wish, row]
    if wish == LOGGED_OUT or s.agents[A.removed, row]:
        return LOGGED_OUT
    if wish == NOT_READY:
        return NOT_READY
    if s.agents[A.occupied_until, row] > now_ms and not s.agents[A.second_line, row]:
        return OCCUPIED
    if s.agents[A.rest_until, row] > now_ms:
        return RESTING
    return READY


@part
def step_agent(s: State, row: int, given: int, now_ms: int) -> None:
    """As `agents.step`."""
    state = s.agents[A.state, row]
    goal, actions = AGENT_NEXT[state, given], AGENT_ACTIONS[state, given]
    if actions:
        if actions & FAULT:
            say(s, OUT_BREACH, 1, row, state, given, 0)
        if actions & WISH:
            if given in (LOGIN, RESUME):
                s.agents[A.wish, row] = READY
            else:
                s.agents[A.wish, row] = LOGGED_OUT if given == LOGOUT else NOT_READY
        if actions & UNREST:
            s.agents[A.rest_until, row] = s.agents[A.misses, row] = 0
        if actions & IDLE:
            s.agents[A.idle_since, row] = now_ms
    if goal == LEAVE:
        if s.agents[A.wrap_firm, row]:
            return
        s.agents[A.idle_since, row] = now_ms
    if goal >= HOME:
        goal = WRAP_UP if goal == WRAP and s.agents[A.wrap_ms, row] > 0 else home(s, row, now_ms)
    if goal != state:
        _enter(s, row, goal, now_ms)


@part
def plan_wrap_up(s: State, row: int, queue: int) -> None:
    """As `agents.plan_wrap_up` where nobody said a mode: timed when there is a time, and his to end."""
    own = s.agents[A.wrap_own, row]
    ms = max(0, min(own if own >= 0 else s.queues[Q.wrap_up_ms, queue], WRAP_UP_MS_MAX))
    s.agents[A.wrap_ms, row] = ms
    s.agents[A.wrap_asked_ms, row] = s.agents[A.wrap_firm, row] = 0
    s.agents[A.wrap_extensions, row] = s.queues[Q.extensions, queue] if ms else 0
    s.agents[A.wrap_extend_ms, row] = s.queues[Q.extend_ms, queue]


@part
def _enter(s: State, row: int, new: int, now_ms: int) -> None:
    agents = s.agents
    old = agents[A.state, row]
    agents[SPENT + old, row] += now_ms - agents[A.since, row]
    agents[A.state, row] = new
    agents[A.since, row] = now_ms
    arm_agent(s, row, _deadline(s, row, new, now_ms))
    if old == LOGGED_OUT or new == LOGGED_OUT:
        change = 1 if old == LOGGED_OUT else -1
        for place in range(s.lists[L.first_seat, row], s.lists[L.first_seat, row + 1]):
            s.queues[Q.on_duty, s.team[T.queue, s.lists[L.seats, place]]] += change
    if _AWAY[old] and not _AWAY[new]:
        catch_up(s, row)
    refresh_idle(s, row)


@part
def _deadline(s: State, row: int, state: int, now_ms: int) -> int:
    if state == ALERTING:
        return int(s.offers[O.deadline, s.agents[A.offer, row]])
    if state == TALKING:
        return now_ms + CALL_MS_MAX
    if state == WRAP_UP:
        return int(now_ms + s.agents[A.wrap_ms, row])
    if state == RESTING:
        return int(s.agents[A.rest_until, row])
    if state == OCCUPIED:
        return int(s.agents[A.occupied_until, row])
    return 0


@part
def refresh_idle(s: State, row: int) -> None:
    """As `agents.refresh_idle` and `pool.set_idle`."""
    agents = s.agents
    idle = agents[A.state, row] == READY and agents[A.reachable, row] == 1 and not agents[A.removed, row]
    if bool(agents[A.idle, row]) == idle:
        return
    agents[A.idle, row] = 1 if idle else 0
    lists = s.lists
    for place in range(lists[L.first_seat, row], lists[L.first_seat, row + 1]):
        seat = lists[L.seats, place]
        queue = s.team[T.queue, seat]
        first, count = s.queues[Q.first_row, queue], s.queues[Q.idle, queue]
        if idle:
            lists[L.idle, first + count], lists[L.idle_at, seat] = seat, first + count
            s.queues[Q.idle, queue] = count + 1
            touch(s, queue)
        else:
            last, at = lists[L.idle, first + count - 1], lists[L.idle_at, seat]
            lists[L.idle, at], lists[L.idle_at, last] = last, at
            s.queues[Q.idle, queue] = count - 1


# --- loads ----------------------------------------------------------------------------------------------
@part
def count_call(s: State, row: int, now_ms: int) -> None:
    """He has answered a call."""
    _fade(s, now_ms)
    s.agents[A.call_load, row] += CALL


@part
def count_talk(s: State, row: int, entry: int, now_ms: int) -> None:
    """His conversation with this entry is over."""
    _fade(s, now_ms)
    s.agents[A.talk_load, row] += now_ms - s.entries[E.connected, entry]
    s.agents[A.last_end, row] = now_ms


@part
def _fade(s: State, now_ms: int) -> None:
    fades = now_ms // HALVING_MS
    if fades <= s.pool[P.fades]:
        return
    halvings = min(fades - s.pool[P.fades], 62)
    for row in range(s.agents.shape[1]):
        s.agents[A.call_load, row] >>= halvings
        s.agents[A.talk_load, row] >>= halvings
    s.pool[P.fades] = fades


@part
def catch_up(s: State, agent: int) -> None:
    """As `fairness.catch_up`."""
    agents, team = s.agents, s.team
    calls, talk = 0, 0
    for place in range(s.lists[L.first_seat, agent], s.lists[L.first_seat, agent + 1]):
        seat = s.lists[L.seats, place]
        queue = team[T.queue, seat]
        if not s.queues[Q.fair, queue]:
            continue
        least_calls, least_talk, equals = 0, 0, 0
        row = s.lists[L.level_start, seat]
        while row < s.queues[Q.end_row, queue] and team[T.level, row] == team[T.level, seat]:
            other = team[T.agent, row]
            row += 1
            if other == agent or agents[A.reachable, other] != 1 or _AWAY[agents[A.state, other]]:
                continue
            if not equals or agents[A.call_load, other] < least_calls:
                least_calls = agents[A.call_load, other]
            if not equals or agents[A.talk_load, other] < least_talk:
                least_talk = agents[A.talk_load, other]
            equals += 1
        calls, talk = max(calls, least_calls), max(talk, least_talk)
    agents[A.call_load, agent] = max(agents[A.call_load, agent], calls)
    agents[A.talk_load, agent] = max(agents[A.talk_load, agent], talk)
