"""What is kept of every decision: told just before its offers, and when a caller begins to wait because nobody can
be asked.

Counts by the first reason against each, the winner's key and by what the first others lost, or, where there is nobody,
the agents who were nearest; `explain` has the rest on demand. This runs with every call, so it is written for its cost
(tests/bench/bench_explain): a walk over a small team, columns as a whole for a large one, the same answer from both.
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from engine.acd import preference, reasons
from engine.acd.columns import AgentColumns, TeamColumns
from engine.acd.commands import Decided
from engine.acd.explain import ORDER, PREFERENCE, Shown, compare
from engine.acd.policy import STRATEGIES
from engine.acd.pool import Pool, Queue
from engine.acd.reasons import Reason
from engine.acd.tables import AGENT_STATES, LOGGED_OUT, NOT_READY, READY, RESTING

NAMED_MAX = 8
LOSERS_MAX = 4  # named candidates who lost: each costs a column by column comparison
ONE_BY_ONE_MAX = 32  # agents of a queue: above, columns as a whole are cheaper
DETAILS_MAX = 64  # agents of a large team who aren't ready, whose own reasons are looked at
Near = tuple[int, Reason]  # membership row
# counts by first reason; how many candidates aren't asked; the first of them, or where nobody is asked all who are near
Sorted = tuple[dict[Reason, int], int, list[Near]]

_AGENT = TeamColumns.index("agent")
_STATE, _IDLE = AgentColumns.index("state"), AgentColumns.index("idle")
_FREE: Reason = (ORDER, "")
_WORDS: list[Reason] = [(state, "") for state in AGENT_STATES]
_DETAILED = (NOT_READY, RESTING)
_CANDIDATE, _NOT_IDLE, _LACKS = len(AGENT_STATES), len(AGENT_STATES) + 1, len(AGENT_STATES) + 2


def brief(pool: Pool, queue: Queue, entry: int, rows: list[int], now_ms: int) -> None:
    """Tell the owner of a decision: these membership rows are asked now, [] nobody can be."""
    shut = reasons.barred(pool, queue, entry, now_ms)
    prefers = bool(shut) and preference.holds(pool, queue, entry, now_ms)
    needs = () if prefers else pool.needs_of(entry)
    strategy = STRATEGIES[queue.strategy]
    few = shut or queue.end_row - queue.first_row <= ONE_BY_ONE_MAX
    counts, others, near = _each(pool, queue, needs, shut, rows) if few else _many(pool, queue, needs, rows)
    ids, agent_of = pool.agents.id, pool.team.agent
    if not rows:
        key: tuple[Shown, ...] = ()
        named = [(ids[agent_of[row]], word, detail) for row, (word, detail) in near[:NAMED_MAX]]
        asked: tuple[int, ...] = ()
    else:
        first = [row for row, _ in near]
        key, lost = compare(pool, strategy.terms, rows[0], first, needs, now_ms)
        named = [(ids[agent_of[row]], word, "") for row, word in zip(first, lost, strict=True)]
        asked = tuple([ids[agent_of[row]] for row in rows])
    pool.out.append(
        Decided(
            pool.entries.call[entry], queue.spec.id, asked, PREFERENCE if prefers else strategy.name, key, others,
            tuple(counts.items()), tuple(named),
        )
    )  # fmt: skip


def _each(pool: Pool, queue: Queue, needs: tuple[int, ...], shut: dict[int, list[Reason]], rows: list[int]) -> Sorted:
    """One agent after another."""
    counts: dict[Reason, int] = {}
    candidates: list[Near] = []
    able: list[Near] = []
    unable: list[Near] = []
    agent_of, held, paused = pool.team.agent, pool.skill_of, pool.pause_reasons
    idle, states = pool.agents.idle, pool.agents.state
    wants = [(need >> 8, need & 0xFF, ("lacks", str(need >> 8))) for need in needs]
    for row in reasons.seats(pool, queue):
        agent = agent_of[row]
        reason: Reason | None = None
        if wants:
            skills = held[agent]
            for skill, level, lacks in wants:
                if skills.get(skill, 0) < level:
                    reason = lacks
                    break
        if shut and reason is None and row in shut:
            reason = shut[row][0]
        if reason is not None:
            unable.append((row, reason))
        elif idle[agent]:
            if row not in rows:
                candidates.append((row, _FREE))
            continue
        else:
            state = states[agent]
            if state == NOT_READY:
                reason = (AGENT_STATES[NOT_READY], paused[agent])
            elif state == RESTING:
                reason = (AGENT_STATES[RESTING], reasons.detail(pool, agent))
            elif state == READY:
                reason = reasons.absence(pool, agent) or ("aside", "")
            else:
                reason = _WORDS[state]
            if state != LOGGED_OUT:
                able.append((row, reason))
        if reason in counts:
            counts[reason] += 1
        else:
            counts[reason] = 1
    return counts, len(candidates), candidates[:LOSERS_MAX] if rows else candidates + able + unable


def _many(pool: Pool, queue: Queue, needs: tuple[int, ...], rows: list[int]) -> Sorted:
    """The same of a large team, for a caller for whom nobody is barred: each agent gets a code, codes are counted."""
    first_row = queue.first_row
    agents = pool.team.block[_AGENT, first_row : queue.end_row]
    codes = pool.agents.block[_STATE].take(agents)
    codes[codes == READY] = _NOT_IDLE
    codes[pool.agents.block[_IDLE].take(agents) == 1] = _CANDIDATE
    for place in range(len(needs) - 1, -1, -1):  # the need that is asked for first has the last word
        skill, level = needs[place] >> 8, needs[place] & 0xFF
        if skill < pool.skills.shape[1]:
            codes[pool.skills[:, skill].take(agents) < level] = _LACKS + place
        else:
            codes[:] = _LACKS + place
    gone = np.isin(agents, pool.agents.free) if pool.agents.free else None
    if gone is not None:
        codes[gone] = _LACKS + len(needs)
    tally = np.bincount(codes, minlength=_LACKS + len(needs)).tolist()
    counts: dict[Reason, int] = {}
    for state, word in enumerate(_WORDS):
        if tally[state] and state not in _DETAILED:
            counts[word] = tally[state]
    for code in (*_DETAILED, _NOT_IDLE):
        if tally[code]:
            seen = (first_row + np.flatnonzero(codes == code)[:DETAILS_MAX]).tolist()
            counts.update(Counter(_reason(pool, row) for row in seen))
            if tally[code] > len(seen):
                word = ("unreachable", "") if code == _NOT_IDLE else _WORDS[code]
                counts[word] = counts.get(word, 0) + tally[code] - len(seen)
    for place, need in enumerate(needs):
        if tally[_LACKS + place]:
            word = ("lacks", str(need >> 8))
            counts[word] = counts.get(word, 0) + tally[_LACKS + place]
    near: list[Near] = []
    others = tally[_CANDIDATE] - len(rows)
    if others:
        most = LOSERS_MAX if rows else NAMED_MAX
        free = (first_row + np.flatnonzero(codes == _CANDIDATE)[: most + len(rows)]).tolist()
        near = [(row, _FREE) for row in free if row not in rows][:most]
    if not rows:
        able = np.flatnonzero((codes != LOGGED_OUT) & (codes < _LACKS) & (codes != _CANDIDATE))[:NAMED_MAX]
        near += [(row, _reason(pool, row)) for row in (first_row + able).tolist()]
        unable = np.flatnonzero((codes >= _LACKS) & (codes < _LACKS + len(needs)))[:NAMED_MAX]
        near += [
            (first_row + place, ("lacks", str(needs[code - _LACKS] >> 8)))
            for place, code in zip(unable.tolist(), codes[unable].tolist(), strict=True)
        ]
    return counts, others, near


def _reason(pool: Pool, row: int) -> Reason:
    """Against the agent of this membership row, who isn't idle."""
    return reasons.absence(pool, pool.team.agent[row]) or ("aside", "")
