"""Integer-millisecond deadlines as data (DESIGN law 2 and 6).

Time is an argument everywhere: a room holds one `Deadlines`, arms keys in it and is told `now_ms`.
Nothing here reads a clock. Times are monotonic milliseconds (int); keys are tuples of a short word and
integers, so that a whole heap is encodable.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush

import msgspec

Key = tuple[str, int]


class Deadlines(msgspec.Struct):
    """A heap of (at_ms, serial, key) with lazy removal; re-arming a key replaces its deadline.

    Ties fire in the order in which they were armed, so equal inputs give equal outputs.
    """

    heap: list[tuple[int, int, Key]] = []
    armed: dict[Key, tuple[int, int]] = {}
    serial: int = 0

    def arm(self, key: Key, at_ms: int) -> None:
        """Fire `key` at `at_ms`; an earlier arming of the same key is forgotten."""
        self.serial += 1
        self.armed[key] = (at_ms, self.serial)
        heappush(self.heap, (at_ms, self.serial, key))
        if len(self.heap) > 64 and len(self.heap) > 4 * len(self.armed):
            self._compact()

    def cancel(self, key: Key) -> None:
        """Forget `key`; unknown keys are fine (a late cancel is no error)."""
        self.armed.pop(key, None)

    def at(self, key: Key) -> int | None:
        """When `key` will fire, or None."""
        entry = self.armed.get(key)
        return entry[0] if entry else None

    def next(self) -> int | None:
        """The earliest deadline in ms, or None when nothing is armed."""
        heap, armed = self.heap, self.armed
        while heap:
            at_ms, serial, key = heap[0]
            entry = armed.get(key)
            if entry is not None and entry[1] == serial:
                return at_ms
            heappop(heap)
        return None

    def pop_due(self, now_ms: int) -> Key | None:
        """Remove and return the earliest key with deadline <= now_ms, or None. Call until None."""
        due = self.next()
        if due is None or due > now_ms:
            return None
        key = heappop(self.heap)[2]
        del self.armed[key]
        return key

    def shift(self, by_ms: int) -> None:
        """Every deadline fires `by_ms` later, in the same order: the owner was away for that long."""
        self.armed = {key: (at_ms + by_ms, serial) for key, (at_ms, serial) in self.armed.items()}
        self._compact()

    def _compact(self) -> None:
        self.heap = [(at, serial, key) for key, (at, serial) in self.armed.items()]
        heapify(self.heap)
