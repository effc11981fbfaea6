"""The record store as operators' tools read it: read only, while the engine writes, and when no engine runs."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.errors import SiteError
from engine.records.events import Event

busy_s = 2.0
candidates_max = 8
during_max = 200_000  # events around one call
_EVENT = "n, boot, at_ms, now_ms, kind, tenant, call, data"


class Store:
    """One read-only connection; `close` it. Raises SiteError when the file can't be read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._db: sqlite3.Connection | None = None
        if path.exists():
            try:
                self._db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=busy_s, check_same_thread=False)
            except sqlite3.Error as error:
                raise SiteError(f"can't read {path}: {error}") from error

    def close(self) -> None:
        if self._db is not None:
            self._db.close()

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """[] while there is no record store yet."""
        if self._db is None:
            return []
        try:
            return self._db.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise SiteError(f"can't read {self.path}: {error}") from error

    # --- calls ---
    def find(self, wanted: str) -> list[dict[str, Any]]:
        """Recorded calls of that id, caller or agent, or the `last` one, newest first, at most a handful."""
        columns = "call, caller, dialled, started_ms, outcome FROM calls"
        if wanted == "last":
            rows = self._rows(f"SELECT {columns} ORDER BY started_ms DESC LIMIT 1")
        else:
            rows = self._rows(f"SELECT {columns} WHERE call = ? ORDER BY started_ms DESC LIMIT 1", wanted)
        if not rows and wanted != "last":
            number = json.dumps(wanted.rpartition("/")[2], ensure_ascii=False)
            rows = self._rows(
                f"SELECT {columns} WHERE caller = ? OR instr(agents, ?) ORDER BY started_ms DESC LIMIT ?",
                wanted, number, candidates_max,
            )  # fmt: skip
        names = ("call", "caller", "dialled", "started_ms", "outcome")
        return [dict(zip(names, row, strict=True)) for row in rows]

    # --- events ---
    def of_call(self, call: str) -> list[Event]:
        """Everything recorded of a call, in order; a name that two boots gave: the newer one's.

        The second condition is the index's own (it leaves out what belongs to no call): without it SQLite reads all.
        """
        rows = self._rows(f"SELECT {_EVENT} FROM events WHERE call = ? AND call != '' ORDER BY at_ms, n", call)
        events = [_event(row) for row in rows]
        return [event for event in events if event.boot == events[-1].boot]

    def since(self, at_ms: int) -> Iterator[Event]:
        """Every event from Unix ms `at_ms` on, boot after boot, in order."""
        for node, boot in sorted(self._boots(), key=lambda each: self._first_at(*each)):
            first = self._first(node, boot, at_ms)
            if first is not None:
                yield from self.range(boot, first, 2**62)

    def range(self, boot: str, first: int, last: int) -> Iterator[Event]:
        """Events of one boot by their numbers, both ends included, read in parts."""
        node = self._node(boot)
        while True:
            rows = self._rows(
                f"SELECT {_EVENT} FROM events WHERE node = ? AND boot = ? AND n BETWEEN ? AND ? ORDER BY n LIMIT 2000",
                node, boot, first, last,
            )  # fmt: skip
            for row in rows:
                yield _event(row)
            if len(rows) < 2_000:
                return
            first = int(rows[-1][0]) + 1

    def latest(self, count: int) -> list[Event]:
        """The last `count` events of the newest boot, in order."""
        boots = self._boots()
        if not boots:
            return []
        node, boot = max(boots, key=lambda each: self._first_at(*each))
        rows = self._rows(
            f"SELECT {_EVENT} FROM events WHERE node = ? AND boot = ? ORDER BY n DESC LIMIT ?", node, boot, count
        )
        return [_event(row) for row in reversed(rows)]

    def agents_before(self, event: Event, count: int = 20_000) -> dict[str, Event]:
        """agent -> his last `agent.state` before this event, looked for in the `count` events before it."""
        rows = self._rows(
            f"SELECT {_EVENT} FROM events WHERE node = ? AND boot = ? AND n BETWEEN ? AND ? "
            "AND kind = 'agent.state' ORDER BY n", self._node(event.boot), event.boot, event.n - count, event.n,
        )  # fmt: skip
        return {str(found.data.get("agent")): found for found in map(_event, rows)}

    def during(self, events: list[Event]) -> list[Event]:
        """What happened to others from the first `queue.joined` of a call's events to the last of them: changes of
        agents' states, joins and connections. At most `during_max` of them, the first ones."""
        joined = next((event for event in events if event.kind == "queue.joined"), None)
        if joined is None:
            return []
        rows = self._rows(
            f"SELECT {_EVENT} FROM events WHERE node = ? AND boot = ? AND n BETWEEN ? AND ? "
            "AND kind IN ('agent.state', 'queue.joined', 'queue.connected') ORDER BY n LIMIT ?",
            self._node(joined.boot), joined.boot, joined.n, events[-1].n if _over(events) else 1 << 62, during_max,
        )  # fmt: skip
        return [_event(row) for row in rows]

    def _node(self, boot: str) -> str:
        for node, known in self._boots():
            if known == boot:
                return node
        return ""

    def _boots(self) -> list[tuple[str, str]]:
        """(node, boot) pairs, by jumping along the key: the table may hold millions of rows."""
        found: list[tuple[str, str]] = []
        node, boot = "", ""
        while True:
            rows = self._rows(
                "SELECT node, boot FROM events WHERE (node, boot) > (?, ?) ORDER BY node, boot LIMIT 1", node, boot
            )
            if not rows:
                return found
            node, boot = str(rows[0][0]), str(rows[0][1])
            found.append((node, boot))

    def _first_at(self, node: str, boot: str) -> int:
        rows = self._rows("SELECT at_ms FROM events WHERE node = ? AND boot = ? ORDER BY n LIMIT 1", node, boot)
        return int(rows[0][0]) if rows else 0

    def _first(self, node: str, boot: str, at_ms: int) -> int | None:
        """The first number at or after a time, by halving: times grow with numbers (a clock set back costs a few)."""
        ends = self._rows("SELECT min(n), max(n) FROM events WHERE node = ? AND boot = ?", node, boot)[0]
        low, high = int(ends[0]), int(ends[1]) + 1
        while low < high:
            middle = (low + high) // 2
            rows = self._rows(
                "SELECT n, at_ms FROM events WHERE node = ? AND boot = ? AND n >= ? ORDER BY n LIMIT 1",
                node, boot, middle,
            )  # fmt: skip
            if not rows or int(rows[0][1]) >= at_ms:
                high = middle
            else:
                low = int(rows[0][0]) + 1
        return low if low <= int(ends[1]) else None


def _over(events: list[Event]) -> bool:
    return any(event.kind == "call.ended" for event in events)


def _event(row: tuple[Any, ...]) -> Event:
    n, boot, at_ms, now_ms, kind, tenant, call, data = row
    return Event(n, boot, at_ms, now_ms, kind, tenant, call, json.loads(data))
