"""The agent machine: one step of the table in `tables`, with its bookkeeping. It never touches offers or entries.

Idle time (longest-idle-agent) begins at the end of the last work: a conversation, its wrap-up, or a call of another
kind that occupied him. A pause, a missed or withdrawn offer and a reload leave it as it was. A login sets it to now,
so logging out and in again leads to the end of the line, never past anybody; a second login without a logout
doesn't change it.
"""

from __future__ import annotations

from engine import limits
from engine.acd import fairness, occupancy, preference, rests
from engine.acd.commands import AgentChanged
from engine.acd.learning import TALK
from engine.acd.learning import WRAP as WRAP_TIME
from engine.acd.model import DISCRETIONARY, NONE, OPTIONAL, OPTIONAL_TIMED, TIMED, QueueSpec
from engine.acd.pool import Pool
from engine.acd.tables import (
    AGENT_ACTIONS,
    AGENT_INPUTS,
    AGENT_NEXT,
    AGENT_STATES,
    ALERTING,
    FAULT,
    HOME,
    IDLE,
    LEAVE,
    LOGGED_OUT,
    LOGIN,
    LOGIN_PAUSED,
    LOGOUT,
    NOT_READY,
    OCCUPIED,
    PAUSE,
    READY,
    RESTING,
    RESUME,
    TALKING,
    UNREST,
    WISH,
    WRAP,
    WRAP_UP,
)

CALL_MS_MAX = limits.call_ms_max + limits.hangup_grace_ms  # the owner's own limit comes first
NEXT: list[list[int]] = AGENT_NEXT.tolist()
ACTIONS: list[list[int]] = AGENT_ACTIONS.tolist()
TIME_FIRM, CODE_FIRM = 1, 2  # bits of `wrap_firm`
_LEARNT = {TALKING: TALK, WRAP_UP: WRAP_TIME}
_WISHES = {LOGIN: READY, RESUME: READY, LOGIN_PAUSED: NOT_READY, PAUSE: NOT_READY, LOGOUT: LOGGED_OUT}


def home(pool: Pool, row: int, now_ms: int) -> int:
    """Where he belongs when no offer, conversation or wrap-up of ours holds him: the first of these that is true."""
    agents = pool.agents
    wish = agents.wish[row]
    if wish == LOGGED_OUT or agents.removed[row]:
        return LOGGED_OUT
    if wish == NOT_READY:
        return NOT_READY
    if agents.occupied_until[row] > now_ms and not agents.second_line[row]:
        return OCCUPIED
    if agents.rest_until[row] > now_ms:
        return RESTING
    if agents.humane[row] and rests.hold(pool, row, now_ms):
        return RESTING
    return READY


def step(pool: Pool, row: int, given: int, now_ms: int, reason: str, queue: int = -1, call: int = -1) -> None:
    """One input to one agent. `reason`, `queue` and `call` (ids) go into AgentChanged.

    An input whose actions hold CANCEL needs his offer taken away before: `happenings.ask` does both.
    """
    agents = pool.agents
    state = agents.state[row]
    goal = NEXT[state][given]
    actions = ACTIONS[state][given]
    if actions:
        if actions & FAULT:
            pool.breach(f"agent.{AGENT_STATES[state]}.{AGENT_INPUTS[given]}", f"agent {agents.id[row]}: {reason}")
        if actions & WISH:
            _wish(pool, row, _WISHES[given], reason)
        if actions & UNREST:
            agents.rest_until[row] = agents.misses[row] = 0
        if actions & IDLE:
            agents.idle_since[row] = now_ms
    if goal == LEAVE:
        if agents.wrap_firm[row]:
            return
        agents.idle_since[row] = now_ms
    if goal >= HOME:
        goal = WRAP_UP if goal == WRAP and agents.wrap_ms[row] > 0 else home(pool, row, now_ms)
    if goal != state:
        enter(pool, row, goal, now_ms, reason, queue, call)


def _wish(pool: Pool, row: int, wish: int, reason: str) -> None:
    agents = pool.agents
    if wish == NOT_READY:
        told = pool.pause_reasons[row]
        pool.pause_reasons[row] = reason
        if agents.state[row] == NOT_READY and told != reason:
            pool.out.append(AgentChanged(agents.id[row], "not_ready", "not_ready", reason))
    agents.wish[row] = wish
    preference.changed(pool, row)


def enter(pool: Pool, row: int, new: int, now_ms: int, reason: str, queue: int, call: int) -> None:
    agents = pool.agents
    old = agents.state[row]
    if agents.humane[row]:
        reason = rests.entering(pool, row, new, now_ms, reason)
    agents.spent[old][row] += now_ms - agents.since[row]
    if pool.occupancy:
        occupancy.moved(pool, row, old, new, now_ms)
    if old in _LEARNT:
        _learn(pool, row, old, now_ms)
    agents.state[row] = new
    agents.since[row] = now_ms
    pool.arm_agent(row, _deadline(pool, row, new, now_ms))
    if old == LOGGED_OUT or new == LOGGED_OUT:
        change = 1 if old == LOGGED_OUT else -1
        for seat, _ in pool.seats[row]:
            seat.on_duty += change
    if fairness.AWAY[old] and not fairness.AWAY[new]:
        fairness.catch_up(pool, row)
    if agents.held[row] >= 0 and new not in (READY, WRAP_UP, RESTING):
        entry = agents.held[row]
        let_go(pool, entry)
        pool.touch(pool.queue_at(pool.entries.queue[entry]))  # another one may be put aside for him
    elif new in (WRAP_UP, RESTING):
        for seat, _ in pool.seats[row]:
            if seat.absent:
                pool.touch(seat)  # he will be free at a time that is known: an absent caller may be rung up before
    refresh_idle(pool, row)
    if new == NOT_READY:
        reason = pool.pause_reasons[row]
    pool.out.append(AgentChanged(agents.id[row], AGENT_STATES[old], AGENT_STATES[new], reason, queue, call))
    if new == LOGGED_OUT and agents.removed[row]:
        forget(pool, row)


def plan_wrap_up(pool: Pool, row: int, queue: QueueSpec) -> None:
    """A conversation of this queue begins: what will follow it. His own mode and time come before the queue's.

    Without a time the modes that he ends himself last `wrap_up_ms_max` at most, so that nobody is stuck in them.
    """
    agents, spec = pool.agents, pool.specs[row]
    mode, ms, early = queue.wrap_up_mode, queue.wrap_up_ms, queue.wrap_up_early
    if spec is not None and spec.wrap_up_mode:
        mode, ms, early = spec.wrap_up_mode, spec.wrap_up_ms, spec.wrap_up_early
    elif agents.wrap_own[row] >= 0:
        ms = agents.wrap_own[row]
        mode = mode if mode and ms else ""
    mode = mode or (TIMED if ms > 0 else NONE)
    if ms <= 0 and mode in (OPTIONAL, DISCRETIONARY):
        ms = limits.wrap_up_ms_max
    ms = max(0, min(ms, limits.wrap_up_ms_max))
    agents.wrap_ms[row] = ms if mode in (TIMED, DISCRETIONARY) else 0
    agents.wrap_asked_ms[row] = ms if mode in (OPTIONAL, OPTIONAL_TIMED) else 0
    agents.wrap_firm[row] = (TIME_FIRM if mode == TIMED and not early else 0) | (
        CODE_FIRM if queue.wrap_up_coded else 0
    )
    agents.wrap_extensions[row] = queue.wrap_up_extensions_max if mode != NONE else 0
    agents.wrap_extend_ms[row] = queue.wrap_up_extend_ms


def wrap_up(pool: Pool, row: int, act: str, now_ms: int) -> None:
    """What he says about his wrap-up (AgentWrapUp). In a state where it means nothing, nothing happens."""
    agents = pool.agents
    state = agents.state[row]
    if act == "ask":
        if state == TALKING and agents.wrap_asked_ms[row]:
            agents.wrap_ms[row] = agents.wrap_asked_ms[row]
    elif act == "coded":
        agents.wrap_firm[row] &= ~CODE_FIRM
    elif act == "extend" and state == WRAP_UP and agents.wrap_extensions[row] > 0:
        until = min(agents.deadline[row] + agents.wrap_extend_ms[row], agents.since[row] + limits.wrap_up_ms_max)
        agents.wrap_extensions[row] -= 1
        if until > agents.deadline[row]:
            pool.arm_agent(row, until)


def _learn(pool: Pool, row: int, old: int, now_ms: int) -> None:
    """A conversation (with the ringing before it) or a wrap-up is over: its queue's estimates of wait want to know."""
    agents = pool.agents
    at = agents.serves[row] - 1
    queue = pool.queues[at] if 0 <= at < len(pool.queues) else None
    if queue is not None:
        begun = agents.last_offered[row] if old == TALKING else agents.since[row]
        pool.learn(queue, _LEARNT[old], now_ms - begun)


def _deadline(pool: Pool, row: int, state: int, now_ms: int) -> int:
    agents = pool.agents
    if state == ALERTING:
        return pool.offers.deadline[agents.offer[row]]
    if state == TALKING:
        return now_ms + CALL_MS_MAX
    if state == WRAP_UP:
        return now_ms + agents.wrap_ms[row]
    if state == RESTING:
        return max(agents.rest_until[row], agents.ease_until[row])
    if state == OCCUPIED:
        return agents.occupied_until[row]
    return 0


def refresh_idle(pool: Pool, row: int) -> None:
    """Offered calls only when ready, reachable, and not about to leave."""
    agents = pool.agents
    there = agents.state[row] == READY and agents.reachable[row] == 1 and not agents.removed[row]
    pool.set_idle(row, int(there and agents.held[row] < 0))


def put_aside(pool: Pool, row: int, entry: int) -> None:
    """He is kept free for an absent caller who is rung up now: nobody else is offered to him meanwhile."""
    pool.agents.held[row] = entry
    pool.entries.hold[entry] = row
    refresh_idle(pool, row)


def let_go(pool: Pool, entry: int) -> None:
    """Whoever was put aside for this caller may take the next one; nothing when nobody was."""
    row = pool.entries.hold[entry]
    if row >= 0:
        pool.entries.hold[entry] = pool.agents.held[row] = -1
        refresh_idle(pool, row)


def forget(pool: Pool, row: int) -> None:
    """A removed agent is home: his row is free. His seats go with the next settle, as they would by a restore."""
    pool.agent_rows.pop(pool.agents.id[row], None)
    pool.specs[row] = None
    pool.memberships[row] = ()
    pool.seats[row] = []
    pool.pause_reasons[row] = ""
    pool.follow()
    pool.stale = True
    pool.agents.give(row)
