"""What each event does to the columns (law 4: late, repeated and unknown ids find nobody and change nothing)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine import limits
from engine.acd import agents as agent_machine
from engine.acd import entries as entry_machine
from engine.acd import events as event_types
from engine.acd import fairness, preference, recalls, waking, widening
from engine.acd import offers as offer_rows
from engine.acd.agents import ACTIONS as AGENT_ACTIONS
from engine.acd.agents import CALL_MS_MAX
from engine.acd.commands import CancelOffer
from engine.acd.deadlines import ENTRY, LOOK, MORE, OFFER
from engine.acd.events import AcdEvent
from engine.acd.offers import FAILURES
from engine.acd.pool import OFFER_GRACE_MS, Pool, bounded
from engine.acd.tables import (
    AGENT_STATES,
    CANCEL,
    DEADLINE,
    E_ABSENT,
    E_ALERTING,
    E_CONNECTED,
    E_DEADLINE,
    E_END,
    E_LEAVE,
    E_RECALLED,
    E_WAITING,
    FAULT,
    FREE,
    LOGGED_OUT,
    LOGIN,
    LOGIN_PAUSED,
    LOGOUT,
    MISS,
    NOT_READY,
    O_ANSWER,
    O_DEADLINE,
    O_FAIL,
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
)

_OFFER_NEXT: list[list[int]] = OFFER_NEXT.tolist()
_OFFER_ACTIONS: list[list[int]] = OFFER_ACTIONS.tolist()


def handle(pool: Pool, event: AcdEvent, now_ms: int) -> None:
    """Apply one event."""
    HANDLERS[type(event)](pool, event, now_ms)


# --- callers ------------------------------------------------------------------------------------------
def call_joined(pool: Pool, event: event_types.CallJoined, now_ms: int) -> None:
    """The same word twice is dropped; joining another queue leaves the first (a conversation is over then)."""
    row = pool.calls.get(event.call, -1)
    if row >= 0:
        queue = pool.queue_at(pool.entries.queue[row])
        if queue.spec.id == event.queue and pool.entries.state[row] != E_CONNECTED:
            recalls.here(pool, event_types.CallHere(event.call, event.wait_ms_max), now_ms)  # had his place kept
            return
        entry_machine.step(pool, row, E_LEAVE, now_ms, "moved")
    entry_machine.join(pool, event, now_ms)
    if event.away and event.call in pool.calls:
        recalls.away(pool, event_types.CallAway(event.call, event.away, 0, 0, event.wait_ms_max), now_ms)


def call_away(pool: Pool, event: event_types.CallAway, now_ms: int) -> None:
    recalls.away(pool, event, now_ms)


def call_here(pool: Pool, event: event_types.CallHere, now_ms: int) -> None:
    recalls.here(pool, event, now_ms)


def call_left(pool: Pool, event: event_types.CallLeft, now_ms: int) -> None:
    row = pool.calls.get(event.call, -1)
    if row >= 0:
        entry_machine.step(pool, row, E_LEAVE, now_ms, event.reason)


def call_ended(pool: Pool, event: event_types.CallEnded, now_ms: int) -> None:
    """Only the agent who has the conversation can end it."""
    row = pool.calls.get(event.call, -1)
    agent = pool.agent_rows.get(event.agent, -1)
    if row >= 0 and agent >= 0 and pool.entries.agent[row] == agent:
        entry_machine.step(pool, row, E_END, now_ms, "call_ended")


def call_picked(pool: Pool, event: event_types.CallPicked, now_ms: int) -> None:
    """His phones stop first: the one who picks may own one of them."""
    row = pool.calls.get(event.call, -1)
    if row < 0 or pool.entries.state[row] not in (E_WAITING, E_ALERTING) or pool.entries.away[row]:
        return
    agent = pool.agent_rows.get(event.agent, -1)
    if agent < 0 or pool.agents.removed[agent] or pool.agents.state[agent] in (LOGGED_OUT, TALKING):
        entry_machine.step(pool, row, E_LEAVE, now_ms, entry_machine.PICKED)
        return
    entry_machine.withdraw_all(pool, row, entry_machine.PICKED, now_ms)
    if pool.agents.offer[agent] >= 0:
        pull(pool, pool.agents.offer[agent], "agent_state", now_ms)
    entry_machine.pick(pool, row, agent, now_ms)


# --- offers -------------------------------------------------------------------------------------------
def offer_answered(pool: Pool, event: event_types.OfferAnswered, now_ms: int) -> None:
    row = offer_rows.find(pool, event.offer)
    if row < 0:
        pool.out.append(CancelOffer(event.offer, -1, -1, "timeout"))
        return
    state = pool.offers.state[row]
    if _OFFER_ACTIONS[state][O_ANSWER] & TELL:
        offer_rows.tell_lost(pool, row)
    elif _OFFER_NEXT[state][O_ANSWER] != state:
        entry_machine.win(pool, row, now_ms)


def offer_held(pool: Pool, event: event_types.OfferHeld, now_ms: int) -> None:
    """However often it is said, no offer lasts longer than twice the longest ringing."""
    row = offer_rows.find(pool, event.offer)
    if row < 0 or pool.offers.state[row] != O_RINGING:
        return
    offers, entry = pool.offers, pool.offers.entry[row]
    until = now_ms + bounded(event.ms, limits.ring_ms_max) + OFFER_GRACE_MS
    until = max(offers.deadline[row], min(until, offers.started[row] + 2 * limits.ring_ms_max))
    pool.arm_offer(row, until)
    pool.arm_agent(offers.agent[row], until)
    pool.arm_entry(entry, max(pool.entries.deadline[entry], until))


def offer_failed(pool: Pool, event: event_types.OfferFailed, now_ms: int) -> None:
    row = offer_rows.find(pool, event.offer)
    if row >= 0:
        end_offer(pool, row, O_FAIL, event.reason if event.reason in FAILURES else "error", now_ms, cancel=False)


def end_offer(pool: Pool, row: int, given: int, reason: str, now_ms: int, *, cancel: bool) -> None:
    """A ringing offer fails: the agent rests as the reason demands, the caller goes back to his place."""
    offers, agents = pool.offers, pool.agents
    state = offers.state[row]
    if _OFFER_ACTIONS[state][given] & FAULT:
        pool.breach("offer.deadline", f"offer {offers.id[row]}")
    if _OFFER_NEXT[state][given] == state or state != O_RINGING:
        return
    agent, entry, call = offers.agent[row], offers.entry[row], offers.call_id[row]
    queue = pool.queue_at(offers.queue[row])
    offer_rows.close(pool, row, reason, now_ms, cancel=cancel)
    field, counts = FAILURES[reason]
    queue.tally.missed += 1
    agents.missed[agent] += 1
    agents.rest_until[agent] = now_ms + getattr(queue.spec, field)
    if counts:
        agents.misses[agent] += 1
        if 0 < queue.spec.misses_max <= agents.misses[agent]:
            agents.wish[agent] = NOT_READY
            pool.pause_reasons[agent] = "missed"
    preference.missed(pool, entry, agent)
    agent_machine.step(pool, agent, MISS, now_ms, reason, queue.spec.id, call)
    entry_machine.lose(pool, entry, now_ms)


def pull(pool: Pool, row: int, reason: str, now_ms: int) -> None:
    """Withdraw one ringing offer on the agent's account; the caller keeps his place. The agent is stepped after."""
    if _OFFER_NEXT[pool.offers.state[row]][O_WITHDRAW] == pool.offers.state[row]:
        return
    entry = pool.offers.entry[row]
    offer_rows.close(pool, row, reason, now_ms, cancel=True)
    entry_machine.lose(pool, entry, now_ms)


# --- agents -------------------------------------------------------------------------------------------
def ask(pool: Pool, row: int, given: int, now_ms: int, reason: str) -> None:
    """An input that may take his ringing offer away first."""
    agents = pool.agents
    if AGENT_ACTIONS[agents.state[row]][given] & CANCEL and agents.offer[row] >= 0:
        pull(pool, agents.offer[row], "agent_state", now_ms)
    agent_machine.step(pool, row, given, now_ms, reason)


def _agent(pool: Pool, event: Any) -> int:
    return pool.agent_rows.get(event.agent, -1)


def logged_in(pool: Pool, event: event_types.AgentLoggedIn, now_ms: int) -> None:
    row = _agent(pool, event)
    if row >= 0 and not pool.agents.removed[row]:
        ask(pool, row, LOGIN if event.ready else LOGIN_PAUSED, now_ms, "login")


def logged_out(pool: Pool, event: event_types.AgentLoggedOut, now_ms: int) -> None:
    row = _agent(pool, event)
    if row >= 0:
        ask(pool, row, LOGOUT, now_ms, "logout")


def not_ready(pool: Pool, event: event_types.AgentNotReady, now_ms: int) -> None:
    row = _agent(pool, event)
    if row >= 0:
        if event.force:
            pool.agents.wrap_firm[row] = 0
        ask(pool, row, PAUSE, now_ms, event.reason or "not_ready")


def ready(pool: Pool, event: event_types.AgentReady, now_ms: int) -> None:
    row = _agent(pool, event)
    if row >= 0:
        if event.force:
            pool.agents.wrap_firm[row] = 0
        ask(pool, row, RESUME, now_ms, "ready")


def wrap_up(pool: Pool, event: event_types.AgentWrapUp, now_ms: int) -> None:
    row = _agent(pool, event)
    if row >= 0:
        agent_machine.wrap_up(pool, row, event.act, now_ms)


def reachable(pool: Pool, event: event_types.AgentReachable, now_ms: int) -> None:
    """Only says whether he may be offered calls: his state is his own, and what rings may still be answered."""
    row = _agent(pool, event)
    if row >= 0:
        if event.reachable and not pool.agents.reachable[row]:
            fairness.catch_up(pool, row)
        pool.agents.reachable[row] = int(event.reachable)
        preference.changed(pool, row)
        agent_machine.refresh_idle(pool, row)


def occupied(pool: Pool, event: event_types.AgentOccupied, now_ms: int) -> None:
    """A call of another kind. Believed for CALL_MS_MAX, so that a lost end can't keep him out of the line for ever."""
    row = _agent(pool, event)
    if row < 0:
        return
    agents = pool.agents
    agents.occupied_until[row] = now_ms + CALL_MS_MAX if event.occupied else 0
    if event.occupied and agents.state[row] == OCCUPIED:
        pool.arm_agent(row, agents.occupied_until[row])
    if not agents.second_line[row] or agents.state[row] == OCCUPIED:
        ask(pool, row, OCCUPY if event.occupied else FREE, now_ms, event.kind or "other_call")


def skills(pool: Pool, event: event_types.AgentSkills, now_ms: int) -> None:
    """Somebody may wait for what he can do now."""
    row = _agent(pool, event)
    if row >= 0:
        pool.give_skills(row, event.skills)
        for queue, _ in pool.seats[row]:
            if queue.order:
                pool.touch(queue)


HANDLERS: dict[type, Callable[[Pool, Any, int], None]] = {
    event_types.CallJoined: call_joined,
    event_types.CallAway: call_away,
    event_types.CallHere: call_here,
    event_types.CallLeft: call_left,
    event_types.CallPicked: call_picked,
    event_types.OfferAnswered: offer_answered,
    event_types.OfferHeld: offer_held,
    event_types.OfferFailed: offer_failed,
    event_types.CallEnded: call_ended,
    event_types.AgentLoggedIn: logged_in,
    event_types.AgentLoggedOut: logged_out,
    event_types.AgentNotReady: not_ready,
    event_types.AgentReady: ready,
    event_types.AgentReachable: reachable,
    event_types.AgentOccupied: occupied,
    event_types.AgentWrapUp: wrap_up,
    event_types.AgentSkills: skills,
}


# --- time ---------------------------------------------------------------------------------------------
_DEADLINE_REASONS = {"wrap_up": "wrap_up_over", "resting": "rest_over", "occupied": "other_call_overdue"}


def deadline(pool: Pool, kind: int, row: int, now_ms: int) -> None:
    """The machine's own limits: whatever the owner forgot to tell ends here."""
    if kind == OFFER:
        end_offer(pool, row, O_DEADLINE, "no_answer", now_ms, cancel=True)
    elif kind == ENTRY and pool.entries.state[row] == E_ABSENT:
        recalls.pause_over(pool, row, now_ms)
    elif kind == ENTRY:
        entry_machine.step(pool, row, E_DEADLINE, now_ms, "timeout")
    elif kind == MORE:
        if pool.entries.state[row] == E_ALERTING:
            pool.touch(pool.queue_at(pool.entries.queue[row]))
    elif kind == LOOK:
        if pool.entries.state[row] in (E_WAITING, E_ALERTING, E_ABSENT, E_RECALLED):
            widening.advance(pool, row, now_ms)
            pool.touch(pool.queue_at(pool.entries.queue[row]))
            waking.look(pool, row, now_ms)
    else:
        agent_deadline(pool, row, now_ms)


def agent_deadline(pool: Pool, row: int, now_ms: int) -> None:
    agents = pool.agents
    state = agents.state[row]
    if state == OCCUPIED:
        agents.occupied_until[row] = 0
    if state == TALKING and agents.entry[row] >= 0:
        entry_machine.step(pool, agents.entry[row], E_DEADLINE, now_ms, "overdue")
        return
    ask(pool, row, DEADLINE, now_ms, _DEADLINE_REASONS.get(AGENT_STATES[state], "overdue"))
