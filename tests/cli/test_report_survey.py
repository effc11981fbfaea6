"""`ringdown report --survey` as text, JSON and CSV."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from engine.cli.app import run
from engine.records import schema, surveys
from engine.records.events import Event
from engine.runtime.migrations import prepare

VECTOR = Path(__file__).parents[1] / "vectors" / "records" / "v1.db"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(VECTOR, tmp_path / "ringdown.db")
    prepare(tmp_path / "ringdown.db", 1.0)
    with closing(sqlite3.connect(tmp_path / "ringdown.db", isolation_level=None)) as db:
        for n, (question, answer) in enumerate((("", ""), ("happy", "4"), ("happy", "5")), 1):
            data = {
                "survey": "after", "question": question, "answer": answer, "queue": "default/support",
                "agent": "default/201",
            }  # fmt: skip
            event = Event(n, "survey", 1_000 + n, n, surveys.KIND, "default", "C", data)  # type: ignore[arg-type]
            db.execute(schema.INSERT_EVENT, schema.event_row("a", event))
    return tmp_path


def test_as_text_json_and_csv(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    common = ["report", "--survey", "--all", "--by", "agent", "--data", str(folder)]
    assert run(common) == 0
    shown = capsys.readouterr().out
    assert "default/201" in shown and "4.5" in shown and "4:1 5:1" in shown
    assert run([*common, "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["group"], row["answered"], row["score"]) == ("default/201", 2, 4.5)
    assert run([*common, "--csv"]) == 0
    assert "happy" in capsys.readouterr().out


def test_without_a_store_there_is_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["report", "--survey", "--all", "--data", str(tmp_path)]) == 0
    assert capsys.readouterr().out.strip() == "none"
