"""What staffing reads: when callers came, work, and agents on duty, as the engine itself writes them."""

from __future__ import annotations

import sqlite3

from engine.records import schema, staffing
from engine.records.events import Event
from engine.records.figures import QUARTER_MS, Figures
from engine.records.staffing import Quarter

BEGIN = 1_772_442_000_000  # a full hour


def event(n: int, second: int, kind: str, call: str = "", **data: object) -> Event:
    return Event(n, "b", BEGIN + second * 1000, second * 1000, kind, "default", call, data)


def store(events: list[Event]) -> sqlite3.Connection:
    """Events through the engine's own fold into the engine's own tables."""
    figures, db = Figures(), sqlite3.connect(":memory:")
    for _, script in schema.MIGRATIONS:
        db.executescript(script)
    for each in events:
        figures.feed(each)
    contacts, times = figures.take(closing=True)
    db.executemany(schema.INSERT_CONTACT, contacts)
    db.executemany(schema.ADD_AGENT_TIME, times)
    return db


def ask(db: sqlite3.Connection, queue: str, since_ms: int, until_ms: int) -> dict[int, Quarter]:
    asks = (staffing.calls_query, staffing.wrap_up_query, staffing.duty_query)
    return staffing.quarters(*(db.execute(*query(queue, since_ms, until_ms)).fetchall() for query in asks))


def state(n: int, second: int, agent: str, new: str, queue: str = "") -> Event:
    return event(n, second, "agent.state", agent=agent, new=new, queue=queue)


EVENTS = [
    state(1, 0, "default/201", "ready"), state(2, 0, "default/202", "ready"), state(3, 0, "default/203", "ready"),
    event(4, 880, "queue.joined", "c1", queue="default/support", caller="1"),
    event(5, 890, "queue.joined", "c2", queue="default/support", caller="2"),
    state(6, 910, "default/201", "talking", "default/support"),
    event(7, 910, "queue.connected", "c1", queue="default/support", agent="default/201", waited_ms=30_000),
    event(8, 950, "queue.abandoned", "c2", queue="default/support", waited_ms=60_000),
    event(9, 960, "queue.left", "c3", queue="default/support", reason="full", waited_ms=0),
    event(10, 1000, "queue.connected", "c4", queue="default/sales", agent="default/203", waited_ms=0),
    event(11, 1030, "queue.completed", "c1", queue="default/support", agent="default/201", talked_ms=120_000),
    state(12, 1030, "default/201", "wrap_up", "default/support"), state(13, 1060, "default/201", "not_ready"),
    state(14, 1800, "default/202", "ready"), state(15, 1800, "default/201", "ready"),
    state(16, 1800, "default/203", "ready"),
]  # fmt: skip


def test_callers_count_when_they_came() -> None:
    found = ask(store(EVENTS), "default/support", BEGIN, BEGIN + 2 * QUARTER_MS)
    first, second = found[BEGIN], found[BEGIN + QUARTER_MS]
    assert (first.offered, first.handled, first.abandoned, first.waited_ms) == (2, 1, 1, 90_000)
    assert first.handle_ms == 120_000  # the talk of those who came in it
    assert second == Quarter(handle_ms=30_000, duty_ms=160_000)  # wrap-up when it was; a refused caller isn't offered


def test_duty_is_of_those_who_served_the_queue_and_were_not_paused() -> None:
    found = ask(store(EVENTS), "default/support", BEGIN, BEGIN + 2 * QUARTER_MS)
    assert [each.duty_ms for each in found.values()] == [900_000, 160_000]  # 202 and 203 took none of its calls
    assert ask(store(EVENTS), "default/other", BEGIN, BEGIN + 2 * QUARTER_MS) == {}


def test_the_edges_are_those_of_arrival() -> None:
    db = store(EVENTS)
    assert ask(db, "default/support", BEGIN + QUARTER_MS, BEGIN + 2 * QUARTER_MS)[BEGIN + QUARTER_MS].offered == 0
    assert ask(db, "default/support", BEGIN, BEGIN + QUARTER_MS)[BEGIN].offered == 2  # connected and lost later


def test_quarters_merge() -> None:
    whole = Quarter()
    for each in ask(store(EVENTS), "default/support", BEGIN, BEGIN + 2 * QUARTER_MS).values():
        whole.merge(each)
    assert whole == Quarter(2, 1, 150_000, 90_000, 1, 1_060_000)
