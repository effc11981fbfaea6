"""What the store counts and what the formulas count from the stays themselves is the same."""

from __future__ import annotations

import random
import sqlite3
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import msgspec
import numpy as np
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
    known, solved = report.resolved(db.execute(*report.resolution_query(Wish())), days * kpi.DAY_MS)
    stays = sorted((s.who, s.at_ms, s.result == "connected") for s in STAYS)
    assert kpi.share(solved, known) == kpi.resolution(stays, days * kpi.DAY_MS)


def test_resolution_of_nobody(db: sqlite3.Connection) -> None:
    assert report.resolved(db.execute(*report.resolution_query(Wish(tenant="nobody"))), 1) == (0, 0)
    assert report.resolved([], 1) == (0, 0)


def pieces(db: sqlite3.Connection, wish: Wish, chance: random.Random) -> list[Line]:
    """As `run`, from stretches of time that were cut anywhere."""
    marks = [0, *sorted(START + chance.randrange(9 * 86_400_000) for _ in range(7)), report.FOREVER_MS]
    parts = [msgspec.structs.replace(wish, since_ms=since, until_ms=until) for since, until in pairwise(marks)]
    return report.lines(
        wish, [db.execute(*report.contacts_query(part)).fetchone() for part in parts],
        [db.execute(*report.times_query(part)).fetchone() for part in parts],
    )  # fmt: skip


@pytest.mark.parametrize("by", report.GROUPS)
@pytest.mark.parametrize("interval", report.INTERVALS)
def test_every_form_is_that_of_the_stays_however_it_is_cut(db: sqlite3.Connection, by: str, interval: str) -> None:
    wish = Wish(by=by, interval=interval, short_ms=5_000, offsets=[(0, 3_600_000)])
    lines, merged = run(db, wish), report._merger(wish)
    step = {"15m": 900_000, "30m": 1_800_000, "hour": 3_600_000}.get(interval)
    expected: dict[tuple[int, str], kpi.Sums] = {}
    for stay in STAYS:
        if by == "agent" and not stay.agent:
            continue
        local = stay.at_ms + 3_600_000
        begin = stay.at_ms - stay.at_ms % step if step else merged(local - local % kpi.DAY_MS)
        place = (0 if interval == "none" else begin, "" if by == "all" else getattr(stay, by))
        expected.setdefault(place, kpi.Sums()).add(stay, wish.within_ms, wish.short_ms)
    wrapped = 0
    for line in lines:
        wrapped += line.sums.wrap_up_ms
        line.sums.wrap_up_ms = 0
    counted = {(line.begin_ms, line.key): line.sums for line in lines if line.sums != kpi.Sums()}
    assert counted == expected and wrapped in (0, 40_000)
    for seed in range(5):
        cut = pieces(db, wish, random.Random(seed))
        assert sum(line.sums.wrap_up_ms for line in cut) == wrapped
        for line in cut:
            line.sums.wrap_up_ms = 0
        assert cut == lines


def test_agents_time_is_that_of_the_rows(db: sqlite3.Connection) -> None:
    chance = random.Random(8)
    states = [("ready", ""), ("not_ready", "lunch"), ("not_ready", "a/b, \"c\""), ("talking", ""), ("wrap_up", "")]
    expected: dict[tuple[int, str], report.Worked] = {}
    db.execute("DELETE FROM agent_times")
    for _ in range(600):
        quarter = START + 900_000 * chance.randrange(60)
        agent, (state, reason) = f"default/ä,{chance.randrange(9)}\n", chance.choice(states)
        row = (quarter, agent, state, reason, chance.choice(("", "default/a")), chance.randrange(900_000))
        db.execute(schema.ADD_AGENT_TIME, row)
        expected.setdefault((quarter - quarter % 3_600_000, agent), report.Worked()).add(state, reason, row[5])
    wish = Wish(by="agent", interval="hour", since_ms=START, until_ms=START + 60 * 900_000)
    lines = report.lines(wish, [], db.execute(*report.times_query(wish)))
    assert {(line.begin_ms, line.key): line.worked for line in lines} == expected
    assert all(line.sums.wrap_up_ms == line.worked.of("wrap_up") for line in lines)


@pytest.mark.parametrize("bound", [1, 70, 1 << 16, (1 << 16) + 1, 1 << 40])
def test_groups_of_numbers_short_and_long(bound: int) -> None:
    chance = random.Random(bound)
    rows = [(bound - 1, 3), *((chance.randrange(bound), chance.randrange(-1 << 40, 1 << 40)) for _ in range(300))]
    each, values = np.array(rows).T
    groups = report._Groups(each)
    assert groups.numbers == sorted({number for number, _ in rows})
    mine = [[value for number, value in rows if number == wanted] for wanted in groups.numbers]
    assert groups.sizes == [len(some) for some in mine]
    assert groups.sums(values) == [sum(some) for some in mine] and groups.most(values) == [max(some) for some in mine]


def test_figures_of_nothing_are_none() -> None:
    found = report.figures(Line(0, "", kpi.Sums(), report.Worked()), "queue")
    assert found["service_level_percent"] is None and found["handle_ms"] is None and found["wait_90_ms"] is None
