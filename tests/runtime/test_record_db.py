"""A batch is one visit and one transaction."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from engine.runtime.record_db import connect_records
from tests.runtime.fakes import run


def test_all_or_nothing_and_fit_for_the_next(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    after: list[str] = []

    async def work() -> None:
        db = await connect_records(path, 0.1)
        try:
            await db.execute("CREATE TABLE t (x INTEGER PRIMARY KEY)")
            with pytest.raises(sqlite3.IntegrityError):
                await db.transact([("INSERT INTO t VALUES (?)", [(1,), (2,)]), ("INSERT INTO t VALUES (?)", [(1,)])],
                                  lambda: after.append("never"))
            await db.transact([("INSERT INTO t VALUES (?)", [(7,)]), ("INSERT INTO nowhere VALUES (?)", [])],
                              lambda: after.append("now"))
            await db.visit(lambda inner: after.append(f"later {inner.total_changes}"))
        finally:
            await db.close()

    run(work())
    db = sqlite3.connect(path)
    assert db.execute("SELECT x FROM t").fetchall() == [(7,)] and after == ["now", "later 3"]
    db.close()


def test_a_store_out_of_reach_leaves_no_thread(tmp_path: Path) -> None:
    async def work() -> None:
        with pytest.raises(sqlite3.OperationalError):
            await connect_records(tmp_path / "none" / "r.db", 0.1)

    run(work())
