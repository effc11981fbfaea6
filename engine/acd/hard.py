"""Hard calls are shared fairly: of those he could have had, an agent gets the share that he takes of all his calls.

For every call that is answered, each agent who was there for it (on duty, reachable, with the skills it needs) has been
*eligible* once, and one of them has *taken* it. Each hard call then owes everybody who was eligible the part taken /
eligible of a call, and the one who took it has had a whole one: `owed` is what he still has to get, in fixed point;
over all agents of a team it sums to about nothing. Taken and eligible fade by half every hour (`fairness.fade`).

A hard call goes to agents to whom one is owed, when such are idle; who has had a whole call more than his share is left
out even if nobody else is idle, until the caller has waited `hard_hold_ms`. Within these bars the strategy chooses.
Nothing is counted before the first hard call comes.
"""

from __future__ import annotations

import numpy as np

from engine.acd.columns import AgentColumns, TeamColumns
from engine.acd.fairness import AWAY
from engine.acd.pool import Pool, Queue
from engine.acd.tables import IntArray

UNIT = 1 << 16  # one call
OWED_MAX = 4 * UNIT  # what an agent can be in debt or credit: more is forgotten

_AWAY = np.array(AWAY)
_AGENT = TeamColumns.index("agent")
_STATE, _REACHABLE = AgentColumns.index("state"), AgentColumns.index("reachable")
_ELIGIBLE, _TAKEN, _OWED = (AgentColumns.index(name) for name in ("eligible", "taken", "owed"))


def applies(pool: Pool, queue: Queue, entry: int, now_ms: int) -> bool:
    """May somebody be left out for this caller?"""
    return bool(pool.entries.hard[entry]) and now_ms < pool.entries.joined[entry] + queue.spec.hard_hold_ms


def write(pool: Pool, queue: Queue, entry: int) -> None:
    """Bar who has had his share. Comes behind all other bars: who is barred already sets no measure."""
    team, agents = pool.team, pool.agents
    needs = pool.needs_of(entry)
    rows = []
    for row in queue.idle:
        held = pool.skill_of[team.agent[row]]
        if not team.barred[row] and all(held.get(need >> 8, 0) >= need & 0xFF for need in needs):
            rows.append(row)
    if not rows:
        return
    most = max(agents.owed[team.agent[row]] for row in rows)
    least = 0 if most >= 0 else -UNIT
    for row in rows:
        if agents.owed[team.agent[row]] < least:
            team.barred[row] = 1
    if most < least:
        pool.arm_look(entry, pool.entries.joined[entry] + queue.spec.hard_hold_ms)


def count(pool: Pool, queue: Queue, entry: int, agent: int) -> None:
    """This caller is answered by the agent of this row."""
    agents = pool.agents
    there = _there(pool, queue, entry, agent)
    block = agents.block
    block[_ELIGIBLE, there] += UNIT
    agents.taken[agent] += UNIT
    if not pool.entries.hard[entry]:
        return
    owed = block[_OWED, there] + block[_TAKEN, there] * UNIT // block[_ELIGIBLE, there]
    block[_OWED, there] = np.clip(owed, -OWED_MAX, OWED_MAX)
    agents.owed[agent] = max(agents.owed[agent] - UNIT, -OWED_MAX)
    agents.hard[agent] += 1
    for other in pool.queues:  # to whom more is owed now he may be asked
        if other is not None and other.idle and other.waiting:
            pool.touch(other)


def _there(pool: Pool, queue: Queue, entry: int, agent: int) -> IntArray:
    """Rows of the agents for whom this call might have been, in ascending order; the one who took it among them."""
    block = pool.agents.block
    team = pool.team.block[_AGENT, queue.first_row : queue.end_row]
    good = (block[_REACHABLE, team] == 1) & ~_AWAY[block[_STATE, team]]
    for need in pool.needs_of(entry):
        skill, level = need >> 8, need & 0xFF
        good &= (pool.skills[team, skill] >= level) if skill < pool.skills.shape[1] else False
    good |= team == agent
    there: IntArray = np.sort(team[good])
    return there
