"""The calibration report's query against the definitions, on rows of every kind."""

from __future__ import annotations

import sqlite3
from itertools import product

import pytest

from engine.records import kpi_promises, promises, schema
from engine.records.kpi_promises import Promises
from engine.records.report import Wish

QUEUES = ("default/support", "press/it's, \"fine\"")
RANGES = ((0, 60_000), (10_000, 60_000), (600_000, 0))
WAITS = (0, 9_999, 10_000, 60_000, 60_001, 900_000)
RESULTS = ("connected", "abandoned", "timeout")


def stored() -> list[tuple[object, ...]]:
    """All combinations, twice as many spoken ones in the second queue."""
    found: list[tuple[object, ...]] = []
    for queue, (low, high), waited, result, spoken in product(QUEUES, RANGES, WAITS, RESULTS, (0, 1)):
        for _ in range(1 + (queue == QUEUES[1] and spoken)):
            n = len(found)
            found.append((1_000 + n, n, "b", queue.split("/")[0], queue, spoken, low, high, waited, result))
    return found


@pytest.fixture
def database() -> sqlite3.Connection:
    found = sqlite3.connect(":memory:")
    for _, script in schema.MIGRATIONS:
        found.executescript(script)
    found.executemany(schema.INSERT_PROMISE, stored())
    return found


def counted(database: sqlite3.Connection, *wishes: Wish) -> promises.Counted:
    return promises.counts(database.execute(*promises.query(wish)).fetchone() for wish in wishes)


def defined(rows: list[tuple[object, ...]]) -> promises.Counted:
    """The same by the definitions, row after row."""
    found: promises.Counted = {}
    for _, _, _, _, queue, spoken, low, high, waited, result in rows:
        here = found.setdefault((str(queue), promises.WAYS[int(str(spoken))]), Promises())
        low, high, waited = int(str(low)), int(str(high)), int(str(waited))
        name = kpi_promises.outcome(low, high, waited, result == "connected")
        setattr(here, name, getattr(here, name) + 1)
        here.bounded += high > 0
        here.width_ms += high - low if high else 0
    return found


def test_the_query_counts_as_the_definitions_do(database: sqlite3.Connection) -> None:
    assert counted(database, Wish(by="queue")) == defined(stored())


def test_pieces_add_up_and_time_filters(database: sqlite3.Connection) -> None:
    parts = [Wish(by="queue", until_ms=1_050), Wish(by="queue", since_ms=1_050, until_ms=1_050),
             Wish(by="queue", since_ms=1_050)]  # fmt: skip
    assert counted(database, *parts) == defined(stored())
    assert counted(database, Wish(by="queue", since_ms=1_003, until_ms=1_004)) == defined(stored()[3:4])


def test_by_tenant_all_and_of_one_queue(database: sqlite3.Connection) -> None:
    of_second = defined([row for row in stored() if row[4] == QUEUES[1]])
    assert counted(database, Wish(by="queue", queue=QUEUES[1])) == of_second
    assert counted(database, Wish(by="tenant", tenant="press")) == {
        ("press", way): each for (_, way), each in of_second.items()
    }
    together = counted(database, Wish(by="all"))
    assert sorted(together) == [("", "joining"), ("", "spoken")]
    assert sum(map(kpi_promises.made, together.values())) == len(stored())
    assert counted(database, Wish(by="queue", queue="x' OR 1=1 --")) == {}


def test_rows_have_figures_with_units() -> None:
    counts = {("q", "spoken"): Promises(open=2), ("q", "joining"): Promises(kept=9, later=1, bounded=10, width_ms=50)}
    first, second = promises.rows(counts, "queue")
    assert (first["queue"], first["way"], first["made"], first["kept_percent"], first["width_ms"]) == (
        "q", "joining", 10, 90.0, 5.0)  # fmt: skip
    assert second["kept_percent"] is second["kept_percent_low"] is second["width_ms"] is None
    assert "queue" not in promises.rows(counts, "all")[0]
