"""The distributor: one pool behind a facade. Events in, commands out; the owner keeps the clock (DESIGN §4).

    distributor.apply(event, now_ms)     # any number of times
    distributor.expire(now_ms)           # when next_deadline() has come
    for command in distributor.settle(now_ms): ...

`apply` and `expire` only update columns; what they have to say waits for `settle`, which also makes every offer
that can be made. An owner that never answers loses nothing but time: every offer, conversation, rest and wrap-up
has a deadline of its own.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

from engine import limits
from engine.acd import brief, happenings, invariants, policy, reload, saving, snapshots, turns, waits
from engine.acd.bars import Pick
from engine.acd.commands import AcdCommand, Breach
from engine.acd.deadlines import LOOK, SHIFT
from engine.acd.decide import decide, tell_unserved
from engine.acd.events import AcdEvent
from engine.acd.model import AgentSpec, QueueSpec
from engine.acd.pool import Explainer, Pool, Writers, pack_needs
from engine.acd.tables import AGENT_STATES, E_CONNECTED, ENTRY_STATES
from engine.errors import LocalError


class Distributor:
    """`kernels`: "python" (the twin; nothing imports numba) or "numba" (for hundreds of agents). Both decide alike."""

    def __init__(
        self,
        seed: int,
        *,
        entries_max: int = limits.entries_max,
        agents_max: int = limits.agents_max,
        kernels: str = "python",
    ) -> None:
        self._pool = Pool(seed, entries_max, agents_max)
        self._pick, self._pool.writers = _picker(kernels)

    def explains(self, explainer: Explainer | None = brief.brief) -> None:
        """From now on each decision is told as `Decided` before its offers. A choice of this process, not state."""
        self._pool.explain = explainer
        self._pool.begun = []

    def configure(self, queues: Sequence[QueueSpec], agents: Sequence[AgentSpec], now_ms: int) -> None:
        """First configuration or reload; see `reload.configure`. LocalError or LimitExceeded change nothing."""
        reload.configure(self._pool, queues, agents, self._clock(now_ms))

    def apply(self, event: AcdEvent, now_ms: int) -> None:
        """Update the columns. Never raises for late, repeated or unknown ids."""
        happenings.handle(self._pool, event, self._clock(now_ms))

    def expire(self, now_ms: int) -> None:
        """Everything whose deadline has come, in order of time; at one time offers, entries, agents, more phones."""
        pool = self._pool
        now_ms = self._clock(now_ms)
        due = pool.heap.pop_due(pool.deadline_columns(), now_ms)
        while due is not None:
            happenings.deadline(pool, due[0], due[1], now_ms)
            due = pool.heap.pop_due(pool.deadline_columns(), now_ms)

    def settle(self, now_ms: int) -> list[AcdCommand]:
        """Decide everything that can be decided; returns all commands since the last settle, in order."""
        pool = self._pool
        if pool.stale:
            pool.reindex()
        if pool.touched:
            decide(pool, self._pick, self._clock(now_ms))
            if pool.begun:
                tell_unserved(pool, pool.now_ms)
            pool.trim_heap()
        out, pool.out = pool.out, []
        return out

    def next_deadline(self) -> int | None:
        """When `expire` has work to do, in ms; None: never."""
        return self._pool.heap.next(self._pool.deadline_columns())

    def shift(self, by_ms: int) -> None:
        """Every deadline fires `by_ms` later (the owner was away); waits, places and bars stay as they are."""
        pool = self._pool
        for column, used in zip(pool.deadline_columns()[:LOOK], pool.deadline_rows()[:LOOK], strict=True):
            for row in range(used):
                if column[row]:
                    column[row] += by_ms
        pool.rebuild_heap()

    def perhaps_due(self, now_ms: int) -> bool:
        """Could `expire` have work to do? A quick look: False is certain, True may be a deadline that was moved."""
        words = self._pool.heap.words
        return bool(words) and words[0] < (now_ms + 1) << SHIFT

    def _clock(self, now_ms: int) -> int:
        """Time never runs backwards inside the pool, whatever the owner says."""
        pool = self._pool
        if now_ms < pool.now_ms:
            return pool.now_ms
        pool.now_ms = now_ms
        return now_ms

    # --- questions ----------------------------------------------------------------------------------
    def position(self, call: int) -> int:
        """1-based place among those not yet connected, counting who is being offered; 0 unknown or connected."""
        pool = self._pool
        row = pool.calls.get(call, -1)
        if row < 0 or pool.entries.state[row] == E_CONNECTED:
            return 0
        return bisect_left(pool.queue_at(pool.entries.queue[row]).order, pool.place(row)) + 1

    def effective(self, call: int) -> int | None:
        """The age by which this call is served: ms at which it joined, less its priority; None for an unknown call."""
        row = self._pool.calls.get(call, -1)
        return None if row < 0 else self._pool.entries.effective[row]

    def entry_state(self, call: int) -> str:
        """A word of `tables.ENTRY_STATES`; "ended" for an unknown call."""
        row = self._pool.calls.get(call, -1)
        return ENTRY_STATES[self._pool.entries.state[row]] if row >= 0 else ENTRY_STATES[0]

    def queue_length(self, queue: int) -> int:
        """Callers of this queue who are not connected yet; 0 for an unknown queue."""
        row = self._pool.queue_rows.get(queue, -1)
        return len(self._pool.queue_at(row).order) if row >= 0 else 0

    def longest_wait_ms(self, queue: int, now_ms: int) -> int:
        """How long the caller who has waited longest in this queue is there; 0 when nobody is."""
        row = self._pool.queue_rows.get(queue, -1)
        joined = snapshots.longest_waits(self._pool, self._pool.queue_at(row))[1] if row >= 0 else -1
        return now_ms - joined if joined >= 0 else 0

    def rings(self, call: int) -> bool:
        """Does a phone ring for this caller now?"""
        row = self._pool.calls.get(call, -1)
        return row >= 0 and self._pool.entries.ringing[row] > 0

    def presence(self, queue: int) -> dict[str, int]:
        """Agents of a queue by state; see `snapshots.presence`. Empty for an unknown queue."""
        row = self._pool.queue_rows.get(queue, -1)
        return snapshots.presence(self._pool, self._pool.queue_at(row)) if row >= 0 else {}

    def estimate(
        self, queue: int, now_ms: int, *, call: int = 0, priority_ms: int = 0, needs: Sequence[tuple[int, int]] = ()
    ) -> waits.WaitEstimate | None:
        """How long `call` (a caller of this queue) will wait from now, or who would join now; see `waits.estimate`.

        `priority_ms` and `needs` as in CallJoined, for who would join. Changes nothing. None: nothing honest can be
        said, the queue or the call is unknown, or the caller is connected.
        """
        pool = self._pool
        row = pool.queue_rows.get(queue, -1)
        entry, words = -1, pack_needs(tuple(needs))
        if call:
            entry = pool.calls.get(call, -1)
            if entry < 0 or pool.entries.queue[entry] != row or pool.entries.state[entry] == E_CONNECTED:
                return None
        if row < 0 or words is None:
            return None
        wanted = tuple(word for word in words if word)
        now_ms = max(now_ms, pool.now_ms)
        return waits.estimate(pool, pool.queue_at(row), now_ms, entry=entry, priority_ms=priority_ms, needs=wanted)

    def agent_state(self, agent: int) -> str:
        """A word of `tables.AGENT_STATES`; '' for an unknown agent."""
        row = self._pool.agent_rows.get(agent, -1)
        return AGENT_STATES[self._pool.agents.state[row]] if row >= 0 else ""

    def left_ms(self, agent: int, now_ms: int) -> int:
        """Until the deadline of the agent's state, 0 where it has none."""
        row = self._pool.agent_rows.get(agent, -1)
        return max(0, self._pool.agents.deadline[row] - now_ms) if row >= 0 else 0

    def wrap_up(self, agent: int, now_ms: int) -> dict[str, int]:
        """What his wrap-up may still do; see `snapshots.wrap_up`. {} for an unknown agent."""
        row = self._pool.agent_rows.get(agent, -1)
        return snapshots.wrap_up(self._pool, row, now_ms) if row >= 0 else {}

    def snapshot_queues(self, now_ms: int) -> list[dict[str, Any]]:
        """One dictionary per queue in order of id; see `snapshots.queue_row`."""
        rows = [queue for queue in self._pool.queues if queue is not None]
        return [snapshots.queue_row(self._pool, queue, now_ms) for queue in sorted(rows, key=lambda q: q.spec.id)]

    def snapshot_agents(self, now_ms: int) -> list[dict[str, Any]]:
        """One dictionary per agent in order of id; see `snapshots.agent_row`."""
        return [snapshots.agent_row(self._pool, row, now_ms) for _, row in sorted(self._pool.agent_rows.items())]

    def gauges(self, first: int, count: int, now_ms: int) -> list[dict[str, Any]]:
        """Figures of the queues in rows first … first + count - 1; see `snapshots.gauges`. Empty beyond the last."""
        rows = self._pool.queues[first : first + count]
        return [snapshots.gauges(self._pool, queue, now_ms) for queue in rows if queue is not None]

    def queue_rows(self) -> int:
        """Rows of queues, those that are gone included."""
        return len(self._pool.queues)

    def agent_totals(self) -> dict[str, int]:
        """Agents by state over all queues."""
        return snapshots.agent_totals(self._pool)

    def check(self, now_ms: int) -> list[Breach]:
        """Test the invariants; what is broken is healed (commands come with the next settle) and returned."""
        return invariants.check(self._pool, self._clock(now_ms))

    # --- as data ------------------------------------------------------------------------------------
    def encode(self) -> bytes:
        """The whole state, commands not yet taken included."""
        return saving.encode(self._pool)

    @classmethod
    def decode(cls, data: bytes, *, kernels: str = "python") -> Distributor:
        """Continue where `encode` stopped, to the byte. `kernels` is a choice of this process, not state."""
        distributor = cls.__new__(cls)
        distributor._pool = saving.decode(data)
        distributor._pick, distributor._pool.writers = _picker(kernels)
        return distributor


def _picker(kernels: str) -> tuple[Pick, Writers]:
    if kernels == "python":
        return policy.pick, turns.NUMPY
    if kernels == "numba":
        from engine.acd import kernel_pick  # numba is imported here, and only here

        return kernel_pick.pick, kernel_pick.WRITERS
    raise LocalError(f"kernels: python or numba, not {kernels!r}")
