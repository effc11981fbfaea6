"""Widening: a caller's needs relax and his queue's rings open while he waits; his place stays what it was.

Two clocks run from the moment of joining. His own `steps` say which skills he asks for and until when; the queue's
rings say which of its agents may be asked. Ring n holds everybody of the rings before it, so waiting only ever adds
agents, and a ring may drop skills (`without`) for who has reached it. A step may name a ring: then at least that far.

The present stage is written into the caller's own columns (`need0` … `ring`), so the pick and its kernel know nothing
of time; a LOOK deadline brings the next one.
"""

from __future__ import annotations

from engine.acd.columns import NEEDS_MAX
from engine.acd.commands import Widened
from engine.acd.events import CallJoined
from engine.acd.model import QueueSpec
from engine.acd.pool import Pool, Queue, pack_needs
from engine.acd.stages import STEPS_MAX, Stage, merge
from engine.acd.tables import E_ALERTING, E_WAITING

LINED_UP = (E_WAITING, E_ALERTING)


def plan(event: CallJoined, spec: QueueSpec | None) -> tuple[Stage, ...] | None:
    """His plan; empty when nothing ever changes for him, None when it can't be held."""
    if spec is None or not (event.steps or spec.rings):
        return ()
    if len(event.steps) > STEPS_MAX:
        return None
    steps = []
    for for_ms, needs, ring in [(each.for_ms, each.needs, each.ring) for each in event.steps] or [(0, event.needs, 0)]:
        packed = pack_needs(needs)
        if packed is None or for_ms < 0:
            return None
        steps.append((for_ms, tuple(need for need in packed if need), ring))
    return merge(tuple(steps), spec.rings)


def begin(pool: Pool, entry: int, stages: tuple[Stage, ...], now_ms: int) -> None:
    """He joins with this plan."""
    if len(stages) > 1:
        pool.plans[entry] = stages
        pool.arm_look(entry, now_ms + stages[1].from_ms)
    _enter(pool, entry, stages[0])


def advance(pool: Pool, entry: int, now_ms: int) -> None:
    """To the stage of the time he has waited, with a look armed for the one after it."""
    stages = pool.plans.get(entry)
    if stages is None:
        return
    entries = pool.entries
    joined, stage = entries.joined[entry], entries.stage[entry]
    while stage + 1 < len(stages) and joined + stages[stage + 1].from_ms <= now_ms:
        stage += 1
    if stage != entries.stage[entry]:
        entries.stage[entry] = stage
        _enter(pool, entry, stages[stage])
        queue = pool.queue_at(entries.queue[entry])
        told = Widened(entries.call[entry], queue.spec.id, stage + 1, stages[stage].ring, now_ms - joined)
        pool.out.append(told)
        if pool.explain is not None:
            pool.begun.append(entry)
    if stage + 1 < len(stages):
        pool.arm_look(entry, joined + stages[stage + 1].from_ms)


def armed(pool: Pool, entry: int) -> bool:
    """Will he come to his next stage in time? True for who has none, and for who waits no more."""
    stages, entries = pool.plans.get(entry), pool.entries
    if stages is None or entries.stage[entry] + 1 >= len(stages) or entries.state[entry] not in LINED_UP:
        return True
    return 0 < entries.look_at[entry] <= entries.joined[entry] + stages[entries.stage[entry] + 1].from_ms


def _enter(pool: Pool, entry: int, stage: Stage) -> None:
    entries = pool.entries
    for place in range(NEEDS_MAX):
        entries.needs[place][entry] = stage.needs[place] if place < len(stage.needs) else 0
    entries.ring[entry] = stage.ring


def holds(queue: Queue, ring: int) -> bool:
    """Is anybody of this queue further out than `ring`?"""
    return 0 < ring < queue.ring_top
