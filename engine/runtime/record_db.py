"""The writer's connection: a whole batch in one visit to the database's thread.

aiosqlite crosses between threads once per statement, about 60 µs of CPU each way; a batch of ten calls has nine
statements. `transact` crosses once and leaves the rest as it is.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

import aiosqlite

Rows = Sequence[tuple[object, ...]]


class RecordDb(aiosqlite.Connection):
    """`db = await connect_records(path, busy_s)`, and `await db.close()` in a finally."""

    async def transact(self, statements: Sequence[tuple[str, Rows]], after: Callable[[], None] | None = None) -> None:
        """All statements in one transaction, then `after()` in the same visit.

        Raises sqlite3.Error when nothing was written: rolled back, and the connection fit for the next attempt.
        """
        await self._execute(self._transact, statements, after)  # type: ignore[no-untyped-call]

    async def visit(self, work: Callable[[sqlite3.Connection], None]) -> None:
        """Something else for the database's thread. Raises what it raises."""
        await self._execute(work, self._conn)  # type: ignore[no-untyped-call]

    def _transact(self, statements: Sequence[tuple[str, Rows]], after: Callable[[], None] | None) -> None:
        db: sqlite3.Connection = self._conn
        db.execute("BEGIN IMMEDIATE")
        try:
            for statement, rows in statements:
                if rows:
                    db.executemany(statement, rows)
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise
        if after is not None:
            after()


async def connect_records(path: Path, busy_s: float) -> RecordDb:
    """A connection in autocommit mode. Raises sqlite3.Error; its thread has ended then."""
    db = RecordDb(lambda: sqlite3.connect(path, timeout=busy_s, isolation_level=None), 64)
    try:
        await db
    except BaseException:
        await asyncio.to_thread(db._thread.join)  # it still wants to tell this loop that it has ended
        raise
    return db
