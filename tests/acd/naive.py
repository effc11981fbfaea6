"""The oracle of the pick: every agent, a tuple as key, `min`. Written from the strategies' meaning."""

from __future__ import annotations

from engine.acd.pool import Pool, Queue


def choose(pool: Pool, queue: Queue, needs: tuple[int, ...], count_max: int) -> list[int]:
    """Agent rows to ask, best first."""
    able = []
    for row, spec in enumerate(pool.specs):
        seats = [seat for seat in pool.memberships[row] if seat[0] == queue.row]
        if spec is None or not seats or pool.agents.state[row] != 1 or not pool.agents.reachable[row]:
            continue
        held = dict(spec.skills)
        if all(held.get(need >> 8, 0) >= need % 256 for need in needs):
            able.append((seats[0][1], seats[0][2], row))  # level, position, row
    if queue.spec.strategy == "ring-all":
        best = min((level for level, _, _ in able), default=0)
        return [row for level, _, row in sorted(able) if level == best][:count_max]
    order = sorted(able, key=lambda seat: (seat[0], pool.agents.idle_since[seat[2]], seat[1], seat[2]))
    return [row for _, _, row in order[:1]]


def agent_rows(pool: Pool, rows: list[int]) -> list[int]:
    return [pool.team.agent[row] for row in rows]

