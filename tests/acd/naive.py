"""The oracle of the pick: every agent, a tuple as key, `min`. Written from the strategies' meaning."""

from __future__ import annotations

from collections.abc import Callable

from engine.acd.pool import Pool, Queue

Seat = tuple[int, int, int]  # level, position, agent row
WORD = 1 << 64


def choose(pool: Pool, queue: Queue, needs: tuple[int, ...], count_max: int, entry: int = 0) -> list[int]:
    """Agent rows to ask for the caller of this entry, best first."""
    able = []
    for row, spec in enumerate(pool.specs):
        seat = seat_of(pool, queue, row)
        if spec is None or seat is None or pool.agents.state[row] != 1 or not pool.agents.reachable[row]:
            continue
        held = dict(spec.skills)
        if queue.barred and pool.team.barred[membership(pool, queue, row)]:
            continue
        if all(held.get(need >> 8, 0) >= need % 256 for need in needs):
            able.append(seat)
    name = queue.spec.strategy
    if name in ("ring-all", "ringall"):
        best = min((level for level, _, _ in able), default=0)
        return [row for level, _, row in sorted(able) if level == best][:count_max]
    if name in EXPERTS and needs:
        skill = needs[0] >> 8
        best = max((dict(pool.specs[row].skills).get(skill, 0) for _, _, row in able), default=0)
        able = [seat for seat in able if dict(pool.specs[seat[2]].skills).get(skill, 0) == best]
    order = sorted(able, key=lambda seat: (KEYS[name](pool, queue, entry, seat), seat))
    return [row for _, _, row in order[:1]]


def seat_of(pool: Pool, queue: Queue, agent: int) -> Seat | None:
    for where, level, position in pool.memberships[agent]:
        if where == queue.row:
            return level, position, agent
    return None


def membership(pool: Pool, queue: Queue, agent: int) -> int:
    """His row in `team`, by a plain search."""
    rows = range(pool.team.used)
    return next(row for row in rows if pool.team.agent[row] == agent and pool.team.queue[row] == queue.row)


def seat_of_id(pool: Pool, queue: Queue, number: int) -> Seat | None:
    for row, spec in enumerate(pool.specs):
        if spec is not None and spec.id == number:
            return seat_of(pool, queue, row)
    return None


def round_robin(pool: Pool, queue: Queue, _: int, seat: Seat) -> tuple[int, ...]:
    last = seat_of_id(pool, queue, queue.turns.get(seat[0], -1))
    return seat[0], int(last is not None and last[0] == seat[0] and seat <= last)


def had_by_caller(pool: Pool, queue: Queue, entry: int, seat: Seat) -> int:
    last = seat_of_id(pool, queue, pool.entries.asked[entry])
    return int(last is not None and seat <= last)


def mix(word: int) -> int:
    word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9 % WORD
    word = (word ^ word >> 27) * 0x94D049BB133111EB % WORD
    return word ^ word >> 31


def lot(pool: Pool, agent: int) -> int:
    stride = 0x9E3779B97F4A7C15
    draw = mix((mix(pool.seed % WORD) + pool.draws * stride) % WORD)
    return mix((pool.agents.id[agent] * stride + draw) % WORD) >> 1


KEYS: dict[str, Callable[[Pool, Queue, int, Seat], object]] = {
    "longest-idle-agent": lambda pool, queue, entry, seat: (seat[0], pool.agents.idle_since[seat[2]]),
    "leastrecent": lambda pool, queue, entry, seat: (seat[0], pool.agents.last_end[seat[2]]),
    "fewestcalls": lambda pool, queue, entry, seat: (seat[0], pool.agents.call_load[seat[2]]),
    "agent-with-fewest-calls": lambda pool, queue, entry, seat: (seat[0], pool.agents.call_load[seat[2]]),
    "agent-with-least-talk-time": lambda pool, queue, entry, seat: (seat[0], pool.agents.talk_load[seat[2]]),
    "random": lambda pool, queue, entry, seat: (seat[0], lot(pool, seat[2])),
    "wrandom": lambda pool, queue, entry, seat: (lot(pool, seat[2]) >> 23) * seat[0],
    "round-robin": round_robin,
    "rrmemory": round_robin,
    "rrordered": round_robin,
    "linear": lambda pool, queue, entry, seat: (seat[0], had_by_caller(pool, queue, entry, seat)),
    "top-down": had_by_caller,
    "sequentially-by-agent-order": lambda pool, queue, entry, seat: (*seat[:2], pool.agents.last_offered[seat[2]]),
    "ring-progressively": lambda pool, queue, entry, seat: 0,
    "custom": lambda pool, queue, entry, seat: pool.team.lot[membership(pool, queue, seat[2])],
    "ucd-mia": lambda pool, queue, entry, seat: pool.agents.idle_since[seat[2]],
    "uniform-call-distribution": lambda pool, queue, entry, seat: pool.agents.idle_since[seat[2]],
    "ucd-loa": lambda pool, queue, entry, seat: (pool.agents.loa[seat[2]], pool.agents.idle_since[seat[2]]),
    **dict.fromkeys(
        ("ead-mia", "most-idle"), lambda pool, queue, entry, seat: (seat[0], pool.agents.idle_since[seat[2]])
    ),
    **dict.fromkeys(
        ("ead-loa", "least-occupied"),
        lambda pool, queue, entry, seat: (seat[0], pool.agents.loa[seat[2]], pool.agents.idle_since[seat[2]]),
    ),
}
EXPERTS = ("ead-mia", "most-idle", "ead-loa", "least-occupied")


def agent_rows(pool: Pool, rows: list[int]) -> list[int]:
    return [pool.team.agent[row] for row in rows]
