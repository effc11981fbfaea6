"""The pool as bytes and back (law 9). Derived state is not saved: it is rebuilt from the columns."""

from __future__ import annotations

from collections import deque

import msgspec

from engine.acd import occupancy
from engine.acd.columns import Saved
from engine.acd.commands import AcdCommand
from engine.acd.learning import Learnt
from engine.acd.metrics import Tally
from engine.acd.model import AgentSpec, QueueSpec
from engine.acd.policy import number_of
from engine.acd.pool import Pool, Queue
from engine.acd.stages import Stage

FORMAT = 1


class SavedQueue(msgspec.Struct, array_like=True):
    row: int
    spec: QueueSpec
    draining: bool
    tally: Tally
    turns: dict[int, int] = {}
    learnt: Learnt = msgspec.field(default_factory=Learnt)


class SavedPool(msgspec.Struct):
    """Everything that can't be rebuilt. What was added later has a default, so an older state is read with it."""

    format: int
    seed: int
    now_ms: int
    sequence: int
    agents_max: int
    entries_max: int
    agents: Saved
    entries: Saved
    offers: Saved
    specs: list[AgentSpec | None]
    memberships: list[tuple[tuple[int, int, int], ...]]
    pause_reasons: list[str]
    queues: list[SavedQueue | None]
    closed: list[int]
    touched: list[int]
    out: list[AcdCommand]
    draws: int = 0
    fades: int = 0
    plans: dict[int, tuple[Stage, ...]] = {}


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(SavedPool)


def encode(pool: Pool) -> bytes:
    """The same state gives the same bytes."""
    return _ENCODER.encode(
        SavedPool(
            format=FORMAT,
            seed=pool.seed,
            now_ms=pool.now_ms,
            sequence=pool.sequence,
            agents_max=pool.agents.capacity_max,
            entries_max=pool.entries.capacity_max,
            agents=pool.agents.save(),
            entries=pool.entries.save(),
            offers=pool.offers.save(),
            specs=pool.specs,
            memberships=pool.memberships,
            pause_reasons=pool.pause_reasons,
            queues=[
                None
                if queue is None
                else SavedQueue(queue.row, queue.spec, queue.draining, queue.tally, queue.turns, queue.learnt)
                for queue in pool.queues
            ],
            closed=list(pool.closed),
            touched=pool.touched,
            out=pool.out,
            draws=pool.draws,
            fades=pool.fades,
            plans=pool.plans,
        )
    )


def decode(data: bytes) -> Pool:
    """Raises msgspec.DecodeError or ValidationError for bytes that `encode` didn't write."""
    saved = _DECODER.decode(data)
    if saved.format != FORMAT:
        raise msgspec.ValidationError(f"format {saved.format} of a distributor's state is newer than {FORMAT}")
    pool = Pool(saved.seed, saved.entries_max, saved.agents_max)
    pool.now_ms, pool.sequence = saved.now_ms, saved.sequence
    pool.draws, pool.fades, pool.plans = saved.draws, saved.fades, saved.plans
    pool.agents.load(saved.agents)
    pool.entries.load(saved.entries)
    pool.offers.load(saved.offers)
    pool.specs, pool.memberships, pool.pause_reasons = saved.specs, saved.memberships, saved.pause_reasons
    pool.closed, pool.out = deque(saved.closed), saved.out
    pool.queues = [_queue(kept) for kept in saved.queues]
    pool.reindex()
    occupancy.watch(pool)
    for row in saved.touched:
        pool.touch(pool.queue_at(row))
    return pool


def _queue(kept: SavedQueue | None) -> Queue | None:
    if kept is None:
        return None
    strategy = number_of(kept.spec.strategy)
    return Queue(kept.row, kept.spec, strategy, kept.draining, kept.tally, kept.turns, learnt=kept.learnt)
