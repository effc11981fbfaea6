"""`ringdown fraud`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.cli.app import run
from tests.cli.engine_double import engine

ROW = {"rule": "premium", "caller": "default/201", "at_once": 1, "minute": 3, "in_a_row": 2, "number": "+4490123",
       "total": 9, "warned": ["calls_per_minute"]}  # fmt: skip


def test_counts_are_listed_and_reset(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = {"caller": "default/201", "done": "forgot what 1 rules had counted", "undo": "none"}
    with engine(tmp_path, {"fraud": [ROW], "fraud.reset": done}) as asked:
        assert run(["fraud", "--data", str(tmp_path)]) == 0
        out = capsys.readouterr().out
        assert "premium" in out and "+4490123" in out and "calls_per_minute" in out
        assert run(["fraud", "--json", "--data", str(tmp_path)]) == 0
        assert json.loads(capsys.readouterr().out) == [ROW]
        assert run(["fraud", "--reset", "default/201", "--data", str(tmp_path)]) == 0
        assert capsys.readouterr().out.startswith("caller default/201: forgot")
    assert asked[2]["arguments"] == {"caller": "default/201"}
