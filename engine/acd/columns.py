"""Columns: one int64 array per field, one row per agent, entry, offer or membership (DESIGN §4).

All fields of a kind live in one block of shape (fields, capacity), so that a kernel takes one array and a field is
one of its rows. Python reads and writes single cells through memoryviews of the same memory: they give plain ints
(no numpy scalars leak into commands) at half the price of an array access.

Capacity doubles up to a named maximum; growing replaces the views, so no caller keeps one over `take`. A row given
back gets a higher generation, by which late references are recognised.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import ClassVar

import msgspec
import numpy as np

from engine import limits
from engine.acd.tables import AGENT_STATES, IntArray

Column = memoryview  # of int64
NEEDS_MAX = limits.needs_max


class Saved(msgspec.Struct, array_like=True):
    """Encoded columns. Fields are named, so that a later version with more of them reads an older state."""

    fields: tuple[str, ...]
    used: int
    free: list[int]
    data: bytes  # little-endian int64, shape (fields, used)


class Columns:
    """Rows of integers. `used` is the high-water mark; `free` a heap, so that the lowest free row is taken first."""

    fields: ClassVar[tuple[str, ...]] = ()
    blank: ClassVar[dict[str, int]] = {}  # a fresh row's values, where not 0

    generation: Column

    def __init__(self, capacity_max: int, capacity: int = 64) -> None:
        self.capacity_max = capacity_max
        self.block: IntArray = np.zeros((len(self.fields), min(capacity, capacity_max)), dtype="<i8")
        self.free: list[int] = []
        self.used = 0
        self._bind()

    def _bind(self) -> None:
        cells, wide = self.block.reshape(-1).data, self.block.shape[1]
        starts = range(0, len(cells), wide) if wide else [0] * len(self.fields)
        vars(self).update(zip(self.fields, [cells[start : start + wide] for start in starts], strict=True))

    @classmethod
    def index(cls, field: str) -> int:
        """The row of `block` that holds this field."""
        return cls.fields.index(field)

    def __len__(self) -> int:
        return self.used - len(self.free)

    def take(self) -> int:
        """A blank row, or -1 when capacity_max rows are in use. Its generation is never 0."""
        if self.free:
            row = heappop(self.free)
        elif self.used < self.capacity_max:
            row = self.used
            if row == self.block.shape[1]:
                self._grow()
            self.used += 1
            self.generation[row] = 1
        else:
            return -1
        for field, value in self.blank.items():
            getattr(self, field)[row] = value
        return row

    def give(self, row: int) -> None:
        """Return a row: all zero, next generation."""
        generation = self.generation[row]
        self.block[:, row] = 0
        self.generation[row] = generation + 1
        heappush(self.free, row)

    def _grow(self) -> None:
        old = self.block
        capacity = min(2 * old.shape[1], self.capacity_max)
        self.block = np.zeros((len(self.fields), capacity), dtype="<i8")
        self.block[:, : old.shape[1]] = old
        self._bind()

    def save(self) -> Saved:
        return Saved(self.fields, self.used, self.free, self.block[:, : self.used].tobytes())

    def load(self, saved: Saved) -> None:
        """Blank columns take over saved rows; fields this version doesn't know are dropped, new ones stay blank."""
        assert not self.used, "rows beyond the saved ones would stay"
        used = saved.used
        self.capacity_max = max(self.capacity_max, used)
        while self.block.shape[1] < used:
            self._grow()
        data = np.frombuffer(saved.data, dtype="<i8").reshape(len(saved.fields), used)
        if saved.fields == self.fields:
            self.block[:, :used] = data
        else:
            for field, value in self.blank.items():
                self.block[self.index(field), :used] = value
            for source, field in enumerate(saved.fields):
                if field in self.fields:
                    self.block[self.index(field), :used] = data[source]
        self.used = used
        self.free = list(saved.free)


class AgentColumns(Columns):
    """One row per agent of the pool. Times are ms; `spent_*` accumulate the time in each state, without gaps."""

    fields = (
        "generation", "id", "state", "wish", "idle", "reachable", "removed", "second_line", "since", "deadline",
        "idle_since", "rest_until", "occupied_until", "misses", "offer", "entry", "wrap_ms", "wrap_own",
        "answered", "offered", "missed", "spent_0", "spent_1", "spent_2", "spent_3", "spent_4", "spent_5", "spent_6",
        "spent_7", "last_offered", "last_end", "call_load", "talk_load", "held",
        "occupancy", "occupancy_since", "loa",
        "wrap_asked_ms", "wrap_firm", "wrap_extensions", "wrap_extend_ms", "on_demand", "serves",
        "humane", "ease_until", "ease_cause", "talk_run", "called_at", "busy_at",
        "busy_0", "busy_1", "busy_2", "busy_3", "busy_4", "busy_5", "busy_6", "busy_7", "busy_8", "busy_9", "busy_10",
        "busy_11", "busy_12", "eligible", "taken", "owed", "hard", "ease_1", "ease_2", "ease_3", "ease_4",
    )  # fmt: skip
    blank = {"offer": -1, "entry": -1, "held": -1}
    id: Column
    state: Column
    wish: Column  # LOGGED_OUT, READY or NOT_READY: what he asked for last
    idle: Column  # 1: ready, reachable, may be offered a call (kernels read this)
    reachable: Column
    removed: Column  # 1: not in the configuration any more, leaves when he comes home
    second_line: Column
    since: Column  # in `state` since
    deadline: Column  # of `state`; 0 none
    idle_since: Column
    rest_until: Column
    occupied_until: Column  # 0: no other call; otherwise when we stop believing in it
    misses: Column  # in a row
    offer: Column  # ringing or won, -1 none
    entry: Column  # conversation, -1 none
    wrap_ms: Column  # wrap-up after the present conversation
    wrap_own: Column  # the agent's own wrap-up, -1: the queue's
    answered: Column
    offered: Column
    missed: Column
    last_offered: Column  # when his phone last rang for a queue, 0 never
    last_end: Column  # when his last conversation ended, 0 never; a login leaves it
    call_load: Column  # calls, fixed point, fading: see `fairness`
    talk_load: Column  # ms of talk, fading
    held: Column  # entry of the absent caller for whom he is put aside, -1 none
    occupancy: Column  # share of work, fixed point, at `occupancy_since`: see `occupancy`
    occupancy_since: Column
    loa: Column  # orders those who wait by it
    wrap_asked_ms: Column  # wrap-up after the present conversation should he ask for one, 0: he can't
    wrap_firm: Column  # bits TIME_FIRM, CODE_FIRM: what keeps him from ending it himself
    wrap_extensions: Column  # that he has left
    wrap_extend_ms: Column
    on_demand: Column
    serves: Column  # row + 1 of the queue that rang him last, 0 none yet
    humane: Column  # 1: a rule of `rests` holds for him
    ease_until: Column  # such a rest ends then, 0 none
    ease_cause: Column  # index into rests.CAUSES
    talk_run: Column  # ms of talk since he has rested
    called_at: Column  # when he answered his last call, 0 never
    busy_at: Column  # the latest bucket in `busy`
    busy: tuple[Column, ...]  # ms by bucket number modulo rests.SLOTS
    eligible: Column  # calls that might have been his, fixed point, fading: see `hard`
    taken: Column  # calls that were, fading
    owed: Column  # hard calls that he has yet to get, fixed point
    hard: Column  # hard calls that he has taken
    eased: tuple[Column, ...]  # rests by cause, 1 … 4
    spent: tuple[Column, ...]  # by state

    def _bind(self) -> None:
        super()._bind()
        self.busy = tuple(getattr(self, f"busy_{slot}") for slot in range(13))
        self.eased = tuple(getattr(self, f"ease_{cause}") for cause in range(1, 5))
        self.spent = tuple(getattr(self, f"spent_{state}") for state in range(len(AGENT_STATES)))


class EntryColumns(Columns):
    """One row per caller in the pool, from joining to the end of his talk. `need*`: skill << 8 | level, 0 none."""

    fields = (
        "generation", "call", "state", "queue", "agent", "first", "ringing", "ring_level", "joined", "effective",
        "sequence", "wait_until", "deadline", "connected",
        "need0", "need1", "need2", "need3", "need4", "need5", "need6", "need7", "asked", "more_at",
        "avoid", "avoid_until", "look_at",
        "ring", "stage", "prefer", "prefer_until", "prefer_away", "away", "pause_until", "hold",
        "credit", "group", "hard", "rung", "office",
    )  # fmt: skip
    blank = {"agent": -1, "first": -1, "asked": -1, "avoid": -1, "prefer": -1, "hold": -1}
    call: Column
    state: Column
    queue: Column  # row of the queue
    agent: Column  # conversation with this agent row, -1 none
    first: Column  # first of the linked offers that ring, -1 none
    ringing: Column  # how many
    ring_level: Column  # level of the agents that ring
    joined: Column
    effective: Column  # joined − priority_ms: smaller is served earlier
    sequence: Column  # of joining, the tie-breaker
    wait_until: Column
    deadline: Column
    connected: Column  # since, 0 not yet
    asked: Column  # id of the agent who was asked last for him (linear, top-down), -1 none
    more_at: Column  # when one more phone may ring (ring-progressively), 0 now or never
    avoid: Column  # id of the agent who isn't offered him until `avoid_until`, -1 none
    avoid_until: Column
    look_at: Column  # when somebody who was barred for him may be asked (`bars`), 0 never
    ring: Column  # of his queue, that he has reached; 0: none (`widening`)
    stage: Column  # of his plan
    prefer: Column  # id of the agent whom he waits for until `prefer_until`, -1 none (`preference`)
    prefer_until: Column
    prefer_away: Column  # 1: even when that agent is not there
    away: Column  # 0: he is on the line; else why his place is kept (`kept.WAYS`)
    pause_until: Column  # while absent: nobody is asked and he isn't rung up before then
    hold: Column  # row of the agent who is put aside while he is rung up, -1 none
    credit: Column  # ms that he had waited before he came here, where they count
    group: Column  # number of his class, 0 none (`reserve`)
    hard: Column  # 1: a hard call (`hard`)
    rung: Column  # 1: he was rung up, and since then either rings or waits on the line for his agent
    office: Column  # number of the office where his call came in, 0 none
    needs: tuple[Column, ...]

    def _bind(self) -> None:
        super()._bind()
        self.needs = tuple(getattr(self, f"need{place}") for place in range(NEEDS_MAX))


class OfferColumns(Columns):
    """One row per offer; closed ones are kept for LATE_MS, so that a crossing answer is told what happened."""

    fields = ("generation", "state", "entry", "agent", "queue", "next", "started", "deadline", "until", "reason", "id",
              "call_id", "agent_id")  # fmt: skip
    blank = {"next": -1}
    state: Column
    entry: Column
    agent: Column
    queue: Column  # row of the queue
    next: Column  # next ringing offer of the same entry
    started: Column
    deadline: Column  # while ringing; a won offer lives as long as its conversation, which has its own
    until: Column  # when closed: remembered until then
    reason: Column  # index into offers.REASONS when closed
    id: Column
    call_id: Column
    agent_id: Column


class TeamColumns(Columns):
    """One row per membership of an agent in a queue, by (queue, level, position, agent): this order breaks ties.

    Derived, so not saved. `turn` and `lot` are written by `turns.prepare` just before the pick that reads them, and
    `barred` by `bars.write`, which clears it after the pick.
    """

    fields = ("generation", "queue", "agent", "level", "position", "turn", "lot", "barred", "ring")
    queue: Column
    agent: Column
    level: Column
    position: Column
    turn: Column  # 1: had his turn already, 0: comes before
    lot: Column  # drawn for this pick
    barred: Column  # 1: not for the caller of this pick
    ring: Column  # the first ring of the queue that holds this membership, 0 when it has no rings
