"""Records on disk: SQLite (WAL, one writer, batched) and the queue_log file. Never on the call path.

The hot path appends to `events`; `flush` turns them into rows once and hands one batch to the writer. When the database
is locked, full, newer than us or another product's, batches wait in bounded memory, the Switch is told, and the
replay is exactly once because a row's key (node, boot, n) can be inserted only once.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable
from pathlib import Path

import msgspec

from engine import limits
from engine.call.messages import StoredMessage, stored_message
from engine.records import schema, voicemail
from engine.records.call_detail import CallFold
from engine.records.events import Event
from engine.records.figures import KINDS, Figures
from engine.records.queue_log import QueueLog
from engine.runtime import figures_resume
from engine.runtime.migrations import StorageReadOnly, StorageRefused, prepare
from engine.runtime.queue_log_file import QueueLogFile
from engine.runtime.record_db import RecordDb, Rows, connect_records

busy_s = 1.0
retry_s_first = 0.5
retry_s_max = 5.0
close_s_max = 5.0

_TROUBLES = (OSError, sqlite3.Error, StorageRefused, StorageReadOnly)
Told = Callable[[str, str, int], None]


class Batch(msgspec.Struct):
    """One transaction's rows, made once; `size` counts events. Lines are noted in it and appended after the commit."""

    size: int
    events: list[schema.Row]
    queue_events: list[schema.Row]
    calls: list[schema.Row]
    logins: list[schema.Row]
    lines: list[str]
    contacts: list[schema.Row] = []
    agent_times: list[schema.Row] = []
    promises: list[schema.Row] = []
    mark: schema.Row = ()  # up to which event agents' times were taken
    renames: list[schema.Row] = []  # queues: (new name, old name)
    messages: list[voicemail.Change] = []  # in boxes, in their order


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
        self._queue_log = QueueLogFile(queue_log or path.with_name("queue_log"))
        self._spool_max = spool_max
        self._fold = CallFold()
        self._lines = QueueLog()
        self._figures = Figures()
        self._batches: deque[Batch] = deque()
        self._spooled = 0
        self._wake = asyncio.Event()
        self._closing = False
        self._refused = False
        self._opened = False
        self._db: RecordDb | None = None
        self._writer: asyncio.Task[None] | None = None
        self.logins: dict[str, str] = {}
        self.messages: list[StoredMessage] = []  # in boxes, when the store was opened
        self._resuming: tuple[str, list[str], list[Event]] | None = None

    def resume(self, boot: str, calls: list[str], events: list[Event]) -> None:
        """Before `start`: go on with `boot`, in which `calls` are open; `events` since its last checkpoint may not be
        on disk yet. Nothing is written before the database has told which ones are."""
        self._resuming = (boot, calls, events)

    async def start(self) -> None:
        """Open and migrate; a database that can't be opened now is retried later, calls go on meanwhile."""
        try:
            await self._open()
        except _TROUBLES as error:
            self._trouble(error)
        self._writer = asyncio.get_running_loop().create_task(self._write_for_ever())

    @property
    def spooled(self) -> int:
        """Events not yet on disk."""
        return self._spooled + len(self.events)

    def flush(self, *, closing: bool = False) -> None:
        """Turn the appended events into one batch for the writer (called at most every `limits.batch_ms_max`)."""
        if self._resuming is not None:
            self.lost += max(0, len(self.events) - self._spool_max)
            del self.events[: -self._spool_max]
            return
        events, self.events = self.events, []
        if not events and not closing:
            return
        batch = self._batch(events)
        batch.contacts, batch.agent_times = self._figures.take(closing=closing)
        batch.promises = self._figures.promised.take()
        batch.mark = self._figures.mark
        if not events and not batch.agent_times:
            return
        self._batches.append(batch)
        self._spooled += batch.size
        while self._spooled > self._spool_max and len(self._batches) > 1:
            gone = self._batches[1]  # never the first: it may be in the middle of its transaction
            del self._batches[1]
            self._spooled -= gone.size
            self.lost += gone.size
        self._wake.set()

    def forget(self, is_his: Callable[[str], bool]) -> None:
        """Let go of what is remembered of a caller's ended calls."""
        self._fold.forget(is_his)

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
            if event.kind in KINDS:
                self._figures.feed(event)
            changed = voicemail.change(event)
            if changed is not None:
                batch.messages.append(changed)
            if event.kind == "queue.renamed":
                batch.renames.append((str(event.data["queue"]), str(event.data["was"])))
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
            except _TROUBLES as error:
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
        except _TROUBLES as error:
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
        noted = self._queue_log.note(batch.lines) if batch.lines or self._queue_log.due else None
        statements: list[tuple[str, Rows]] = [
            (schema.INSERT_EVENT, batch.events), (schema.INSERT_QUEUE_EVENT, batch.queue_events),
            (schema.INSERT_CALL, batch.calls), (schema.INSERT_LOGIN, batch.logins),
            (schema.INSERT_CONTACT, batch.contacts), (schema.ADD_AGENT_TIME, batch.agent_times),
            (schema.INSERT_PROMISE, batch.promises),
            *((statement, [row]) for statement, row in batch.messages),
            *((statement, batch.renames) for statement in schema.RENAME_QUEUE),
            (schema.PUT_FIGURES_MARK, [batch.mark] if batch.agent_times else []),
            (schema.PUT_QUEUE_LOG_TAIL, [noted] if noted is not None else []),
        ]  # fmt: skip
        try:
            await db.transact(statements, lambda: self._append_lines(noted))
        except BaseException:
            await self._abandon(db)
            raise

    async def _abandon(self, db: RecordDb) -> None:
        """A connection that couldn't even roll back is closed and opened anew next time."""
        try:
            stuck = db.in_transaction
        except ValueError:
            stuck = True
        if stuck:
            self._db = None
            await db.close()

    def _append_lines(self, noted: tuple[int, int, str] | None) -> None:
        """In the database's thread, after the commit. A disk that refuses lines gets them behind the next batch."""
        if noted is not None:
            self._queue_log.committed(noted[2])
        try:
            self._queue_log.append()
        except OSError as error:
            self.detail = f"queue_log: {error.strerror}"

    async def _open(self) -> None:
        await asyncio.get_running_loop().run_in_executor(None, prepare, self.path, busy_s)
        db = await connect_records(self.path, busy_s)
        try:
            await db.execute("PRAGMA synchronous=NORMAL")
            await db.execute("PRAGMA secure_delete=FAST")  # a row written again leaves no copy of itself in its page
            async with db.execute("SELECT agent, state FROM agent_logins") as rows:
                self.logins = {str(row[0]): str(row[1]) async for row in rows}
            async with db.execute(voicemail.SELECT) as rows:
                self.messages = [stored_message(tuple(row)) async for row in rows]
            async with db.execute("SELECT inode, at_bytes, lines FROM queue_log_tail") as rows:
                tail = await rows.fetchone()
            if self._resuming is not None:
                await self._go_on(db, *self._resuming)
        except BaseException:
            await db.close()
            raise
        self._db = db
        if tail is not None and not self._opened:
            self._queue_log.complete(*tail)
            await db.visit(lambda _: self._append_lines(None))
        self._opened = True

    async def _go_on(self, db: RecordDb, boot: str, calls: list[str], events: list[Event]) -> None:
        """Bring the folds of open calls to where they were, and put what is not on disk in front of what waits."""
        query = "SELECT coalesce(max(n), 0) FROM events WHERE node = ? AND boot = ?"
        async with db.execute(query, (self._node, boot)) as rows:
            known = int(next(iter(await rows.fetchall()))[0])
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
        await db.visit(lambda inner: figures_resume.resume(inner, self._figures, self._node, boot, told))
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
        elif isinstance(error, StorageReadOnly):
            self._say("spooling", text)
        else:
            self._say("spooling", f"{self.path.name}: {text}")

    def _say(self, state: str, detail: str) -> None:
        changed = (state, detail) != (self.state, self.detail)
        self.state, self.detail = state, detail
        if changed:
            self._told(state, detail, self._spooled)

    async def close(self) -> None:
        """Write what is left (bounded in time), then close the database: its thread would keep the process alive."""
        self.flush(closing=True)
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
