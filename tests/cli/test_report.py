"""`ringdown report`: from the store, whether an engine runs or not; table, CSV, JSON, picture."""

from __future__ import annotations

import csv
import io
import itertools
import json
import shutil
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from engine.cli import report as command
from engine.cli.app import run
from engine.records import schema
from engine.records.report import Query, Wish
from engine.runtime.migrations import prepare
from tests.cli.engine_double import engine

VECTOR = Path(__file__).parents[1] / "vectors" / "records" / "v1.db"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    shutil.copy(VECTOR, tmp_path / "ringdown.db")
    prepare(tmp_path / "ringdown.db", 1.0)
    return tmp_path


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(["report", *arguments]) == 0
    return capsys.readouterr().out


def test_json_by_queue(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(answer(capsys, "--all", "--json", "--resolution", "7", "--data", str(store)))
    support, press = found["rows"]
    assert support["queue"] == "default/support" and (support["offered"], support["abandoned"]) == (4, 1)
    assert support["service_level_percent"] == 50.0 and support["wait_max_ms"] == 31_000
    assert support["service_level_patient_percent"] == pytest.approx(200 / 3)  # 9 s is short of 20 s
    assert press["refused"] == 1 and press["service_level_percent"] is None
    assert found["resolution"] == {"days": 7, "percent": pytest.approx(200 / 3)}


def test_a_day_in_its_zone(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = answer(capsys, "--since", "2025-06-15", "--until", "2025-06-15", "--zone", "UTC", "--by", "all",
                 "--interval", "day", "--csv", "--data", str(store))  # fmt: skip
    (row,) = csv.DictReader(io.StringIO(out))
    assert row["begin"] == "2025-06-15" and row["offered"] == "3"
    assert answer(capsys, "--data", str(store)) == "none\n"  # today nobody called


def test_text(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = answer(capsys, "--all", "--resolution", "1", "--data", str(store)).splitlines()
    assert "SL %" in out[0] and "default/support" in out[1] and "50.0" in out[1]
    assert out[-1] == "first-call resolution (no re-contact within 1 days): 66.7 %"
    agents = answer(capsys, "--all", "--by", "agent", "--data", str(store))
    assert "default/201" in agents and "occupancy %" in agents


def test_a_running_engine_knows_each_queues_target(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with engine(store, {"queues": [{"name": "default/support", "service_level_ms": 40_000}]}):
        found = json.loads(answer(capsys, "--all", "--json", "--data", str(store)))
    assert found["rows"][0]["service_level_percent"] == 75.0
    found = json.loads(answer(capsys, "--all", "--json", "--within", "5", "--short", "0", "--data", str(store)))
    assert found["rows"][0]["service_level_percent"] == 25.0 == found["rows"][0]["service_level_patient_percent"]


@pytest.mark.parametrize(("arguments", "said"), [
    (["--by", "moon"], "--by is one of all, queue, agent, tenant"), (["--interval", "year"], "--interval is one of"),
    (["--since", "soon"], "no day and no moment"), (["--since", "2026-02-02", "--until", "2026-01-01"], "behind"),
    (["--zone", "Mars/Base"], "no time zone"), (["--plot", "x.gif"], "FILE.png or FILE.svg"),
    (["--all", "--since", "2026-01-01"], "--all goes without"),
])
def test_used_wrongly(tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str) -> None:
    assert run(["report", *arguments, "--data", str(tmp_path)]) == 2
    assert said in capsys.readouterr().err


def test_no_store_an_old_one_and_a_broken_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert answer(capsys, "--all", "--data", str(tmp_path)) == "none\n"
    path = tmp_path / "ringdown.db"
    shutil.copy(VECTOR, path)
    assert run(["report", "--all", "--data", str(tmp_path)]) == 1
    assert "start today's once" in capsys.readouterr().err
    path.write_bytes(b"this is no database" * 100)
    assert run(["report", "--all", "--data", str(tmp_path)]) == 1
    assert "ringdown.db" in capsys.readouterr().err


def test_offsets_find_the_change_of_summer_time() -> None:
    london = ZoneInfo("Europe/London")
    january, june = 1_735_689_600_000, 1_748_736_000_000  # 2025
    change = 1_743_296_400_000  # 2025-03-30T01:00Z
    assert command.offsets(london, january, june) == [(january, 0), (change, 3_600_000)]
    assert command.offsets(ZoneInfo("UTC"), 0, june) == [(946_684_800_000, 0)]


@pytest.mark.parametrize("rows", [1, 2, 7])
def test_stretches_of_time_add_up(store: Path, monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    """Cut anywhere, nothing is counted twice and nothing is lost."""
    path, wish = store / "ringdown.db", Wish(by="queue", interval="hour")
    whole = command.read(path, wish, 7)
    assert sum(line.sums.offered for line in whole[0]) == 4
    parts = list(command.stretches(path, "contacts", wish, rows))
    assert len(parts) == {1: 4, 2: 3, 7: 1}[rows] and (parts[0].since_ms, parts[-1].until_ms) == (0, wish.until_ms)
    assert all(one.until_ms == two.since_ms for one, two in itertools.pairwise(parts))
    monkeypatch.setattr(command, "piece_rows", rows)
    assert command.read(path, wish, 7) == whole
    by_agent = Wish(by="agent")
    pieces = command.read(path, by_agent)
    monkeypatch.undo()
    assert command.read(path, by_agent) == pieces != ([], None)


def test_more_rows_at_one_moment_than_a_piece_has(tmp_path: Path) -> None:
    path = tmp_path / "ringdown.db"
    prepare(path, 1.0)
    with closing(sqlite3.connect(path)) as db:
        db.executemany(schema.INSERT_CONTACT, [
            (at, n, "b", "default", "default/a", "", "abandoned", 5, 0, 0, 0, 0) for n, at in enumerate([7] * 9 + [8])
        ])  # fmt: skip
        db.commit()
    cuts = [(part.since_ms, part.until_ms) for part in command.stretches(path, "contacts", Wish(until_ms=99), 2)]
    assert cuts == [(0, 7), (7, 8), (8, 99)]


def test_a_wish_beside_all_that_is_stored(store: Path) -> None:
    wish = Wish(since_ms=5, until_ms=9)
    assert list(command.stretches(store / "ringdown.db", "contacts", wish, 4)) == [wish]
    assert command.read(store / "ringdown.db", wish, 7) == ([], None)


def test_few_answers_are_asked_for_ahead(store: Path) -> None:
    """A report over years doesn't hold them in memory."""
    asked = 0

    def queries() -> Iterator[Query]:
        nonlocal asked
        for number in range(20):
            asked += 1
            yield f"SELECT {number}", []

    with ThreadPoolExecutor(2) as pool:
        rows = command.answers(pool, 3, store / "ringdown.db", queries())
        assert [next(rows), next(rows)] == [(0,), (1,)] and asked == 5
        assert [row[0] for row in rows] == list(range(2, 20)) and asked == 20
