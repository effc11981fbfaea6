"""A crash at any event costs agents' time nothing and counts nothing twice."""

from __future__ import annotations

import sqlite3

import pytest

from engine.records import schema
from engine.records.events import Event
from engine.records.figures import KINDS, WRITE_MS, Figures
from engine.runtime.figures_resume import resume
from tests.vectors.records.make import Story, served

BOOT = "aaaa0001"


def story() -> list[Event]:
    """Agent 201 serves three callers and pauses; 202 is ready all the time and never heard of again."""
    one = Story(BOOT)
    for agent in ("default/201", "default/202"):
        one.tell("agent.login", agent=agent, way="code")
        one.tell("agent.state", agent=agent, name="", old="logged_out", new="ready", reason="login", queue="")
    served(one, "bako-0", "+441514960001", waited_s=4, talked_s=50)
    one.tell("agent.paused", agent="default/201", paused=True, reason="lunch")
    one.state("ready", "not_ready", "lunch")
    one.wait(200)
    one.tell("agent.paused", agent="default/201", paused=False, reason="")
    one.state("not_ready", "ready", "")
    served(one, "dilo-0", "+441514960002", waited_s=31, talked_s=90)
    one.tell("queue.joined", "gate-0", queue="default/support", position=1, priority_ms=0, caller="+44",
             estimate_low_ms=1_000, estimate_high_ms=9_000)
    one.wait(3)
    one.tell("queue.told", "gate-0", queue="default/support", position=1, low_min=0, high_min=2)
    one.wait(8)
    one.tell("queue.abandoned", "gate-0", queue="default/support", position=1, first_position=1, waited_ms=11_000)
    served(one, "fumi-0", "+441514960003", waited_s=2, talked_s=10)
    return one.events


EVENTS = story()


@pytest.fixture
def db() -> sqlite3.Connection:
    db = sqlite3.connect(":memory:", isolation_level=None)
    for _, script in schema.MIGRATIONS:
        db.executescript(script)
    return db


def write(db: sqlite3.Connection, figures: Figures, event: Event, *, closing: bool = False) -> None:
    """One event as one batch."""
    db.execute(schema.INSERT_EVENT, schema.event_row("a", event))
    login = schema.login_state(event) if event.kind.startswith("agent.") else None
    if login is not None:
        db.execute(schema.INSERT_LOGIN, login)
    if event.kind in KINDS:
        figures.feed(event)
    contacts, times = figures.take(closing=closing)
    db.executemany(schema.INSERT_CONTACT, contacts)
    db.executemany(schema.ADD_AGENT_TIME, times)
    db.executemany(schema.INSERT_PROMISE, figures.promised.take())
    if times:
        db.execute(schema.PUT_FIGURES_MARK, figures.mark)


def result(db: sqlite3.Connection) -> tuple[list[object], list[object], list[object]]:
    return (db.execute("SELECT * FROM contacts ORDER BY 1, 2").fetchall(),
            db.execute("SELECT * FROM promises ORDER BY 1, 2").fetchall(),
            db.execute("SELECT * FROM agent_times ORDER BY 1, 2, 3, 4, 5").fetchall())


def whole() -> tuple[list[object], list[object], list[object]]:
    db = sqlite3.connect(":memory:", isolation_level=None)
    for _, script in schema.MIGRATIONS:
        db.executescript(script)
    figures = Figures()
    for event in EVENTS:
        write(db, figures, event, closing=event is EVENTS[-1])
    return result(db)


def open_calls(events: list[Event]) -> list[Event]:
    ended = [event.call for event in events if event.kind == "call.ended"]
    return [event for event in events if event.call and event.call not in ended]


@pytest.mark.parametrize("at", range(1, len(EVENTS)))
def test_a_crash_after_any_event(db: sqlite3.Connection, at: int) -> None:
    figures = Figures()
    for event in EVENTS[:at]:
        write(db, figures, event)
    again = Figures()  # the next process: it has the store, and the names of the calls that are up
    resume(db, again, "a", BOOT, open_calls(EVENTS[:at]))
    for event in EVENTS[at:]:
        write(db, again, event, closing=event is EVENTS[-1])
    assert result(db) == whole()


def test_the_story_is_long_enough_to_write_times_in_between() -> None:
    assert EVENTS[-1].now_ms - EVENTS[0].now_ms > 5 * WRITE_MS
    contacts, _, times = whole()
    assert len(contacts) == 4 and len(times) == 5


def test_a_call_whose_row_retention_removed_is_not_open(db: sqlite3.Connection) -> None:
    for event in EVENTS:
        write(db, Figures(), event)
    assert db.execute(schema.SELECT_OPEN_CALLS, ("a", BOOT)).fetchall() == []
    db.execute("DELETE FROM events WHERE kind = 'call.ended' AND call = 'dilo-0'")
    assert db.execute(schema.SELECT_OPEN_CALLS, ("a", BOOT)).fetchall() == [("dilo-0",)]


def test_both_promises_of_the_wait_are_there() -> None:
    _, promises, _ = whole()
    assert [tuple(row)[5:] for row in promises] == [  # type: ignore[arg-type]
        (0, 1_000, 9_000, 11_000, "abandoned"), (1, 0, 120_000, 8_000, "abandoned"),
    ]  # fmt: skip
