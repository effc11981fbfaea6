"""Calls by wrap-up code: the last code of each agent's call, shares by queue."""

from __future__ import annotations

import sqlite3

import pytest

from engine.records import codes, schema
from engine.records.events import Event
from engine.records.report import Wish


def told(
    n: int, call: str, code: str, name: str, *, queue: str = "default/support", agent: str = "default/201"
) -> Event:
    data: dict[str, str | int | float | bool | None] = {
        "agent": agent, "queue": queue, "code": code, "name": name, "by": "phone",
    }
    return Event(n, "b1", 1_000 * n, n, "agent.wrap_up_code", queue.split("/")[0], call, data)


EVENTS = [
    told(1, "a", "2", "complaint"), told(2, "a", "1", "sold"), told(3, "b", "1", "sold"), told(4, "c", "", ""),
    told(5, "a", "2", "complaint", agent="default/202"),
    told(6, "d", "9", "x", queue="press/orders", agent="press/200"),
]


@pytest.fixture
def database() -> sqlite3.Connection:
    found = sqlite3.connect(":memory:")
    for _, script in schema.MIGRATIONS:
        found.executescript(script)
    found.executemany(schema.INSERT_EVENT, [schema.event_row("node", each) for each in EVENTS])
    return found


def counted(database: sqlite3.Connection, **wish: object) -> list[tuple[object, ...]]:
    rows = codes.rows(database.execute(*codes.query(Wish(**wish))))  # type: ignore[arg-type]
    return [(row["queue"], row["name"], row["calls"], row["percent"]) for row in rows]


def test_the_last_code_of_each_agents_call_counts(database: sqlite3.Connection) -> None:
    assert counted(database) == [
        ("default/support", "sold", 2, 50.0), ("default/support", "missing", 1, 25.0),
        ("default/support", "complaint", 1, 25.0), ("press/orders", "x", 1, 100.0),
    ]  # fmt: skip


def test_by_time_queue_agent_and_tenant(database: sqlite3.Connection) -> None:
    assert counted(database, since_ms=3_000, until_ms=4_000) == [("default/support", "sold", 1, 100.0)]
    press = [("press/orders", "x", 1, 100.0)]
    assert counted(database, queue="press/orders") == counted(database, tenant="press") == press
    assert counted(database, agent="default/202") == [("default/support", "complaint", 1, 100.0)]
    assert counted(database, agent="nobody' OR 1=1 --") == []
