"""Answers counted: shares, means, groups."""

from __future__ import annotations

import sqlite3

from engine.records import schema, surveys
from engine.records.events import Event
from engine.records.report import Wish


def store(*told: tuple[str, str, str, str]) -> sqlite3.Connection:
    db = sqlite3.connect(":memory:")
    for _, script in schema.MIGRATIONS:
        db.executescript(script)
    for n, (question, answer, queue, agent) in enumerate(told, 1):
        data = {"survey": "after", "question": question, "answer": answer, "queue": queue, "agent": agent}
        event = Event(n, "b", 1_000 + n, n, surveys.KIND, "default", f"C{n}", data)  # type: ignore[arg-type]
        db.execute(schema.INSERT_EVENT, schema.event_row("a", event))
    return db


def ask(db: sqlite3.Connection, **wish: object) -> list[dict[str, object]]:
    made = Wish(by=str(wish.pop("by", "all")), interval="none")
    made.since_ms, made.until_ms = 0, 1 << 50
    for name, value in wish.items():
        setattr(made, name, value)
    return surveys.rows(db.execute(*surveys.query(made)))


def test_the_share_of_those_who_answered_and_their_mean() -> None:
    one, two = "default/support", "default/201"
    db = store(("", "", one, two), ("", "", one, two), ("happy", "5", one, two), ("happy", "2", one, "default/202"))
    (row,) = ask(db)
    assert (row["asked"], row["answered"], row["response_percent"]) == (2, 2, 100.0)
    assert (row["score"], row["answers"]) == (3.5, "2:1 5:1")
    assert [each["group"] for each in ask(db, by="agent")] == ["default/201", "default/202"]
    assert ask(db, by="queue")[0]["group"] == one
    (mine,) = ask(db, agent="default/202")
    assert (mine["answered"], mine["asked"], mine["score"]) == (1, 0, 2.0)
    assert ask(db, tenant="press") == [] and ask(db, until_ms=500) == []


def test_keys_that_are_no_numbers_have_no_mean() -> None:
    (row,) = ask(store(("", "", "q", ""), ("again", "*", "q", "")))
    assert row["score"] is None and row["answers"] == "*:1"
