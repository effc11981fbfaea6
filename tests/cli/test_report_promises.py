"""`ringdown report --calibration`: table, JSON and CSV of the store's promises."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from engine.cli import report_promises
from engine.cli.app import run
from engine.records import schema
from engine.records.report import Wish
from engine.runtime.migrations import prepare
from tests.cli.test_report import VECTOR
from tests.records.test_promises import QUEUES, stored


@pytest.fixture
def store(tmp_path: Path) -> Path:
    prepare(tmp_path / "ringdown.db", 1.0)
    with closing(sqlite3.connect(tmp_path / "ringdown.db")) as db:
        db.executemany(schema.INSERT_PROMISE, stored())
        db.commit()
    return tmp_path


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(["report", "--calibration", *arguments]) == 0
    return capsys.readouterr().out


def test_table_json_and_csv_agree(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = answer(capsys, "--all", "--data", str(store)).splitlines()
    assert table[0].split()[:3] == ["queue", "promise", "made"] and "at joining" in table[1]
    assert len(table) == 6 and "gave up" in table[-1]
    found = json.loads(answer(capsys, "--all", "--json", "--data", str(store)))
    read = list(csv.DictReader(io.StringIO(answer(capsys, "--all", "--csv", "--data", str(store)))))
    assert [(row["queue"], row["way"], row["made"]) for row in found] == [
        (row["queue"], row["way"], int(row["made"])) for row in read
    ] == [(queue, way, 54 * (1 + (queue == QUEUES[1] and way == "spoken")))
          for queue in QUEUES for way in ("joining", "spoken")]  # fmt: skip
    assert found[0]["kept"] + found[0]["sooner"] + found[0]["later"] + found[0]["open"] == 54
    assert f"{found[0]['kept_percent']:.1f}" in table[1]


def test_pieces_of_a_few_rows_come_out_the_same(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = report_promises.read(store / "ringdown.db", Wish(by="queue"))
    monkeypatch.setattr("engine.cli.report.piece_rows", 7)
    assert report_promises.read(store / "ringdown.db", Wish(by="queue")) == whole


def test_what_it_cant_be_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for more, word in (("--by agent", "queues"), ("--agent default/201", "queues"), ("--interval day", "--since")):
        assert run(["report", "--calibration", *more.split(), "--data", str(tmp_path)]) == 2
        assert word in capsys.readouterr().err


def test_no_store_an_earlier_one_and_a_torn_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert answer(capsys, "--data", str(tmp_path)) == "none\n"
    shutil.copy(VECTOR.with_name("v2.db"), tmp_path / "ringdown.db")
    assert run(["report", "--calibration", "--data", str(tmp_path)]) == 1
    assert "schema of an earlier engine" in capsys.readouterr().err
    prepare(tmp_path / "ringdown.db", 1.0)
    assert answer(capsys, "--all", "--data", str(tmp_path)) == "none\n"
    (tmp_path / "ringdown.db").write_bytes(b"nonsense" * 100)
    assert run(["report", "--calibration", "--data", str(tmp_path)]) == 1
    assert "can't read" in capsys.readouterr().err
