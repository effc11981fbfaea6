"""Stages: what a caller asks for, and how far out in the rings of his queue, as a function of the time he has waited.

A caller's plan is made when he joins, from his own steps and the rings of his queue, and stays as it is: who waits
keeps the rules under which he began. This module is arithmetic over specs; `widening` applies it to callers.
"""

from __future__ import annotations

import msgspec

from engine import limits
from engine.acd.model import Ring

STEPS_MAX = limits.needs_steps_max
RINGS_MAX = limits.rings_max
BORROWED = 100  # membership level of agents of another queue who are in ring n: BORROWED + n; own levels are ≤ 100

Needs = tuple[int, ...]  # skill << 8 | level


class Stage(msgspec.Struct, frozen=True, array_like=True):
    """From `from_ms` after joining on. `ring` 0: no ring holds anybody back."""

    from_ms: int
    needs: Needs
    ring: int


def ring_of(rings: tuple[Ring, ...], level: int, team: str, office: int = 0) -> int:
    """The first ring, from 1, that holds a membership; one more than there are when none does."""
    if level > BORROWED:
        return level - BORROWED
    for number, ring in enumerate(rings, 1):
        everybody = not (ring.level or ring.teams or ring.offices or ring.borrows)
        if everybody or level <= ring.level or team in ring.teams or (office and office in ring.offices):
            return number
    return len(rings) + 1


def merge(steps: tuple[tuple[int, Needs, int], ...], rings: tuple[Ring, ...]) -> tuple[Stage, ...]:
    """One plan of both clocks. `steps`: (for_ms, needs, ring), at least one; both begin at 0 and run side by side."""
    step_ends = _ends([for_ms for for_ms, _, _ in steps])
    ring_ends = _ends([ring.for_ms for ring in rings])
    stages: list[Stage] = []
    for at_ms in sorted({0, *step_ends, *ring_ends}):
        _, needs, least = steps[sum(end <= at_ms for end in step_ends)]
        reached = min(len(rings), max(1 + sum(end <= at_ms for end in ring_ends), least))
        dropped = {skill for ring in rings[:reached] for skill in ring.without}
        needs = tuple(need for need in needs if need >> 8 not in dropped)
        if not stages or (stages[-1].needs, stages[-1].ring) != (needs, reached):
            stages.append(Stage(at_ms, needs, reached))
    return tuple(stages)


def _ends(spans: list[int]) -> list[int]:
    """When all but the last are over, in ms from the beginning."""
    ends: list[int] = []
    for span in spans[:-1]:
        ends.append((ends[-1] if ends else 0) + span)
    return ends
