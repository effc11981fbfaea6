"""The pool's deadlines: a heap of integers over the deadline columns.

A word is at_ms << 19 | kind << 16 | row, so words due at the same time fire by kind (offer, entry, agent, one more
phone, a new look at a caller) and then by row, whatever the order of arming: the heap is derived state and is rebuilt
from the columns after a restore.
A word counts only while the row's deadline column still says the same time; stale words fall out when they surface.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush

from engine.acd.columns import Column

OFFER, ENTRY, AGENT, MORE, LOOK = 0, 1, 2, 3, 4
SHIFT = 19


class DeadlineHeap:
    """Armed deadlines. `columns` gives the live deadline column of each kind (they change when columns grow)."""

    def __init__(self) -> None:
        self.words: list[int] = []

    def arm(self, kind: int, row: int, at_ms: int) -> None:
        """The caller has written `at_ms` into the deadline column."""
        heappush(self.words, at_ms << SHIFT | kind << 16 | row)

    def next(self, columns: tuple[Column, ...]) -> int | None:
        """The earliest live deadline in ms, or None."""
        words = self.words
        while words:
            word = words[0]
            at_ms = word >> SHIFT
            if columns[word >> 16 & 7][word & 0xFFFF] == at_ms:
                return at_ms
            heappop(words)
        return None

    def pop_due(self, columns: tuple[Column, ...], now_ms: int) -> tuple[int, int] | None:
        """(kind, row) of the earliest deadline that is due; its column is cleared. None when nothing is due."""
        at_ms = self.next(columns)
        if at_ms is None or at_ms > now_ms:
            return None
        word = heappop(self.words)
        kind, row = word >> 16 & 7, word & 0xFFFF
        columns[kind][row] = 0
        return kind, row

    def rebuild(self, columns: tuple[Column, ...], used: tuple[int, ...]) -> None:
        """Exactly the live deadlines, nothing stale."""
        self.words = [
            column[row] << SHIFT | kind << 16 | row
            for kind, column in enumerate(columns)
            for row in range(used[kind])
            if column[row]
        ]
        heapify(self.words)
