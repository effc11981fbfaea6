"""A dialplan as a chain of chances: how often each step is reached and left by each way, computed from its graph.

It reads the linked program alone and shares no code with the interpreter, so that the two can be held against each
other: `crowd` sends callers through the interpreter, and every share must fit.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import numpy as np

from engine.dialplan.program import Program, Step

OK = ""  # the way of success: on to the next step
STATES_MAX = 5_000

Chances = Mapping[str, Mapping[str, float]]  # step's place -> way -> chance; ways that are missing have none
State = tuple[tuple[tuple[str, int], ...], tuple[int, ...]]  # (stack, frames) as in Running


class Expected(msgspec.Struct, frozen=True):
    """Visits of each place, and departures of each (place, way), in the mean of a call."""

    visits: dict[str, float]
    ways: dict[tuple[str, str], float]


def menu_chances(keys: Mapping[str, float], tries: int) -> dict[str, float]:
    """Chances of a menu's ways: `keys` are those of one try; what they leave to 1 is a wrong key or none."""
    bad = 1.0 - sum(keys.values())
    again = sum(bad**number for number in range(tries))
    return {**{key: chance * again for key, chance in keys.items()}, "failed": bad**tries}


def expected(program: Program, chances: Chances) -> Expected:
    """Solve the chain. A step whose place is not in `chances` always succeeds. Raises ValueError when it never ends."""
    start: State = (((program.entry, 0),), ())
    numbers: dict[State, int] = {start: 0}
    order: list[State] = [start]
    moves: list[tuple[int, int, float]] = []  # from, to (-1 the end), chance
    leaves: list[tuple[int, str, str, float]] = []  # state, place, way, chance
    place = 0
    while place < len(order):
        state = order[place]
        step = _step(program, state)
        if step is not None:
            for way, chance in chances.get(step.place, {OK: 1.0}).items():
                leaves.append((place, step.place, way, chance))
                after = _after(program, state, step, way)
                if after is not None and after not in numbers:
                    if len(order) >= STATES_MAX:
                        raise ValueError(f"more than {STATES_MAX} states")
                    numbers[after] = len(order)
                    order.append(after)
                moves.append((place, -1 if after is None else numbers[after], chance))
        place += 1
    size = len(order)
    matrix = np.eye(size)
    for here, there, chance in moves:
        if there >= 0:
            matrix[there, here] -= chance
    begin = np.zeros(size)
    begin[0] = 1.0
    try:
        found = np.linalg.solve(matrix, begin)
    except np.linalg.LinAlgError:
        raise ValueError("these chances never end a call") from None
    return _sums(order, program, found, leaves)


def _sums(
    order: list[State], program: Program, found: np.ndarray, leaves: list[tuple[int, str, str, float]]
) -> Expected:
    visits: dict[str, float] = {}
    ways: dict[tuple[str, str], float] = {}
    for number, state in enumerate(order):
        step = _step(program, state)
        if step is not None:
            visits[step.place] = visits.get(step.place, 0.0) + float(found[number])
    for number, place, way, chance in leaves:
        ways[place, way] = ways.get((place, way), 0.0) + float(found[number]) * chance
    return Expected(visits, ways)


def _step(program: Program, state: State) -> Step | None:
    """The step that a state is at; states are never at the end of a flow."""
    stack = state[0]
    if not stack:
        return None
    flow, index = stack[-1]
    return program.flows[flow][index]


def _after(program: Program, state: State, step: Step, way: str) -> State | None:
    """Where a way leads; None where the call ends."""
    stack, frames = state
    flow, index = stack[-1]
    behind = (*stack[:-1], (flow, index + 1))
    if step.verb in ("hangup", "reject"):
        return None
    if step.verb == "return":
        return _settled(program, behind[: frames[-1]], frames[:-1])
    if step.verb == "subflow":
        return _settled(program, (*behind, (step.outs["flow"], 0)), (*frames, len(behind)))
    if way.startswith("always "):
        return _settled(program, ((program.always[way.removeprefix("always ")], 0),), ())
    target = step.outs["flow"] if step.verb == "goto" else step.outs.get(way, "")
    if not target:
        return _settled(program, behind, frames)
    if target == "again":
        return state
    if "#" in target:
        return _settled(program, (*behind, (target, 0)), frames)
    return _settled(program, (*stack[: frames[-1] if frames else 0], (target, 0)), frames)


def _settled(program: Program, stack: tuple[tuple[str, int], ...], frames: tuple[int, ...]) -> State | None:
    """Past the ends of flows: a hoisted list returns to its step, a subflow to its caller."""
    while stack and stack[-1][1] >= len(program.flows[stack[-1][0]]):
        stack = stack[:-1]
        if frames and len(stack) == frames[-1]:
            frames = frames[:-1]
    return (stack, frames) if stack else None
