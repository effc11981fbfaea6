"""`ringdown backup`: what it says and what it refuses."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from engine.cli.app import run
from engine.runtime.migrations import prepare

VECTOR = Path(__file__).parents[1] / "vectors" / "records" / "v1.db"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    shutil.copy(VECTOR, tmp_path / "ringdown.db")
    prepare(tmp_path / "ringdown.db", 1.0)
    return tmp_path


def test_in_words_and_as_json(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["backup", str(data / "b.db"), "--data", str(data)]) == 0
    said = capsys.readouterr().out
    assert "5 calls" in said and "a/aaaa0001 50" in said and "without secrets" in said
    assert run(["backup", str(data / "c.db"), "--secrets", "--json", "--data", str(data)]) == 0
    assert json.loads(capsys.readouterr().out)["rows"]["calls"] == 5
    assert run(["backup", str(data / "b.db"), "--data", str(data)]) == 1
    assert "overwrites nothing" in capsys.readouterr().err


def test_nothing_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["backup", str(tmp_path / "b.db"), "--data", str(tmp_path)]) == 1
    assert "nothing to back up" in capsys.readouterr().err
