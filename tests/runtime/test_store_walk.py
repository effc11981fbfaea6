"""Boots and moments are found as if everything had been read."""

from __future__ import annotations

import random
import sqlite3

import pytest

from engine.records import schema
from engine.runtime import store_walk
from tests.runtime.fakes import event


@pytest.fixture
def db() -> sqlite3.Connection:
    db = sqlite3.connect(":memory:")
    for _, script in schema.MIGRATIONS:
        db.executescript(script)
    chance = random.Random(3)
    for node, boot in (("a", "b1"), ("a", "b0"), ("b", "b1")):
        n = at = 0
        for _ in range(60):
            n += chance.randrange(1, 4)
            at += chance.randrange(3) * 1_000
            row = list(schema.event_row(node, event(n)))
            row[1], row[3] = boot, at
            db.execute(schema.INSERT_EVENT, row)
    return db


def test_boots(db: sqlite3.Connection) -> None:
    assert list(store_walk.boots(db)) == [("a", "b0"), ("a", "b1"), ("b", "b1")]
    assert list(store_walk.boots(db, "calls")) == []


@pytest.mark.parametrize("boot", [("a", "b0"), ("a", "b1"), ("b", "b1")])
def test_moments(db: sqlite3.Connection, boot: tuple[str, str]) -> None:
    rows = db.execute("SELECT n, at_ms FROM events WHERE node = ? AND boot = ? ORDER BY n", boot).fetchall()
    assert store_walk.span(db, "events", boot) == (rows[0][0], rows[-1][0])
    for at_ms in range(-1_000, rows[-1][1] + 2_000, 500):
        younger = [n for n, at in rows if at >= at_ms]
        found = store_walk.first_at(db, "events", boot, at_ms)
        assert [n for n, _ in rows if n >= found] == younger
