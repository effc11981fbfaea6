"""Whom to ask: strategies as lexicographic integer keys, and the plain Python pick (twin of `kernels.pick`).

A strategy is a row of terms. A term names a column (of the membership or of the agent) and a sign; the candidate
whose values are smallest, term after term, is asked first, and full ties go to the lowest membership row, that is
by level, position, agent row. With `fan` every candidate that ties in all terms is asked at once. More strategies
are more rows and, where they need memory, more columns (calls today, last offered, turn): neither the twin nor
the kernel changes.
"""

from __future__ import annotations

import msgspec
import numpy as np

from engine import limits
from engine.acd.columns import AgentColumns, TeamColumns
from engine.acd.pool import Pool, Queue, bounded
from engine.acd.tables import IntArray
from engine.errors import LocalError

TERMS_MAX = 4
TEAM, AGENT = 0, 1
KERNEL_FROM = 24  # idle candidates: below, a kernel call costs more than the twin (bench_acd)


class Term(msgspec.Struct, frozen=True):
    """One place of the key. `source` TEAM or AGENT, `field` a column's name, `sign` −1 for "largest first"."""

    source: int
    field: str
    sign: int = 1


class Strategy(msgspec.Struct, frozen=True):
    name: str
    terms: tuple[Term, ...]
    fan: bool = False


_LEVEL = Term(TEAM, "level")
STRATEGIES: tuple[Strategy, ...] = (
    Strategy("longest-idle-agent", (_LEVEL, Term(AGENT, "idle_since"))),
    Strategy("ring-all", (_LEVEL,), fan=True),
)
NAMES: tuple[str, ...] = tuple(strategy.name for strategy in STRATEGIES)


def number_of(name: str) -> int:
    """The strategy's row; LocalError for a name that we don't know (the dialplan reader refuses it earlier)."""
    try:
        return NAMES.index(name)
    except ValueError:
        raise LocalError(f"unknown strategy {name!r}: one of {', '.join(NAMES)}") from None


def term_table(strategy: Strategy) -> IntArray:
    """The terms for the kernel: shape (TERMS_MAX, 3) of source, column index, sign; unused places have sign 0."""
    table = np.zeros((TERMS_MAX, 3), dtype=np.int64)
    for place, term in enumerate(strategy.terms):
        columns = TeamColumns if term.source == TEAM else AgentColumns
        table[place] = (term.source, columns.index(term.field), term.sign)
    return table


TERM_TABLES: tuple[IntArray, ...] = tuple(term_table(strategy) for strategy in STRATEGIES)


def offers_at_once(queue: Queue) -> int:
    """How many phones one caller may let ring."""
    if not STRATEGIES[queue.strategy].fan:
        return 1
    return bounded(queue.spec.offers_max, limits.offers_parallel_max)


def pick(pool: Pool, queue: Queue, needs: tuple[int, ...], count_max: int) -> list[int]:
    """Membership rows to ask now, best first; empty when nobody idle fits."""
    rows = queue.idle
    agent_of = pool.team.agent
    skill_of = pool.skill_of
    for need in needs:  # skill << 8 | level: held at that level or above
        skill, level = need >> 8, need & 0xFF
        rows = [row for row in rows if skill_of[agent_of[row]].get(skill, 0) >= level]
    if not rows:
        return []
    strategy = STRATEGIES[queue.strategy]
    for term in strategy.terms:
        if len(rows) == 1:
            return rows[:]
        rows = _best(pool, rows, term)
    return rows[:count_max]


def _best(pool: Pool, rows: list[int], term: Term) -> list[int]:
    """Those rows that tie for the best value of one term, in row order."""
    if term is _LEVEL:  # rows are sorted by level
        level = pool.team.level
        best = level[rows[0]]
        if level[rows[-1]] == best:
            return rows
        return [row for row in rows if level[row] == best]
    if term.source == TEAM:
        column = getattr(pool.team, term.field)
        values = [column[row] for row in rows]
    else:
        column = getattr(pool.agents, term.field)
        agent_of = pool.team.agent
        values = [column[agent_of[row]] for row in rows]
    best = min(values) if term.sign > 0 else max(values)
    if values.count(best) == 1:
        return [rows[values.index(best)]]
    return [row for row, value in zip(rows, values, strict=True) if value == best]
