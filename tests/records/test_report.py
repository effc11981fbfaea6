"""What the store counts and what the formulas count from the stays themselves is the same."""

from __future__ import annotations

import random
import sqlite3
from datetime import UTC, date, datetime, timedelta

import pytest

from engine.records import kpi, report, schema
from engine.records.kpi import Contact
from engine.records.report import Line, Wish

START = 1_700_000_000_000 - 1_700_000_000_000 % 86_400_000
RESULTS = ("connected", "connected", "connected", "abandoned", "timeout", "exit", "full")


def made(count: int = 400) -> list[Contact]:
    chance = random.Random(4)
    stays = []
    for _ in range(count):
        result = chance.choice(RESULTS)
        talked = chance.randrange(200_000) if result == "connected" else 0
        stays.append(Contact(
            chance.choice(("default/a", "default/b", "press/c")), result, chance.randrange(60_000), talked,
            talked // 5, chance.randrange(2) if talked else 0, "default", "default/201" if talked else "",
            START + chance.randrange(9 * 86_400_000), chance.randrange(40),
        ))  # fmt: skip
    return [Contact(**{**{n: getattr(s, n) for n in s.__struct_fields__}, "tenant": s.queue.split("/")[0]})
            for s in stays]  # fmt: skip


STAYS = made()


@pytest.fixture
def db() -> sqlite3.Connection:
    db = sqlite3.connect(":memory:")
    for _, script in schema.MIGRATIONS:
        db.executescript(script)
    db.executemany(schema.INSERT_CONTACT, [
        (s.at_ms, n, "b", s.tenant, s.queue, s.agent, s.result, s.waited_ms, s.talked_ms, s.held_ms, s.transfers, s.who)
        for n, s in enumerate(STAYS)
    ])  # fmt: skip
    db.executemany(schema.ADD_AGENT_TIME, [
        (START, "default/201", "wrap_up", "", "default/a", 40_000), (START, "default/201", "ready", "", "", 60_000),
        (START + 900_000, "default/201", "not_ready", "lunch", "", 30_000),
        (START + 900_000, "default/201", "talking", "", "press/c", 20_000),
    ])  # fmt: skip
    return db


def run(db: sqlite3.Connection, wish: Wish) -> list[Line]:
    return report.lines(wish, db.execute(*report.contacts_query(wish)), db.execute(*report.times_query(wish)))


def test_by_queue_as_from_the_stays(db: sqlite3.Connection) -> None:
    wish = Wish(by="queue", within_ms=20_000, short_ms=5_000)
    lines = run(db, wish)
    assert [line.key for line in lines] == ["default/a", "default/b", "press/c"]
    for line in lines:
        expected = kpi.add_up([s for s in STAYS if s.queue == line.key], 20_000, short_abandon_ms=5_000)
        expected.wrap_up_ms = 40_000 if line.key == "default/a" else 0
        assert line.sums == expected


def test_each_queue_has_its_own_target(db: sqlite3.Connection) -> None:
    lines = run(db, Wish(by="queue", within_ms=20_000, targets={"default/b": 40_000, "press/c": 20_000}))
    for line, within in zip(lines, (20_000, 40_000, 20_000), strict=True):
        assert line.sums.in_time == kpi.add_up([s for s in STAYS if s.queue == line.key], within).in_time


@pytest.mark.parametrize("interval", ["15m", "30m", "hour", "day", "week", "month"])
def test_intervals_add_up_to_the_whole(db: sqlite3.Connection, interval: str) -> None:
    whole, parts = kpi.add_up(STAYS, 20_000, short_abandon_ms=0), kpi.Sums()
    lines = run(db, Wish(interval=interval, offsets=[(0, 3_600_000)]))
    for line in lines:
        parts.merge(line.sums)
    whole.wrap_up_ms = parts.wrap_up_ms
    assert parts == whole and [line.begin_ms for line in lines] == sorted({line.begin_ms for line in lines})


def test_days_are_local_days_over_a_change_of_the_clock(db: sqlite3.Connection) -> None:
    change = START + 4 * 86_400_000 + 7_200_000
    offsets = [(START, 7_200_000), (change, 3_600_000)]
    lines = run(db, Wish(interval="day", offsets=offsets))
    expected: dict[int, int] = {}
    for stay in STAYS:
        local = stay.at_ms + (7_200_000 if stay.at_ms < change else 3_600_000)
        if stay.result != "full":
            expected[local - local % 86_400_000] = expected.get(local - local % 86_400_000, 0) + 1
    assert {line.begin_ms: line.sums.offered for line in lines} == expected


@pytest.mark.parametrize("interval", ["week", "month"])
def test_weeks_begin_on_monday_and_months_on_the_first(interval: str) -> None:
    merged = report._merger(Wish(interval=interval))
    day = date(1999, 11, 20)
    for _ in range(1_200):
        begin = datetime(day.year, day.month, day.day, tzinfo=UTC)
        found = datetime.fromtimestamp(merged(int(begin.timestamp()) * 1000) / 1000, UTC).date()
        assert found == (day - timedelta(days=day.weekday()) if interval == "week" else day.replace(day=1))
        day += timedelta(days=1)


def test_filters(db: sqlite3.Connection) -> None:
    (line,) = run(db, Wish(tenant="press"))
    assert line.sums.offered == kpi.offered([s for s in STAYS if s.tenant == "press"])
    (line,) = run(db, Wish(queue="default/a", since_ms=START + 86_400_000, until_ms=START + 2 * 86_400_000))
    within = [s for s in STAYS if s.queue == "default/a" and 86_400_000 <= s.at_ms - START < 2 * 86_400_000]
    assert line.sums.offered == kpi.offered(within) and line.sums.wrap_up_ms == 0
    assert run(db, Wish(tenant="nobody")) == []


def test_by_agent(db: sqlite3.Connection) -> None:
    (line,) = run(db, Wish(by="agent"))
    found = report.figures(line, "agent")
    assert found["occupancy_percent"] == 100 * 60_000 / 120_000
    assert found["utilisation_percent"] == 100 * 60_000 / 150_000
    assert found["logged_in_ms"] == 150_000 and found["not_ready_reasons_ms"] == {"lunch": 30_000}
    assert found["connected"] == sum(s.result == "connected" and bool(s.agent) for s in STAYS)
    (line,) = run(db, Wish(by="agent", queue="press/c"))
    assert line.worked.ms == {"talking": 20_000}


@pytest.mark.parametrize("days", [1, 3])
def test_resolution_by_the_store_is_that_of_the_definition(db: sqlite3.Connection, days: int) -> None:
    known, solved = db.execute(*report.resolution_query(Wish(), days * kpi.DAY_MS)).fetchone()
    stays = sorted((s.who, s.at_ms, s.result == "connected") for s in STAYS)
    assert kpi.share(solved, known) == kpi.resolution(stays, days * kpi.DAY_MS)


def test_figures_of_nothing_are_none() -> None:
    found = report.figures(Line(0, "", kpi.Sums(), report.Worked()), "queue")
    assert found["service_level_percent"] is None and found["handle_ms"] is None and found["wait_90_ms"] is None
