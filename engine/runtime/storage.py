"""Records on disk: SQLite (WAL, one writer, batched) and the queue_log file. Never on the call path.

The hot path appends to `events`; `flush` turns them into rows once and hands one batch to the writer. When the database
is locked, full, newer than us or another product's, batches wait in bounded memory, the Switch is told, and the
replay is exactly once because a row's key (node, boot, n) can be inserted only once.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections import deque
from collections.abc import Callable
from pathlib import Path

import aiosqlite
import msgspec

from engine import limits
from engine.errors import RingdownError
from engine.records import schema
from engine.records.call_detail import CallFold
from engine.records.events import Event
from engine.records.queue_log import QueueLog

busy_s = 1.0
retry_s_first = 0.5
retry_s_max = 5.0
close_s_max = 5.0

Told = Callable[[str, str, int], None]


class StorageRefused(RingdownError):
    """The database must not be written by this engine: newer schema, other product. Retrying can't help."""


class Batch(msgspec.Struct):
    """One transaction's rows, made once; `size` counts events. Lines go to queue_log after the commit."""

    size: int
    events: list[schema.Row]
    queue_events: list[schema.Row]
    calls: list[schema.Row]
    logins: list[schema.Row]
    lines: list[str]


class Storage:
    """`start()`, then `events.append(event)` and `flush()` at will, then `await close()` in a finally."""

    def __init__(self, path: Path, *, node: str, told: Told, queue_log: Path | None = None,
                 spool_max: int = limits.spool_events_max) -> None:
        self.path = path
        self.events: list[Event] = []
        self.state = "ok"
        self.detail = ""
        self.lost = 0  # events that bounded memory had to let go
        self.written = 0
        self._node = node
        self._told = told
        self._queue_log_path = queue_log or path.with_name("queue_log")
        self._spool_max = spool_max
        self._fold = CallFold()
        self._lines = QueueLog()
        self._batches: deque[Batch] = deque()
        self._spooled = 0
        self._wake = asyncio.Event()
        self._closing = False
        self._refused = False
        self._db: aiosqlite.Connection | None = None
        self._writer: asyncio.Task[None] | None = None
        self.logins: dict[str, str] = {}
        self._resuming: tuple[str, list[str], list[Event]] | None = None

    def resume(self, boot: str, calls: list[str], events: list[Event]) -> None:
        """Before `start`: go on with `boot`, in which `calls` are open; `events` since its last checkpoint may not be
        on disk yet. Nothing is written before the database has told which ones are."""
        self._resuming = (boot, calls, events)

    async def start(self) -> None:
        """Open and migrate; a database that can't be opened now is retried later, calls go on meanwhile."""
        try:
            await self._open()
        except (OSError, sqlite3.Error, StorageRefused) as error:
            self._trouble(error)
        self._writer = asyncio.get_running_loop().create_task(self._write_for_ever())

    @property
    def spooled(self) -> int:
        """Events not yet on disk."""
        return self._spooled + len(self.events)

    def flush(self) -> None:
        """Turn the appended events into one batch for the writer (called at most every `limits.batch_ms_max`)."""
        if self._resuming is not None:
            self.lost += max(0, len(self.events) - self._spool_max)
            del self.events[: -self._spool_max]
            return
        events, self.events = self.events, []
        if not events:
            return
        batch = self._batch(events)
        self._batches.append(batch)
        self._spooled += batch.size
        while self._spooled > self._spool_max and len(self._batches) > 1:
            gone = self._batches[1]  # never the first: it may be in the middle of its transaction
            del self._batches[1]
            self._spooled -= gone.size
            self.lost += gone.size
        self._wake.set()

    def _batch(self, events: list[Event]) -> Batch:
        batch = Batch(len(events), [], [], [], [], [])
        calls: dict[int, schema.Row] = {}
        for event in events:
            batch.events.append(schema.event_row(self._node, event))
            row = schema.queue_row(self._node, event)
            if row is not None:
                batch.queue_events.append(row)
            detail = self._fold.feed(event)
            if detail is not None:
                calls[detail.n] = schema.call_row(self._node, detail)
            if event.kind.startswith("agent."):
                login = schema.login_state(event)
                if login is not None:
                    batch.logins.append(login)
            batch.lines.extend(self._lines.lines(event))
        batch.calls = list(calls.values())
        return batch

    # --- the writer ---
    async def _write_for_ever(self) -> None:
        wait_s = retry_s_first
        while True:
            if not self._batches:
                if self._resuming is not None and not self._closing:
                    await self._try_to_resume(wait_s)
                    continue
                if self._closing:
                    return
                self._wake.clear()
                await self._wake.wait()
                continue
            batch = self._batches[0]
            try:
                await self._write(batch)
            except (OSError, sqlite3.Error, StorageRefused) as error:
                self._trouble(error)
                if self._closing and self._refused:
                    return
                await self._pause(wait_s)
                wait_s = min(retry_s_max, wait_s * 2)
                continue
            wait_s = retry_s_first
            if self._batches and self._batches[0] is batch:
                self._batches.popleft()
                self._spooled -= batch.size
            self.written += batch.size
            if self.state != "ok" and not self._batches:
                self._say("ok", "")

    async def _try_to_resume(self, wait_s: float) -> None:
        """The database couldn't be asked yet what it knows of the boot that goes on: try until it can."""
        try:
            await self._open()
        except (OSError, sqlite3.Error, StorageRefused) as error:
            self._trouble(error)
            await self._pause(wait_s)
        else:
            self._say("ok", "")
            self.flush()

    async def _pause(self, seconds: float) -> None:
        for _ in range(max(1, int(seconds / 0.1))):
            await asyncio.sleep(0.1)
            if self._closing:
                return

    async def _write(self, batch: Batch) -> None:
        if self._refused:
            raise StorageRefused(self.detail)
        if self._db is None:
            await self._open()
        db = self._db
        assert db is not None
        await db.execute("BEGIN IMMEDIATE")
        try:
            await db.executemany(schema.INSERT_EVENT, batch.events)
            if batch.queue_events:
                await db.executemany(schema.INSERT_QUEUE_EVENT, batch.queue_events)
            if batch.calls:
                await db.executemany(schema.INSERT_CALL, batch.calls)
            if batch.logins:
                await db.executemany(schema.INSERT_LOGIN, batch.logins)
            await db.commit()
        except BaseException:
            await self._abandon(db)
            raise
        if batch.lines:
            lines, batch.lines = batch.lines, []
            await asyncio.get_running_loop().run_in_executor(None, self._append_lines, lines)

    async def _abandon(self, db: aiosqlite.Connection) -> None:
        """Roll back; a connection that can't even do that is closed and opened anew next time."""
        try:
            await db.rollback()
        except (sqlite3.Error, ValueError):
            self._db = None
            await db.close()

    def _append_lines(self, lines: list[str]) -> None:
        data = ("\n".join(lines) + "\n").encode()
        try:
            descriptor = os.open(self._queue_log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                os.write(descriptor, data)
            finally:
                os.close(descriptor)
        except OSError as error:
            self.detail = f"queue_log: {error.strerror}"

    async def _open(self) -> None:
        db = await aiosqlite.connect(self.path, timeout=busy_s, isolation_level=None)
        try:
            await db.execute("PRAGMA journal_mode=WAL")
            await db.execute("PRAGMA synchronous=NORMAL")
            await migrate(db)
            self.path.chmod(0o600)
            async with db.execute("SELECT agent, state FROM agent_logins") as rows:
                self.logins = {str(row[0]): str(row[1]) async for row in rows}
            if self._resuming is not None:
                await self._go_on(db, *self._resuming)
        except BaseException:
            await db.close()
            raise
        self._db = db

    async def _go_on(self, db: aiosqlite.Connection, boot: str, calls: list[str], events: list[Event]) -> None:
        """Bring the folds of open calls to where they were, and put what is not on disk in front of what waits."""
        known = await _number(
            db, "SELECT coalesce(max(n), 0) FROM events WHERE node = ? AND boot = ?", (self._node, boot)
        )
        missing = [event for event in events if event.n > known]
        told: list[Event] = []
        # A call may have ended in what is missing: its fold needs its beginning all the same.
        for call in dict.fromkeys([*calls, *(event.call for event in missing if event.call)]):
            async with db.execute(schema.SELECT_CALL_EVENTS, (call, self._node, boot)) as rows:
                told.extend([schema.event_of(row) async for row in rows])
        told.sort(key=lambda event: event.n)
        for event in told:
            self._fold.feed(event)
            self._lines.lines(event)
        self.events[:0] = missing
        self._resuming = None
        if self.events:
            self._wake.set()

    async def bury(self, boot: str, detail: str) -> int:
        """Close the records of calls that `boot` left open and nobody can continue; returns how many there were.

        `call.ended` carries the time of the boot's last event, which is as much as anybody knows.
        """
        if self._db is None:
            return 0
        async with self._db.execute(schema.SELECT_OPEN_CALLS, (self._node, boot)) as rows:
            left = [str(row[0]) async for row in rows]
        if not left:
            return 0
        async with self._db.execute(schema.SELECT_LAST_EVENT, (self._node, boot)) as rows:
            last = schema.event_of(next(iter(await rows.fetchall())))
        for n, call in enumerate(left, last.n + 1):
            async with self._db.execute(schema.SELECT_CALL_EVENTS, (call, self._node, boot)) as rows:
                told = [schema.event_of(row) async for row in rows]
            for event in told:
                self._fold.feed(event)
            self.events.append(Event(
                n, boot, last.at_ms, last.now_ms, "call.ended", told[0].tenant, call, {
                    "by": "system", "outcome": "lost", "cause": 41, "duration_ms": last.at_ms - told[0].at_ms,
                    "answered_ms": -1, "waited_ms": 0, "talked_ms": 0, "held_ms": 0, "path": detail,
                },
            ))
        self.flush()
        return len(left)

    def _trouble(self, error: Exception) -> None:
        text = str(error)
        if isinstance(error, StorageRefused):
            self._refused = True
            self._say("failed", text)
        else:
            self._say("spooling", f"{self.path.name}: {text}")

    def _say(self, state: str, detail: str) -> None:
        changed = (state, detail) != (self.state, self.detail)
        self.state, self.detail = state, detail
        if changed:
            self._told(state, detail, self._spooled)

    async def close(self) -> None:
        """Write what is left (bounded in time), then close the database: its thread would keep the process alive."""
        self.flush()
        self._closing = True
        self._wake.set()
        try:
            if self._writer is not None:
                await asyncio.wait_for(self._writer, close_s_max)
        except (TimeoutError, asyncio.CancelledError):
            self.lost += self._spooled
        finally:
            db, self._db = self._db, None
            if db is not None:
                await db.close()


async def migrate(db: aiosqlite.Connection) -> None:
    """Bring the schema up to `schema.VERSION`, one transaction per step.

    Raises StorageRefused for a newer schema or another product's file; sqlite3.Error when locked, full or read-only.
    """
    application = await _number(db, "PRAGMA application_id")
    tables = await _number(db, "SELECT count(*) FROM sqlite_master WHERE type = 'table'")
    if application not in (0, schema.APPLICATION_ID) or (application == 0 and tables):
        raise StorageRefused("the record store is another product's database: move it away or choose another --data")
    await db.execute("BEGIN IMMEDIATE")
    try:
        await db.execute(schema.VERSION_TABLE)
        found = await _number(db, "SELECT coalesce(max(version), 0) FROM schema_versions")
        if found > schema.VERSION:
            raise StorageRefused(
                f"the record store has schema {found}, this engine knows {schema.VERSION}: start the newer engine again"
            )
        for version, script in schema.MIGRATIONS:
            if version > found:
                for statement in script.split(";"):
                    if statement.strip():
                        await db.execute(statement)
                await db.execute("INSERT INTO schema_versions VALUES (?, unixepoch() * 1000)", (version,))
        await db.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
        await db.commit()
    except BaseException:
        await db.rollback()
        raise


async def _number(db: aiosqlite.Connection, query: str, values: tuple[str, ...] = ()) -> int:
    async with db.execute(query, values) as rows:
        row = await rows.fetchone()
    return int(row[0]) if row else 0
