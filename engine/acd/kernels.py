"""The pick as a kernel over columns: arrays and integers only, twin of `policy.pick`. Importing this imports numba."""

from __future__ import annotations

import numpy as np

from engine.acd.columns import AgentColumns, TeamColumns
from engine.acd.tables import IntArray, SkillArray
from engine.acd.turns import LEVEL_MAX, MIX_1, MIX_2, STRIDE, WEIGHT_SHIFT
from engine.jit import i64, kernel, on_warm

NO_LOTS, PLAIN, WEIGHTED = range(3)
NO_EXPERTS = -2
_AGENT, _LEVEL, _TURN, _LOT, _BARRED = map(TeamColumns.index, ("agent", "level", "turn", "lot", "barred"))
_IDLE, _ID = AgentColumns.index("idle"), AgentColumns.index("id")
_STRIDE, _MIX_1, _MIX_2 = np.uint64(STRIDE), np.uint64(MIX_1), np.uint64(MIX_2)


@kernel
def column(agents: IntArray, team: IntArray, terms: IntArray, place: int) -> IntArray:
    """The column that a term names; any column for an unused place (its sign is 0)."""
    block = team if terms[place, 0] == 0 else agents
    named: IntArray = block[terms[place, 1]]
    return named


@kernel
def places(terms: IntArray) -> int:
    """How many terms are in use."""
    used = 0
    for place in range(terms.shape[0]):
        used += terms[place, 2] != 0
    return used


@kernel
def expertise(terms: IntArray, needs: IntArray) -> int:
    """The skill that is compared first, best first (`policy.SKILL`); −1 when none is needed, else NO_EXPERTS."""
    if terms[0, 0] != 2:
        return NO_EXPERTS
    return needs[0] >> 8 if needs.shape[0] > 0 else -1


@kernel
def fits(skills: SkillArray, needs: IntArray, agent: int) -> bool:
    """Every need (skill << 8 | level) is met."""
    for place in range(needs.shape[0]):
        skill = needs[place] >> 8
        if skill >= skills.shape[1] or skills[agent, skill] < (needs[place] & 255):
            return False
    return True


@kernel
def draw(number: int, word: np.uint64, weight: int) -> int:
    """The lot of the agent with this id, as `turns.draw` makes it; `weight` 0: not weighed."""
    mixed = np.uint64(number) * _STRIDE + word
    mixed = (mixed ^ mixed >> np.uint64(30)) * _MIX_1
    mixed = (mixed ^ mixed >> np.uint64(27)) * _MIX_2
    lot = np.int64((mixed ^ mixed >> np.uint64(31)) >> np.uint64(1))
    if weight:
        lot = (lot >> WEIGHT_SHIFT) * min(max(weight, 1), LEVEL_MAX)
    return int(lot)


@kernel
def pick(
    agents: IntArray,
    team: IntArray,
    skills: SkillArray,
    terms: IntArray,
    needs: IntArray,
    first: int,
    end: int,
    lots: int,
    word: np.uint64,
    out: IntArray,
) -> int:
    """Write the membership rows with the smallest key among rows first..end into `out`; how many.

    Shapes: agents (fields, agents), team (fields, memberships), skills (agents, skills) int8, terms (4, 3), needs (n,)
    without empty places. len(out) is the most that may be asked: 1 takes the first of the ties, more takes ties in row
    order (ring-all). `lots`: NO_LOTS, PLAIN or WEIGHTED; the column `lot` is written as rows are looked at, from the
    word of this draw (`turns.word_of`), so that drawing costs no pass of its own.
    """
    agent_of, level, lot, barred = team[_AGENT], team[_LEVEL], team[_LOT], team[_BARRED]
    idle, number = agents[_IDLE], agents[_ID]
    by_level = terms[0, 0] == 0 and terms[0, 1] == _LEVEL and terms[0, 2] == 1  # rows are sorted by level
    skill, used = expertise(terms, needs), places(terms)
    if skill >= skills.shape[1]:
        return 0
    column_0, of_team_0, sign_0 = column(agents, team, terms, 0), terms[0, 0] == 0, terms[0, 2]
    column_1, of_team_1, sign_1 = column(agents, team, terms, 1), terms[1, 0] == 0, terms[1, 2]
    column_2, of_team_2, sign_2 = column(agents, team, terms, 2), terms[2, 0] == 0, terms[2, 2]
    column_3, of_team_3, sign_3 = column(agents, team, terms, 3), terms[3, 0] == 0, terms[3, 2]
    best_0, best_1, best_2, best_3 = 0, 0, 0, 0
    value_0, value_1, value_2, value_3 = 0, 0, 0, 0
    count = 0
    for row in range(np.uint64(first), np.uint64(end)):  # unsigned: numba then leaves out the case of a negative index
        agent = np.uint64(agent_of[row])
        if idle[agent] == 0 or barred[row] != 0:
            continue
        if lots:
            lot[row] = draw(number[agent], word, level[row] if lots == WEIGHTED else 0)
        if skill >= 0:
            value_0 = -i64(skills[agent, skill])
        elif skill == NO_EXPERTS:
            value_0 = sign_0 * column_0[row if of_team_0 else agent]
        if count and value_0 > best_0:
            if by_level:
                break
            continue
        tie = count > 0 and value_0 == best_0
        if used > 1:
            value_1 = sign_1 * column_1[row if of_team_1 else agent]
            if tie and value_1 > best_1:
                continue
            tie = tie and value_1 == best_1
        if used > 2:
            value_2 = sign_2 * column_2[row if of_team_2 else agent]
            if tie and value_2 > best_2:
                continue
            tie = tie and value_2 == best_2
        if used > 3:
            value_3 = sign_3 * column_3[row if of_team_3 else agent]
            if tie and value_3 > best_3:
                continue
            tie = tie and value_3 == best_3
        if (tie and count == out.shape[0]) or not fits(skills, needs, i64(agent)):
            continue
        if not tie:
            best_0, best_1, best_2, best_3 = value_0, value_1, value_2, value_3
            count = 0
        out[count] = row
        count += 1
    return count


@kernel
def mark(team: IntArray, first: int, end: int, rows: IntArray, count: int, by_level: bool) -> None:
    """`turns.mark` for rows[:count], over membership rows first..end of `team` (fields, memberships)."""
    turn, level = team[_TURN], team[_LEVEL]
    turn[first:end] = 0
    for place in range(count):
        row = rows[place]
        low, high = first, row
        while by_level and low < high:  # where his level begins
            middle = (low + high) >> 1
            if level[middle] < level[row]:
                low = middle + 1
            else:
                high = middle
        turn[low : row + 1] = 1


def warm() -> None:
    """Compile (or load from the cache) before any call needs it."""
    agents = np.zeros((len(AgentColumns.fields), 1), dtype=np.int64)
    team = np.zeros((len(TeamColumns.fields), 1), dtype=np.int64)
    nothing = np.zeros(0, dtype=np.int64)
    pick(agents, team, np.zeros((1, 1), dtype=np.int8), np.zeros((4, 3), dtype=np.int64), nothing, 0, 1, NO_LOTS,
         np.uint64(0), np.zeros(1, dtype=np.int64))  # fmt: skip
    mark(team, 0, 1, nothing, 0, True)


on_warm("acd", warm)
