"""Who rests by a rule that gives way is called back for a caller who has waited too long (`rests`, DESIGN law 6).

One agent for each look, the one who fits and has rested for longest; a caller who still waits looks again.
"""

from __future__ import annotations

from engine.acd import agents as agent_machine
from engine.acd import rests
from engine.acd.pool import Pool
from engine.acd.tables import E_WAITING, RESTING, REVIEW

AGAIN_MS = 5_000


def begin(pool: Pool, entry: int) -> None:
    """He waits in a queue some of whose agents give up their rest for him, one day."""
    gives_way_ms = pool.queue_at(pool.entries.queue[entry]).gives_way_ms
    if gives_way_ms:
        pool.arm_look(entry, pool.waits_since(entry) + gives_way_ms)


def look(pool: Pool, entry: int, now_ms: int) -> None:
    """A look at this caller is due: call one agent back when he has waited long enough, or come again."""
    agents, queue = pool.agents, pool.queue_at(pool.entries.queue[entry])
    if not queue.gives_way_ms or pool.entries.state[entry] != E_WAITING:
        return
    waited = now_ms - pool.waits_since(entry)
    best, later_ms = -1, 0
    for seat in range(queue.first_row, queue.end_row):
        row = pool.team.agent[seat]
        rule = rests.rule_of(pool, row)
        if rule is None or not rule.gives_way_ms:
            continue
        if rule.gives_way_ms > waited:
            later_ms = min(later_ms or rule.gives_way_ms, rule.gives_way_ms)
        elif (
            agents.state[row] == RESTING
            and agents.rest_until[row] <= now_ms
            and agents.reachable[row]
            and rests.fits(pool, row, entry)
            and (best < 0 or agents.since[row] < agents.since[best])
        ):
            best = row
    if best >= 0:
        agent_machine.step(pool, best, REVIEW, now_ms, "caller_waits")
    if best >= 0 or waited >= queue.gives_way_ms:
        pool.arm_look(entry, now_ms + AGAIN_MS)
    elif later_ms:
        pool.arm_look(entry, now_ms - waited + later_ms)
