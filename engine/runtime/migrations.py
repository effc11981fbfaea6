"""Opening a record store: is it ours, which schema has it, and the way to today's (one transaction for all of it).

Synchronous, for a thread or a command: the serving process opens its store before it accepts calls.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import msgspec

from engine.errors import RingdownError
from engine.records import schema
from engine.records.events import Event
from engine.records.figures import KINDS, Figures

rows_at_once = 2_000


class StorageRefused(RingdownError):
    """The database must not be written by this engine: newer schema, other product. Retrying can't help."""


class StorageReadOnly(RingdownError):
    """The database can't be written now: its file, folder or disk is read-only. Retried, for a remount cures it."""


def check(db: sqlite3.Connection, path: Path) -> int:
    """The schema version of an open store (0: an empty file). Writes nothing.

    Raises StorageRefused for another product's file, a file that is no database, or a newer schema.
    """
    try:
        application = _number(db, "PRAGMA application_id")
        tables = _number(db, "SELECT count(*) FROM sqlite_master WHERE type = 'table'")
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise
        raise StorageRefused(f"{path.name} is no record store ({error}): move it away") from error
    if application not in (0, schema.APPLICATION_ID) or (application == 0 and tables):
        raise StorageRefused("the record store is another product's database: move it away or choose another --data")
    if not tables:
        return 0
    found = _number(db, "SELECT coalesce(max(version), 0) FROM schema_versions")
    if found > schema.VERSION:
        raise StorageRefused(
            f"the record store has schema {found}, this engine knows {schema.VERSION}: start the newer engine again"
        )
    return found


def prepare(path: Path, busy_s: float) -> None:
    """Make the store ready for writing: created, 0600, WAL, today's schema.

    Raises StorageRefused, StorageReadOnly; sqlite3.Error or OSError when it is locked, full or out of reach.
    """
    db = sqlite3.connect(path, timeout=busy_s, isolation_level=None)
    try:
        check(db, path)
        path.chmod(0o600)
        db.execute("PRAGMA journal_mode=WAL")
        migrate(db, path)
    except (sqlite3.OperationalError, OSError) as error:
        if "readonly" in str(error) or "Read-only" in str(error):
            remedy = "make the file and its folder writable; calls go on and their records wait in memory"
            raise StorageReadOnly(f"the record store is read-only: {remedy}") from error
        raise
    finally:
        db.close()


def migrate(db: sqlite3.Connection, path: Path) -> None:
    """Bring the schema up to `schema.VERSION`: all or nothing. Raises as `prepare`."""
    db.execute("BEGIN IMMEDIATE")
    try:
        found = check(db, path)
        db.execute(schema.VERSION_TABLE)
        for version, script in schema.MIGRATIONS:
            if version <= found:
                continue
            for statement in script.split(";"):
                if statement.strip():
                    db.execute(statement)
            if version == schema.FIGURES_SINCE and found:
                fill_figures(db)
            db.execute("INSERT INTO schema_versions VALUES (?, unixepoch() * 1000)", (version,))
        if not found:
            db.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def fill_figures(db: sqlite3.Connection) -> None:
    """Make `contacts` and `agent_times` from the stored events, by the fold that makes them of living ones."""
    figures = Figures()
    boot = ""
    for count, event in enumerate(stored_events(db, KINDS), 1):
        if boot not in ("", event.boot):
            _put(db, figures, closing=True)
            figures = Figures()
        elif count % rows_at_once == 0:
            _put(db, figures, closing=False)
        boot = event.boot
        figures.feed(event)
    _put(db, figures, closing=True)


def _put(db: sqlite3.Connection, figures: Figures, *, closing: bool) -> None:
    contacts, times = figures.take(closing=closing)
    db.executemany(schema.INSERT_CONTACT, contacts)
    db.executemany(schema.ADD_AGENT_TIME, times)
    figures.promised.take()  # the table comes with a later schema, and no engine of before it promised anything


def stored_events(db: sqlite3.Connection, kinds: frozenset[str]) -> Iterator[Event]:
    """The stored events of these kinds, boot by boot in order."""
    decode = msgspec.json.Decoder(dict[str, str | int | float | bool | None]).decode
    marks = ",".join("?" * len(kinds))
    query = f"SELECT n, boot, at_ms, now_ms, kind, tenant, call, data FROM events WHERE kind IN ({marks}) " \
            "ORDER BY node, boot, n"  # fmt: skip
    for n, boot, at_ms, now_ms, kind, tenant, call, data in db.execute(query, sorted(kinds)):
        yield Event(n, boot, at_ms, now_ms, kind, tenant, call, decode(data))


def _number(db: sqlite3.Connection, query: str) -> int:
    row = db.execute(query).fetchone()
    return int(row[0]) if row else 0
