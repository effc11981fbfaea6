"""Whom to ask: strategies as lexicographic integer keys, and the plain Python pick (twin of `kernels.pick`).

A strategy is a row of terms. A term names a column (of the membership or of the agent) and a sign; the candidate
whose values are smallest, term after term, is asked first, and full ties go to the lowest membership row, that is
by level, position, agent row. With `fan` every candidate that ties in all terms is asked at once. Where a strategy
has a `memory`, `turns.prepare` writes it into columns before the pick: neither the twin nor the kernel knows of it.

| strategy (other names) | terms after one another | test in tests/acd |
|---|---|---|
| longest-idle-agent | level, idle for longest | test_policy: test_longest_idle_by_level_then_… |
| ring-all (ringall) | level; all of it ring | test_policy: test_ring_all_rings_the_best_level_… |
| leastrecent | level, last conversation ended first, never before all | test_policy: test_leastrecent_… |
| fewestcalls (agent-with-fewest-calls) | level, fading count of calls | test_fairness: test_fewest_calls_… |
| agent-with-least-talk-time | level, fading talk time | test_fairness: test_least_talk_time_… |
| random | level, a lot | test_turns: test_random_… |
| wrandom | a lot of 0 … level | test_turns: test_wrandom_… |
| round-robin (rrmemory, rrordered) | level, after the queue's last turn there | test_turns: test_round_robin_… |
| linear | level, after the caller's last agent | test_turns: test_linear_… |
| top-down | after the caller's last agent, over all levels | test_turns: test_top_down_… |
| sequentially-by-agent-order | level, position, last offered first | test_policy: test_sequentially_… |
| ring-progressively | level, position; one more phone every `progress_ms` | test_decide: test_ring_progressively_… |
| ucd-mia (uniform-call-distribution) | idle for longest, over all levels | test_policy: test_uniform_… |
| ead-mia (most-idle) | best at the needed skill, level, idle for longest | test_policy: test_the_expert_… |
| ucd-loa | least occupied, over all levels | test_occupancy: test_the_least_occupied_… |
| custom | by the site's own expressions (`custom`) | test_custom: test_like_the_expressions_… |
| ead-loa (least-occupied) | best at the needed skill, level, least occupied | test_occupancy: test_among_experts_… |

Of all of them the test of the kernel (test_kernels: test_like_the_twin), of the oracle (test_policy:
test_twin_is_the_oracle), of bars, rings and preferred agents (test_bars, test_widening, test_preference).

Other names mean the same order here: rrmemory and rrordered differ elsewhere only in whether the configured order
is kept, which it always is; calls answered and calls completed are equal for everybody who is a candidate.
Counters are the agent's over all queues of the pool (elsewhere: "shared"), so no queue floods who works for another.
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
TEAM, AGENT, SKILL = 0, 1, 2
KERNEL_FROM = 24  # idle candidates: below, a kernel call costs more than the twin (bench_acd)


class Term(msgspec.Struct, frozen=True):
    """One place of the key. `source` TEAM or AGENT, `field` a column's name, `sign` −1 for "largest first".

    SKILL, only as the first term: the level of the skill that is needed first, best first; all tie without needs.
    """

    source: int
    field: str = ""
    sign: int = 1


# what a strategy remembers between two picks: nothing | whose turn it was in the queue | whom this caller was given
# last | the number of lots drawn (plain, or weighed by level) | when one more phone may ring
NOTHING, LAST_OF_QUEUE, LAST_OF_CALLER, LOTS, WEIGHTED_LOTS, PROGRESS = range(6)


class Strategy(msgspec.Struct, frozen=True):
    """`fan`: more than one phone may ring for a caller. `fair`: reads the loads, so who comes back must catch up.

    `occupancy`: reads how occupied agents are.
    """

    name: str
    terms: tuple[Term, ...]
    fan: bool = False
    memory: int = NOTHING
    fair: bool = False
    occupancy: bool = False


_LEVEL, _TURN, _LOT = Term(TEAM, "level"), Term(TEAM, "turn"), Term(TEAM, "lot")
_IDLE, _LOA, _EXPERT = Term(AGENT, "idle_since"), Term(AGENT, "loa"), Term(SKILL)
STRATEGIES: tuple[Strategy, ...] = (
    Strategy("longest-idle-agent", (_LEVEL, _IDLE)),
    Strategy("ring-all", (_LEVEL,), fan=True),
    Strategy("leastrecent", (_LEVEL, Term(AGENT, "last_end"))),
    Strategy("fewestcalls", (_LEVEL, Term(AGENT, "call_load")), fair=True),
    Strategy("agent-with-least-talk-time", (_LEVEL, Term(AGENT, "talk_load")), fair=True),
    Strategy("random", (_LEVEL, _LOT), memory=LOTS),
    Strategy("wrandom", (_LOT,), memory=WEIGHTED_LOTS),
    Strategy("round-robin", (_LEVEL, _TURN), memory=LAST_OF_QUEUE),
    Strategy("linear", (_LEVEL, _TURN), memory=LAST_OF_CALLER),
    Strategy("top-down", (_TURN,), memory=LAST_OF_CALLER),
    Strategy("sequentially-by-agent-order", (_LEVEL, Term(TEAM, "position"), Term(AGENT, "last_offered"))),
    Strategy("ring-progressively", (), fan=True, memory=PROGRESS),
    Strategy("ucd-mia", (_IDLE,)),
    Strategy("ead-mia", (_EXPERT, _LEVEL, _IDLE)),
    Strategy("ucd-loa", (_LOA, _IDLE), occupancy=True),
    Strategy("custom", (_LOT,), fair=True, occupancy=True),
    Strategy("ead-loa", (_EXPERT, _LEVEL, _LOA, _IDLE), occupancy=True),
)
ALIASES: dict[str, str] = {
    "ringall": "ring-all",
    "agent-with-fewest-calls": "fewestcalls",
    "rrmemory": "round-robin",
    "rrordered": "round-robin",
    "uniform-call-distribution": "ucd-mia",
    "most-idle": "ead-mia",
    "least-occupied": "ead-loa",
}
_ROWS = {strategy.name: row for row, strategy in enumerate(STRATEGIES)}
_ROWS |= {alias: _ROWS[name] for alias, name in ALIASES.items()}
NAMES: tuple[str, ...] = tuple(_ROWS)


def number_of(name: str) -> int:
    """The strategy's row; LocalError for a name that we don't know (the dialplan reader refuses it earlier)."""
    try:
        return _ROWS[name]
    except KeyError:
        raise LocalError(f"unknown strategy {name!r}: one of {', '.join(NAMES)}") from None


def term_table(strategy: Strategy) -> IntArray:
    """The terms for the kernel: shape (TERMS_MAX, 3) of source, column index, sign; unused places have sign 0."""
    table = np.zeros((TERMS_MAX, 3), dtype=np.int64)
    for place, term in enumerate(strategy.terms):
        if term.source == SKILL:
            table[place] = (SKILL, 0, -1)
            continue
        columns = TeamColumns if term.source == TEAM else AgentColumns
        table[place] = (term.source, columns.index(term.field), term.sign)
    return table


TERM_TABLES: tuple[IntArray, ...] = tuple(term_table(strategy) for strategy in STRATEGIES)


def offers_at_once(queue: Queue) -> int:
    """How many phones one caller may let ring."""
    if not STRATEGIES[queue.strategy].fan:
        return 1
    return bounded(queue.spec.offers_max, limits.offers_parallel_max)


def offers_first(queue: Queue) -> int:
    """How many of them ring at the beginning."""
    strategy = STRATEGIES[queue.strategy]
    return offers_at_once(queue) if strategy.fan and not strategy.memory else 1


def pick(pool: Pool, queue: Queue, needs: tuple[int, ...], count_max: int) -> list[int]:
    """Membership rows to ask now, best first; empty when nobody idle fits."""
    rows = queue.idle
    agent_of = pool.team.agent
    skill_of = pool.skill_of
    for need in needs:  # skill << 8 | level: held at that level or above
        skill, level = need >> 8, need & 0xFF
        rows = [row for row in rows if skill_of[agent_of[row]].get(skill, 0) >= level]
    if queue.barred:
        barred = pool.team.barred
        rows = [row for row in rows if not barred[row]]
    if not rows:
        return []
    strategy = STRATEGIES[queue.strategy]
    for term in strategy.terms:
        if len(rows) == 1:
            return rows[:]
        rows = _best(pool, rows, term, needs)
    return rows[:count_max]


def _best(pool: Pool, rows: list[int], term: Term, needs: tuple[int, ...] = ()) -> list[int]:
    """Those rows that tie for the best value of one term, in row order."""
    if term is _LEVEL:  # rows are sorted by level
        level = pool.team.level
        best = level[rows[0]]
        if level[rows[-1]] == best:
            return rows
        return [row for row in rows if level[row] == best]
    if term.source == SKILL and not needs:
        return rows
    found = values(pool, rows, term, needs)
    best = min(found) if term.sign > 0 else max(found)
    if found.count(best) == 1:
        return [rows[found.index(best)]]
    return [row for row, value in zip(rows, found, strict=True) if value == best]


def values(pool: Pool, rows: list[int], term: Term, needs: tuple[int, ...]) -> list[int]:
    """What a term compares of these membership rows; the level of the skill that is needed first is negative."""
    if term.source == TEAM:
        column = getattr(pool.team, term.field)
        return [column[row] for row in rows]
    agent_of = pool.team.agent
    if term.source == SKILL:
        skill, skill_of = needs[0] >> 8 if needs else -1, pool.skill_of
        return [-skill_of[agent_of[row]].get(skill, 0) for row in rows]
    column = getattr(pool.agents, term.field)
    return [column[agent_of[row]] for row in rows]
