"""Preference: a caller who waits for one agent (the owner of his case, whom he spoke to last) before the team is asked.

Until his time for it is over he is offered to that agent alone, whatever skills and rings say, also while the agent
is on another call. The team is asked at once when the agent isn't there: logged out, not ready, without a phone, or
not of this queue; `prefer_away` waits for him all the same. An offer that he missed ends the preference, so nobody
waits for a phone that rings in an empty room. The caller's place in the queue is his own throughout.
"""

from __future__ import annotations

from engine.acd import turns
from engine.acd.events import CallJoined
from engine.acd.pool import Pool, Queue
from engine.acd.tables import READY


def begin(pool: Pool, entry: int, event: CallJoined, now_ms: int) -> None:
    """He joins with a wish."""
    entries = pool.entries
    entries.prefer[entry], entries.prefer_until[entry] = event.prefer, now_ms + event.prefer_ms
    entries.prefer_away[entry] = int(event.prefer_away)
    pool.preferences = True


def holds(pool: Pool, queue: Queue, entry: int, now_ms: int) -> bool:
    """Is it still that one agent or nobody?"""
    entries = pool.entries
    wanted = entries.prefer[entry]
    if wanted < 0 or entries.prefer_until[entry] <= now_ms:
        return False
    agent = pool.agent_rows.get(wanted, -1)
    if agent < 0 or turns.seat(pool, queue, wanted) < 0:
        return False
    agents = pool.agents
    here = agents.wish[agent] == READY and agents.reachable[agent] == 1 and not agents.removed[agent]
    return here or entries.prefer_away[entry] == 1


def rows(pool: Pool, queue: Queue, entry: int) -> list[int]:
    """His membership row when he can be asked now."""
    wanted = pool.entries.prefer[entry]
    row = turns.seat(pool, queue, wanted)
    if row < 0 or not pool.agents.idle[pool.team.agent[row]] or pool.team.barred[row]:
        return []
    return [row]


def missed(pool: Pool, entry: int, agent: int) -> None:
    """An offer to this agent has failed."""
    if pool.entries.prefer[entry] == pool.agents.id[agent]:
        pool.entries.prefer[entry] = -1


def changed(pool: Pool, agent: int) -> None:
    """He comes or goes: whoever waits for him may have to be given to the team."""
    if pool.preferences:
        prefer, number = pool.entries.prefer, pool.agents.id[agent]
        for queue, _ in pool.seats[agent]:
            if any(prefer[entry] == number for _, _, entry in queue.order):
                pool.touch(queue)
