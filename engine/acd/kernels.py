"""The pick as a kernel over columns: arrays and integers only, twin of `policy.pick`. Importing this imports numba."""

from __future__ import annotations

import numpy as np

from engine.acd.tables import IntArray, SkillArray
from engine.jit import kernel, on_warm


@kernel
def column(agents: IntArray, team: IntArray, terms: IntArray, place: int) -> IntArray:
    """The column that a term names; any column for an unused place (its sign is 0)."""
    block = team if terms[place, 0] == 0 else agents
    named: IntArray = block[terms[place, 1]]
    return named


@kernel
def compare(one: int, other: int) -> int:
    """−1, 0 or 1."""
    if one < other:
        return -1
    return 1 if one > other else 0


@kernel
def fits(skills: SkillArray, needs: IntArray, agent: int) -> bool:
    """Every need (skill << 8 | level) is met."""
    for place in range(needs.shape[0]):
        skill = needs[place] >> 8
        if skill >= skills.shape[1] or skills[agent, skill] < (needs[place] & 255):
            return False
    return True


@kernel
def pick(
    agents: IntArray,
    team: IntArray,
    skills: SkillArray,
    terms: IntArray,
    needs: IntArray,
    first: int,
    end: int,
    fields: IntArray,
    out: IntArray,
) -> int:
    """Write the membership rows with the smallest key among rows first..end into `out`; how many.

    Shapes: agents (fields, agents), team (fields, memberships), skills (agents, skills) int8, terms (4, 3), needs (n,)
    without empty places, fields (4,) = columns of team.agent, agents.idle, team.level, team.barred; len(out) is the
    most that may be asked: 1 takes the first of the ties, more takes ties in row order (ring-all).
    """
    agent_of = team[fields[0]]
    idle = agents[fields[1]]
    barred = team[fields[3]]
    by_level = terms[0, 0] == 0 and terms[0, 1] == fields[2] and terms[0, 2] == 1  # rows are sorted by level
    column_0, of_team_0, sign_0 = column(agents, team, terms, 0), terms[0, 0] == 0, terms[0, 2]
    column_1, of_team_1, sign_1 = column(agents, team, terms, 1), terms[1, 0] == 0, terms[1, 2]
    column_2, of_team_2, sign_2 = column(agents, team, terms, 2), terms[2, 0] == 0, terms[2, 2]
    column_3, of_team_3, sign_3 = column(agents, team, terms, 3), terms[3, 0] == 0, terms[3, 2]
    best_0, best_1, best_2, best_3 = 0, 0, 0, 0
    count = 0
    for row in range(first, end):
        agent = agent_of[row]
        if idle[agent] == 0 or barred[row] != 0:
            continue
        value_0 = sign_0 * column_0[row if of_team_0 else agent]
        if count and value_0 > best_0:
            if by_level:
                break
            continue
        value_1 = sign_1 * column_1[row if of_team_1 else agent]
        order = -1
        if count:
            order = -1 if value_0 < best_0 else compare(value_1, best_1)
        if order > 0:
            continue
        value_2 = sign_2 * column_2[row if of_team_2 else agent]
        value_3 = sign_3 * column_3[row if of_team_3 else agent]
        if order == 0:
            order = compare(value_2, best_2)
        if order == 0:
            order = compare(value_3, best_3)
        if order > 0 or (order == 0 and count == out.shape[0]) or not fits(skills, needs, agent):
            continue
        if order < 0:
            best_0, best_1, best_2, best_3 = value_0, value_1, value_2, value_3
            count = 0
        out[count] = row
        count += 1
    return count


def warm() -> None:
    """Compile (or load from the cache) before any call needs it."""
    block = np.zeros((2, 1), dtype=np.int64)
    pick(block, block, np.zeros((1, 1), dtype=np.int8), np.zeros((4, 3), dtype=np.int64),
         np.zeros(0, dtype=np.int64), 0, 1, np.zeros(4, dtype=np.int64), np.zeros(1, dtype=np.int64))  # fmt: skip


on_warm("acd", warm)
