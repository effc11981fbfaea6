"""Readable pictures of the pool for `ringdown queues`, `ringdown agents` and the first wallboard.

The five figures that a manager sees from afar (inbound volume, service level, utilisation, names on duty, their
state) are `offered`, `service_level` (both forms), `utilisation` and `on_duty` of a queue's row.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.acd import rests
from engine.acd.columns import AgentColumns, TeamColumns
from engine.acd.metrics import service_level, service_level_patient, utilisation
from engine.acd.pool import Pool, Queue
from engine.acd.tables import AGENT_STATES, LOGGED_OUT, NOT_READY, READY, RESTING, TALKING, WRAP_UP


def queue_row(pool: Pool, queue: Queue, now_ms: int) -> dict[str, Any]:
    """One queue. Times in ms, shares in per mille; longest_wait_ms is of those who wait now."""
    tally, spec = queue.tally, queue.spec
    on_duty: list[dict[str, Any]] = []
    busy = logged = ready = 0
    for row in range(queue.first_row, queue.end_row):
        agent = pool.team.agent[row]
        held = pool.specs[agent]
        if held is None or pool.agents.state[agent] == LOGGED_OUT:
            continue
        agent_busy, agent_logged = times(pool, agent, now_ms)
        busy, logged = busy + agent_busy, logged + agent_logged
        ready += pool.agents.idle[agent]
        on_duty.append({"agent": held.id, "name": held.name, "state": AGENT_STATES[pool.agents.state[agent]]})
    away, joined = longest_waits(pool, queue)
    return {
        "queue": spec.id, "name": spec.name, "tenant": spec.tenant, "strategy": spec.strategy,
        "draining": queue.draining,
        "waiting": len(queue.waiting), "alerting": len(queue.order) - len(queue.waiting) - len(queue.absent),
        "connected": queue.connected, "callbacks": away, "longest_wait_ms": now_ms - joined if joined >= 0 else 0,
        "offered": tally.offered, "answered": tally.answered, "abandoned": tally.abandoned,
        "answered_in_time": tally.answered_in_time, "abandoned_in_time": tally.abandoned_in_time,
        "timed_out": tally.timed_out, "left": tally.left, "completed": tally.completed,
        "refused_full": tally.refused_full, "refused_no_agents": tally.refused_no_agents,
        "offers": tally.offers, "missed": tally.missed,
        "waited_ms_mean": tally.waited_ms // tally.answered if tally.answered else 0,
        "waited_ms_max": tally.waited_ms_max, "talked_ms": tally.talked_ms,
        "service_level_ms": spec.service_level_ms,
        "service_level": service_level(tally), "service_level_patient": service_level_patient(tally),
        "utilisation": utilisation(busy, logged), "ready": ready, "on_duty": on_duty,
    }  # fmt: skip


def longest_waits(pool: Pool, queue: Queue) -> tuple[int, int]:
    """(how many places are kept for callers who are away, when the oldest of those on the line joined; -1 nobody)."""
    entries = pool.entries
    joined = [entries.joined[entry] for _, _, entry in queue.order if not entries.away[entry]]
    return len(queue.order) - len(joined), min(joined, default=-1)


def agent_row(pool: Pool, row: int, now_ms: int) -> dict[str, Any]:
    """One agent. `spent_ms` by state sums to the time since he was configured, without gaps."""
    agents = pool.agents
    spec = pool.specs[row]
    assert spec is not None
    state = agents.state[row]
    busy, logged = times(pool, row, now_ms)
    entry = agents.entry[row]
    offer = agents.offer[row]
    call = pool.entries.call[entry] if entry >= 0 else pool.offers.call_id[offer] if offer >= 0 else -1
    spent = {name: agents.spent[index][row] for index, name in enumerate(AGENT_STATES)}
    spent[AGENT_STATES[state]] += now_ms - agents.since[row]
    return {
        "agent": spec.id, "name": spec.name, "tenant": spec.tenant, "state": AGENT_STATES[state],
        "reason": pool.pause_reasons[row] if state == NOT_READY else rests.cause(pool, row, now_ms) if state == RESTING
        else "",
        "state_ms": now_ms - agents.since[row], "until_ms": max(0, agents.deadline[row] - now_ms),
        "reachable": bool(agents.reachable[row]), "other_call": agents.occupied_until[row] > now_ms,
        "leaving": bool(agents.removed[row]), "call": call,
        "queues": [queue.spec.name for queue, _ in pool.seats[row]],
        "offered": agents.offered[row], "answered": agents.answered[row], "missed": agents.missed[row],
        "rests": {name: agents.eased[index][row] for index, name in enumerate(rests.CAUSES[1:])},
        "hard": agents.hard[row],
        "misses_in_a_row": agents.misses[row], "utilisation": utilisation(busy, logged), "spent_ms": spent,
    }  # fmt: skip


def wrap_up(pool: Pool, row: int, now_ms: int) -> dict[str, int]:
    """One agent's wrap-up: `left_ms` of the running one (0: none runs), `planned_ms` after his conversation,
    `asked_ms` should he ask for one, `extensions` left of `extend_ms` each, `firm` (bits of `agents.TIME_FIRM`,
    CODE_FIRM): what keeps him from ending it."""
    agents = pool.agents
    running = agents.state[row] == WRAP_UP
    return {
        "left_ms": max(0, agents.deadline[row] - now_ms) if running else 0, "planned_ms": agents.wrap_ms[row],
        "asked_ms": agents.wrap_asked_ms[row], "extensions": agents.wrap_extensions[row],
        "extend_ms": agents.wrap_extend_ms[row], "firm": agents.wrap_firm[row],
    }  # fmt: skip


def times(pool: Pool, row: int, now_ms: int) -> tuple[int, int]:
    """(talking and wrap-up, logged in) of one agent in ms, up to now."""
    agents = pool.agents
    state, running = agents.state[row], now_ms - agents.since[row]
    busy = agents.spent[TALKING][row] + agents.spent[WRAP_UP][row]
    logged = sum(agents.spent[index][row] for index in range(len(AGENT_STATES)) if index != LOGGED_OUT)
    if state in (TALKING, WRAP_UP):
        busy += running
    if state != LOGGED_OUT:
        logged += running
    return busy, logged


# --- for machines -----------------------------------------------------------------------------------------------
_STATE, _TEAM_AGENT = AgentColumns.index("state"), TeamColumns.index("agent")
_REACHABLE = AgentColumns.index("reachable")


def gauges(pool: Pool, queue: Queue, now_ms: int) -> dict[str, Any]:
    """One queue for a monitoring system: counts only, and of arrays, so that large teams cost little.

    `agents_STATE` counts the agents in that state, logged out ones included.
    """
    tally = queue.tally
    team = pool.team.block[_TEAM_AGENT, queue.first_row : queue.end_row]
    states = np.bincount(pool.agents.block[_STATE][team], minlength=len(AGENT_STATES)).tolist()
    away, joined = longest_waits(pool, queue)
    longest = now_ms - joined if joined >= 0 else 0
    return {
        "tenant": queue.spec.tenant, "queue": queue.spec.name.rpartition("/")[2], "waiting": len(queue.waiting),
        "alerting": len(queue.order) - len(queue.waiting) - len(queue.absent), "connected": queue.connected,
        "callbacks": away, "longest_wait_ms": longest,
        "offered": tally.offered, "answered": tally.answered, "answered_in_time": tally.answered_in_time,
        "abandoned": tally.abandoned, "timed_out": tally.timed_out, "left": tally.left,
        "refused_full": tally.refused_full, "refused_no_agents": tally.refused_no_agents,
        "missed": tally.missed, "waited_ms": tally.waited_ms, "talked_ms": tally.talked_ms,
        **{f"agents_{name}": count for name, count in zip(AGENT_STATES, states, strict=True)},
    }  # fmt: skip


def presence(pool: Pool, queue: Queue) -> dict[str, int]:
    """A queue's agents by state. `unreachable` are those who would be free but for their phones, and are in no other
    count; `idle` those who may be offered a call at this moment (part of `ready`)."""
    team = pool.team.block[_TEAM_AGENT, queue.first_row : queue.end_row]
    states, reachable = pool.agents.block[_STATE][team], pool.agents.block[_REACHABLE][team]
    dead = (reachable == 0) & ((states == READY) | (states == RESTING))
    counts = np.bincount(states[~dead], minlength=len(AGENT_STATES)).tolist()
    found = dict(zip(AGENT_STATES, counts, strict=True))
    found["unreachable"] = int(dead.sum())
    found["idle"] = len(queue.idle)
    return found


def agent_totals(pool: Pool) -> dict[str, int]:
    """Agents of the pool by state."""
    agents = pool.agents
    states = np.bincount(agents.block[_STATE, : agents.used], minlength=len(AGENT_STATES)).tolist()
    states[LOGGED_OUT] -= len(agents.free)  # rows given back are all zero
    return dict(zip(AGENT_STATES, states, strict=True))
