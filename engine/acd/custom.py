"""A site's own policy: expressions over agents and the caller, evaluated for all candidates at once.

A `Program` is a checked postfix list of (code, argument): integers only, no loop, no name, nothing of the site's is
executed but these codes. Every value is an integer (ms, counts, levels, per mille) or a column of them, one for each
idle agent of the queue; arithmetic saturates at ±VALUE_MAX, so a program that `check` has accepted cannot fail.

`admit` bars whom it says no to; the values of `order`, one after another, smallest first, become ranks in the column
`lot`, which the strategy `custom` compares. So this module decides, and the pick and its kernel stay as they are.
Should it fail all the same, the queue goes on by longest idle time, and a breach tells it once.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from engine import limits
from engine.acd import occupancy
from engine.acd.columns import AgentColumns, TeamColumns
from engine.acd.model import Policy, Program
from engine.acd.pool import Pool, Queue
from engine.acd.tables import IntArray
from engine.errors import LocalError

VALUE_MAX = (1 << 53) - 1
LOOK_MS = 1_000  # who waits for an agent whom a rule about time doesn't admit yet is looked at so often
(CONST, FIELD, SKILL, ADD, SUB, MUL, EQ, NE, LT, LE, GT, GE, AND, OR, NOT) = range(15)
FIELDS = (
    "agent.level", "agent.position", "agent.idle", "agent.calls", "agent.talk", "agent.answered", "agent.occupancy",
    "caller.waited", "caller.priority", "queue.waiting", "agent.latency", "agent.cost", "agent.near",
)  # fmt: skip
_OF_CALLER = (FIELDS.index("caller.waited"), FIELDS.index("caller.priority"), FIELDS.index("agent.near"))
_OF_TIME = tuple(
    FIELDS.index(name)
    for name in ("agent.idle", "agent.calls", "agent.talk", "agent.occupancy", "caller.waited", "caller.priority")
)

Value = int | IntArray
_TWO: dict[int, Callable[[Value, Value], Value]] = {
    ADD: lambda a, b: _bounded(a + b),
    SUB: lambda a, b: _bounded(a - b),
    MUL: lambda a, b: _times(a, b),
    EQ: lambda a, b: _flag(a == b),
    NE: lambda a, b: _flag(a != b),
    LT: lambda a, b: _flag(a < b),
    LE: lambda a, b: _flag(a <= b),
    GT: lambda a, b: _flag(a > b),
    GE: lambda a, b: _flag(a >= b),
    AND: lambda a, b: a & b,
    OR: lambda a, b: a | b,
}
_OF_OFFICE = ("agent.latency", "agent.cost", "agent.near")
_BARRED, _LOT, _AGENT = (TeamColumns.index(name) for name in ("barred", "lot", "agent"))
_IDLE = AgentColumns.index("idle")
_COLUMNS = {"agent.level": (0, "level"), "agent.position": (0, "position"), "agent.answered": (1, "answered")}


def check(policy: Policy) -> None:
    """Raises LocalError for what can't be run; the dialplan reader has refused it before with its place."""
    programs = (*policy.order, policy.admit) if policy.admit else policy.order
    if len(policy.order) > limits.policy_expressions_max or not programs:
        raise LocalError(f"a policy has 1 to {limits.policy_expressions_max} expressions of order")
    for program in programs:
        depth = 0
        for code, argument in program:
            if code in (CONST, FIELD, SKILL):
                depth += 1
                good = abs(argument) <= VALUE_MAX and (code == CONST or argument >= 0)
                good = good and (code != FIELD or argument < len(FIELDS))
            else:
                good = (code in _TWO and depth >= 2) or (code == NOT and depth >= 1)
                depth -= code != NOT
            if not good:
                raise LocalError(f"a policy's program stumbles over ({code}, {argument})")
        if depth != 1 or len(program) > limits.policy_nodes_max:
            raise LocalError("a policy's program leaves not one value, or is too long")


def applies(queue: Queue) -> bool:
    return queue.spec.policy is not None


def personal(queue: Queue) -> bool:
    """May two callers with the same needs be admitted differently?"""
    policy = queue.spec.policy
    return policy is not None and any(code == FIELD and field in _OF_CALLER for code, field in policy.admit)


def timely(queue: Queue) -> bool:
    """May an agent who isn't admitted be so later, without any event?"""
    policy = queue.spec.policy
    return policy is not None and any(
        code == FIELD and field in _OF_TIME for code, field in policy.admit
    )


def write(pool: Pool, queue: Queue, entry: int, now_ms: int) -> None:
    """Ranks and bars of the queue's idle agents for this caller."""
    policy = queue.spec.policy
    if policy is None or not queue.idle:
        return
    team = pool.team.block[_AGENT, queue.first_row : queue.end_row]
    rows: IntArray = np.flatnonzero(pool.agents.block[_IDLE][team]) + queue.first_row
    try:
        admitted, ranks = decide(pool, queue, policy, rows, entry, now_ms)
    except (ArithmeticError, LookupError, TypeError, ValueError) as problem:
        if not queue.policy_failed:
            queue.policy_failed = True
            pool.breach("policy", f"queue {queue.spec.name}: {problem}; longest idle time decides")
        admitted, ranks = None, pool.agents.block[AgentColumns.index("idle_since")][pool.team.block[_AGENT][rows]]
    pool.team.block[_LOT][rows] = ranks
    if admitted is not None:
        refused = rows[~admitted]
        if refused.size:
            pool.team.block[_BARRED][refused] = 1
            if timely(queue):
                pool.arm_look(entry, now_ms + LOOK_MS)


def decide(
    pool: Pool, queue: Queue, policy: Policy, rows: IntArray, entry: int, now_ms: int
) -> tuple[np.ndarray[tuple[int], np.dtype[np.bool_]] | None, IntArray]:
    """(who is admitted or None for everybody, rank of each) for membership rows; equal values have equal ranks."""
    columns = [
        np.broadcast_to(np.asarray(run(pool, queue, program, rows, entry, now_ms), dtype=np.int64), rows.shape)
        for program in policy.order
    ]
    admitted = None
    if policy.admit:
        said = np.asarray(run(pool, queue, policy.admit, rows, entry, now_ms), dtype=np.int64)
        admitted = np.broadcast_to(said != 0, rows.shape)
    ranks: IntArray = np.zeros(rows.shape, dtype=np.int64)
    if len(columns) == 1:
        return admitted, np.array(columns[0])
    if columns:
        order = np.lexsort(tuple(reversed(columns)))
        steps = np.zeros(rows.shape, dtype=bool)
        for column in columns:
            line = column[order]
            steps[1:] |= line[1:] != line[:-1]
        ranks[order] = np.cumsum(steps)
    return admitted, ranks


def run(pool: Pool, queue: Queue, program: Program, rows: IntArray, entry: int, now_ms: int) -> Value:
    """One value, or one for each membership row; flags are 1 and 0."""
    stack: list[Value] = []
    for code, argument in program:
        if code == CONST:
            stack.append(argument)
        elif code == FIELD:
            stack.append(_field(pool, queue, FIELDS[argument], rows, entry, now_ms))
        elif code == SKILL:
            held = pool.skills.shape[1] > argument
            stack.append(pool.skills[pool.team.block[_AGENT][rows], argument].astype(np.int64) if held else 0)
        elif code == NOT:
            stack.append(1 - stack.pop())
        else:
            right, left = stack.pop(), stack.pop()
            stack.append(_TWO[code](left, right))
    (value,) = stack
    return value


def _field(pool: Pool, queue: Queue, name: str, rows: IntArray, entry: int, now_ms: int) -> Value:
    entries = pool.entries
    if name == "caller.waited":
        return now_ms - entries.joined[entry]
    if name == "caller.priority":
        return entries.joined[entry] - entries.effective[entry]
    if name == "queue.waiting":
        return len(queue.waiting)
    agents = pool.team.block[_AGENT][rows]
    if name == "agent.occupancy":
        each = [occupancy.at(pool, int(agent), now_ms) * 1_000 >> 32 for agent in agents]
        return np.array(each, dtype=np.int64)
    if name in _OF_OFFICE:
        return _of_office(pool, name, agents, entry)
    block = pool.agents.block
    found: IntArray
    if name == "agent.idle":
        found = now_ms - block[AgentColumns.index("idle_since")][agents]
    elif name == "agent.calls":
        found = block[AgentColumns.index("call_load")][agents] >> 16
    elif name == "agent.talk":
        found = block[AgentColumns.index("talk_load")][agents]
    else:
        source, column = _COLUMNS[name]
        found = (
            block[AgentColumns.index(column)][agents] if source else pool.team.block[TeamColumns.index(column)][rows]
        )
    return found


def _of_office(pool: Pool, name: str, agents: IntArray, entry: int) -> IntArray:
    """What an agent's place says; `near` is 1 where the caller's call came in."""
    specs = [pool.specs[int(agent)] for agent in agents]
    where = int(pool.entries.office[entry])
    each = [
        0 if spec is None
        else spec.latency_ms if name == "agent.latency"
        else spec.cost if name == "agent.cost"
        else int(spec.office == where != 0)
        for spec in specs
    ]
    return np.array(each, dtype=np.int64)


def _bounded(value: Value) -> Value:
    if isinstance(value, int):
        return max(-VALUE_MAX, min(VALUE_MAX, value))
    return np.minimum(np.maximum(value, -VALUE_MAX), VALUE_MAX)


def _flag(value: object) -> Value:
    return int(value) if isinstance(value, bool) else np.asarray(value).astype(np.int64)


def _times(left: Value, right: Value) -> Value:
    """Exact within ±VALUE_MAX: where the product could leave int64 it is made of Python's integers."""
    if isinstance(left, int) and isinstance(right, int):
        return _bounded(left * right)
    if int(np.abs(left).max(initial=0)) * int(np.abs(right).max(initial=0)) <= VALUE_MAX:
        return left * right
    pairs = np.broadcast(left, right)
    return np.array([_bounded(int(a) * int(b)) for a, b in pairs], dtype=np.int64)
