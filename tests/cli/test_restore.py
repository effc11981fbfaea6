"""`ringdown restore`: what it brings back, and what it refuses."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from engine.cli.app import run
from engine.runtime.migrations import prepare
from engine.runtime.secrets import Secrets
from tests.cli.engine_double import engine
from tests.runtime.test_storage import rows

VECTOR = Path(__file__).parents[1] / "vectors" / "records" / "v1.db"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    shutil.copy(VECTOR, tmp_path / "ringdown.db")
    prepare(tmp_path / "ringdown.db", 1.0)
    return tmp_path


def notes(folder: Path) -> list[str]:
    return [json.loads(text)["act"] for (text,) in rows(
        folder / "ringdown.db", "SELECT data FROM events WHERE kind = 'engine.records' ORDER BY at_ms")]


def test_in_words_and_as_json(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["backup", str(data / "b.db"), "--data", str(data)]) == 0
    said = capsys.readouterr().out
    assert "5 calls" in said and "a/aaaa0001 50" in said and "without secrets" in said
    assert run(["restore", str(data / "b.db"), "--data", str(data / "new")]) == 0
    said = capsys.readouterr().out
    assert "5 calls" in said and "forget NUMBER" in said
    assert notes(data) == ["backup"] and notes(data / "new") == ["restore"]
    assert run(["restore", str(data / "b.db"), "--data", str(data / "new")]) == 1
    assert "--replace" in capsys.readouterr().err
    assert run(["restore", str(data / "b.db"), "--replace", "--json", "--data", str(data / "new")]) == 0
    assert json.loads(capsys.readouterr().out)["aside"][0].startswith("ringdown.db.replaced-")


def test_not_under_a_running_engine(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["backup", str(data / "b.db"), "--data", str(data)]) == 0
    with engine(data, {}):
        assert run(["restore", str(data / "b.db"), "--data", str(data)]) == 1
    assert "stop it first" in capsys.readouterr().err


def test_what_stays_sealed_is_named(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Secrets(data).put("carrier", "word")
    assert run(["backup", str(data / "b.db"), "--secrets", "--data", str(data)]) == 0
    assert "stay sealed: keep the key" in capsys.readouterr().out
    assert run(["restore", str(data / "b.db"), "--data", str(data / "new")]) == 0
    said = capsys.readouterr().out
    assert "sealed with a key that is not here: carrier; bring secrets.key" in said and "secret set NAME" in said
