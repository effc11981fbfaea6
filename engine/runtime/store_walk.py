"""Ways through a large store without reading it: boots by hopping over the key, a moment by halving.

`events`, `calls` and `queue_events` have the key (node, boot, n), and within a boot n rises with time.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

AT = {"events": "at_ms", "queue_events": "at_ms", "calls": "started_ms"}


def boots(db: sqlite3.Connection, table: str = "events") -> Iterator[tuple[str, str]]:
    """(node, boot) of every boot with a row in `table`."""
    query = f"SELECT node, boot FROM {table} WHERE (node, boot) > (?, ?) ORDER BY node, boot LIMIT 1"
    row = ("", "")
    while (found := db.execute(query, row).fetchone()) is not None:
        row = (str(found[0]), str(found[1]))
        yield row


def span(db: sqlite3.Connection, table: str, boot: tuple[str, str]) -> tuple[int, int]:
    """Lowest and highest n of a boot that has rows."""
    # two queries: SQLite finds one edge of an index at once, both together by reading all of it
    low, high = (db.execute(f"SELECT {edge}(n) FROM {table} WHERE node = ? AND boot = ?", boot).fetchone()[0]
                 for edge in ("min", "max"))  # fmt: skip
    return int(low), int(high)


def first_at(db: sqlite3.Connection, table: str, boot: tuple[str, str], at_ms: int) -> int:
    """The lowest n from which rows of the boot are not older than `at_ms` (one beyond the last if all are)."""
    query = f"SELECT n, {AT[table]} FROM {table} WHERE node = ? AND boot = ? AND n >= ? ORDER BY n LIMIT 1"
    low, high = span(db, table, boot)
    high += 1
    while low < high:
        middle = (low + high) // 2
        n, at = db.execute(query, (*boot, middle)).fetchone()
        if at < at_ms:
            low = int(n) + 1
        else:
            high = middle
    return low
