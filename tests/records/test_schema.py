"""Rows fit the tables, and the tables are what the migrations say."""

from __future__ import annotations

import json
import sqlite3

import pytest

from engine.records import schema
from engine.records.call_detail import CallDetail, LegQuality
from engine.records.events import Event


@pytest.fixture
def database() -> sqlite3.Connection:
    database = sqlite3.connect(":memory:")
    for _, script in schema.MIGRATIONS:
        database.executescript(script)
    return database


def event(kind: str, n: int = 1, **data: str | int | float | bool | None) -> Event:
    return Event(n, "b1", 1_700_000_000_000, 55, kind, "default", "bako-0", data)


def test_an_event_is_stored_once(database: sqlite3.Connection) -> None:
    row = schema.event_row("a", event("call.step", step="é", text="x"))
    database.executemany(schema.INSERT_EVENT, [row, row])
    ((kind, data),) = database.execute("SELECT kind, data FROM events").fetchall()
    assert kind == "call.step" and json.loads(data) == {"step": "é", "text": "x"}


def test_queue_rows(database: sqlite3.Connection) -> None:
    assert schema.queue_row("a", event("call.step", step="", text="")) is None
    row = schema.queue_row("a", event("queue.completed", queue="q", agent="201", by="agent", waited_ms=5, talked_ms=9))
    assert row is not None
    database.execute(schema.INSERT_QUEUE_EVENT, row)
    assert database.execute("SELECT event, reason, waited_ms, talked_ms, rang_ms FROM queue_events").fetchone() == (
        "completed", "agent", 5, 9, 0)


def test_call_row_matches_its_columns_and_is_replaced(database: sqlite3.Connection) -> None:
    detail = CallDetail("b1", 1, "bako-0", "default", 10, caller="1", outcome="served", queues=["q"], one_way=True)
    assert len(schema.call_row("a", detail)) == len(schema.CALL_COLUMNS)
    database.execute(schema.INSERT_CALL, schema.call_row("a", detail))
    detail.quality.append(LegQuality("caller", packets_in=3))
    database.execute(schema.INSERT_CALL, schema.call_row("a", detail))
    columns = [each[1] for each in database.execute("PRAGMA table_info(calls)")]
    assert tuple(columns) == schema.CALL_COLUMNS
    (row,) = database.execute("SELECT queues, one_way, quality FROM calls").fetchall()
    assert json.loads(row[0]) == ["q"] and row[1] == 1 and json.loads(row[2])[0]["packets_in"] == 3


def test_versions_rise_by_one() -> None:
    assert [version for version, _ in schema.MIGRATIONS] == list(range(1, schema.VERSION + 1))


@pytest.mark.parametrize(("kind", "data", "state"), [
    ("agent.login", {}, "ready"), ("agent.logout", {}, "logged_out"),
    ("agent.paused", {"paused": True, "reason": "lunch"}, "not_ready:lunch"),
    ("agent.paused", {"paused": False, "reason": ""}, "ready"),
])
def test_login_states(kind: str, data: dict[str, str | bool], state: str) -> None:
    found = schema.login_state(event(kind, agent="201", **data))
    assert found == ("default/201", state, 1_700_000_000_000)


def test_a_full_agent_name_stays() -> None:
    found = schema.login_state(event("agent.login", agent="acme/201"))
    assert found is not None and found[0] == "acme/201"
    assert schema.login_state(event("agent.state", agent="201")) is None


def test_an_events_row_is_the_event_again(database: sqlite3.Connection) -> None:
    for n, kind in ((3, "call.step"), (1, "call.started"), (2, "call.answered")):
        database.execute(schema.INSERT_EVENT, schema.event_row("a", event(kind, n, step="é", after_ms=4, held=None)))
    database.execute(schema.INSERT_EVENT, schema.event_row("b", event("call.step", 9)))
    rows = database.execute(schema.SELECT_CALL_EVENTS, ("bako-0", "a", "b1")).fetchall()
    assert [schema.event_of(row) for row in rows] == [
        event("call.started", 1, step="é", after_ms=4, held=None),
        event("call.answered", 2, step="é", after_ms=4, held=None),
        event("call.step", 3, step="é", after_ms=4, held=None),
    ]
    assert schema.event_of(database.execute(schema.SELECT_LAST_EVENT, ("a", "b1")).fetchone()).n == 3
    assert database.execute(schema.SELECT_LAST_EVENT, ("a", "b2")).fetchone() is None


def test_which_calls_are_open(database: sqlite3.Connection) -> None:
    for n, call in ((1, "done-0"), (2, "open-0"), (5, "open-1")):
        started = Event(n, "b1", 1, 1, "call.started", "default", call, {})
        database.execute(schema.INSERT_EVENT, schema.event_row("a", started))
        database.execute(schema.INSERT_EVENT, schema.event_row("b", started))
    database.execute(schema.INSERT_CALL, schema.call_row("a", CallDetail("b1", 1, "done-0", "default", 10)))
    assert database.execute(schema.SELECT_OPEN_CALLS, ("a", "b1")).fetchall() == [("open-0",), ("open-1",)]
    assert database.execute(schema.SELECT_OPEN_CALLS, ("a", "b2")).fetchall() == []


@pytest.mark.parametrize("query", [
    schema.SELECT_CALL_EVENTS, schema.SELECT_OPEN_CALLS,
    f"SELECT n, kind FROM events WHERE {schema.OF_CALL} AND node = ? AND boot = ? AND n >= ? ORDER BY n",
])
def test_a_calls_events_are_found_by_the_call(database: sqlite3.Connection, query: str) -> None:
    """Not by reading the whole boot: an engine that comes back asks this for every call that was up."""
    plan = database.execute(f"EXPLAIN QUERY PLAN {query}", ("x",) * query.count("?")).fetchall()
    assert any("USING INDEX events_call (call=? AND node=? AND boot=?" in each[3] for each in plan), plan
