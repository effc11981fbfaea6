"""Loads: how much each agent has done lately, for the strategies that share calls or talk out evenly.

A counter that only grows floods whoever comes late, and one that is cleared at login lets him pass the line who logs
out and in again. So loads fade and absence earns nothing:

- Each call adds CALL to `call_load`, each conversation its ms to `talk_load`. Every HALVING_MS of the pool's clock all
  loads are halved, so that this morning weighs little in the evening. Halving keeps the order between agents.
- Who comes back (from logged out, not ready or a call of another kind, or whose phone is reachable again) is lifted to
  the least load among his equals who have stayed, and never lowered: he takes his share from now on, neither the calls
  that he missed nor the place of anybody. Equals are the agents of the same queue and level; with several such queues
  the highest of the minima counts, so that none of them floods him.
"""

from __future__ import annotations

import numpy as np

from engine.acd import policy
from engine.acd.columns import AgentColumns, TeamColumns
from engine.acd.pool import Pool, Queue
from engine.acd.tables import AGENT_STATES, LOGGED_OUT, NOT_READY, OCCUPIED, IntArray

CALL = 1 << 16  # one call in fixed point: 16 halvings until it is forgotten
HALVING_MS = 3_600_000
AWAY: list[bool] = [state in (LOGGED_OUT, NOT_READY, OCCUPIED) for state in range(len(AGENT_STATES))]

_AWAY = np.array(AWAY)
_AGENT, _LEVEL = TeamColumns.index("agent"), TeamColumns.index("level")
_STATE, _REACHABLE = AgentColumns.index("state"), AgentColumns.index("reachable")
_LOADS = (AgentColumns.index("call_load"), AgentColumns.index("talk_load"))
_FADING = (*_LOADS, AgentColumns.index("eligible"), AgentColumns.index("taken"))


def count_call(pool: Pool, agent: int, now_ms: int) -> None:
    """He has answered a call."""
    if now_ms // HALVING_MS > pool.fades:
        fade(pool, now_ms)
    pool.agents.call_load[agent] += CALL


def count_talk(pool: Pool, agent: int, talked_ms: int, now_ms: int) -> None:
    """His conversation is over."""
    if now_ms // HALVING_MS > pool.fades:
        fade(pool, now_ms)
    agents = pool.agents
    agents.talk_load[agent] += talked_ms
    agents.last_end[agent] = now_ms


def fade(pool: Pool, now_ms: int) -> None:
    """Halve every load once for each HALVING_MS of the pool's clock that began since the last time."""
    fades = now_ms // HALVING_MS
    for load in _FADING:
        pool.agents.block[load] >>= min(fades - pool.fades, 62)
    pool.fades = fades


def catch_up(pool: Pool, agent: int) -> None:
    """He comes back to the line: no lower loads than the least of his equals who stayed."""
    floors = [0, 0]
    for queue, seat in pool.seats[agent]:
        if not policy.STRATEGIES[queue.strategy].fair:
            continue
        rows, block = equals(pool, queue, seat, agent), pool.agents.block
        if rows.size:
            floors = [max(floor, int(block[load][rows].min())) for floor, load in zip(floors, _LOADS, strict=True)]
    columns = pool.agents
    columns.call_load[agent] = max(columns.call_load[agent], floors[0])
    columns.talk_load[agent] = max(columns.talk_load[agent], floors[1])


def equals(pool: Pool, queue: Queue, seat: int, agent: int) -> IntArray:
    """Rows of the other agents of the same queue and level who have stayed in the line."""
    team = pool.team.block[:, queue.first_row : queue.end_row]
    rows: IntArray = team[_AGENT][team[_LEVEL] == pool.team.level[seat]]
    rows = rows[rows != agent]
    block = pool.agents.block
    present: IntArray = rows[(block[_REACHABLE][rows] == 1) & ~_AWAY[block[_STATE][rows]]]
    return present
