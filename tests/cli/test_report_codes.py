"""`ringdown report --codes`: table, JSON and CSV of the store's codes."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from engine.cli.app import run
from engine.records import schema
from engine.runtime.migrations import prepare
from tests.cli.test_report import VECTOR
from tests.records.test_codes import EVENTS


@pytest.fixture
def store(tmp_path: Path) -> Path:
    shutil.copy(VECTOR, tmp_path / "ringdown.db")
    prepare(tmp_path / "ringdown.db", 1.0)
    with closing(sqlite3.connect(tmp_path / "ringdown.db")) as db:
        db.executemany(schema.INSERT_EVENT, [schema.event_row("codes", each) for each in EVENTS])
        db.commit()
    return tmp_path


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(["report", "--codes", *arguments]) == 0
    return capsys.readouterr().out


def test_table_json_and_csv_agree(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = answer(capsys, "--all", "--data", str(store)).splitlines()
    assert table[0].split() == ["queue", "code", "name", "calls", "%"] and table[1].split()[-3:] == ["sold", "2", "50"]
    found = json.loads(answer(capsys, "--all", "--json", "--data", str(store)))
    read = list(csv.DictReader(io.StringIO(answer(capsys, "--all", "--csv", "--data", str(store)))))
    assert [row["name"] for row in found] == [row["name"] for row in read] == ["sold", "missing", "complaint", "x"]
    assert sum(row["calls"] for row in found) == 5


def test_no_store_and_a_torn_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert answer(capsys, "--data", str(tmp_path)) == "none\n"
    (tmp_path / "ringdown.db").write_bytes(b"nonsense" * 100)
    assert run(["report", "--codes", "--data", str(tmp_path)]) == 1
    assert "can't read" in capsys.readouterr().err
