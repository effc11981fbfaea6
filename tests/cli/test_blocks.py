"""`ringdown blocks`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.cli.app import run
from tests.cli.engine_double import engine

ROW = {"source": "203.0.113.5", "kind": "guessing", "why": "wrong passwords; tried 100, 101",
       "since_ms": 1_700_000_000_000, "until_ms": 1_700_000_060_000, "dropped": 812, "passed": 7,
       "ports": [5060]}  # fmt: skip
FOUND = {"blocks": [ROW], "dropped": {"denied": 0, "scanner": 3, "blocked": 809, "flood": 0}}


def test_blocks_are_listed_with_why_and_how_much(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with engine(tmp_path, {"blocks": FOUND}):
        assert run(["blocks", "--data", str(tmp_path)]) == 0
        out = capsys.readouterr().out
        assert "203.0.113.5" in out and "wrong passwords; tried 100, 101" in out and "812" in out
        assert out.endswith("since the start: 0 denied, 3 scanner, 809 blocked, 0 flood\n")
        assert run(["blocks", "--json", "--data", str(tmp_path)]) == 0
        assert json.loads(capsys.readouterr().out) == FOUND
    other = tmp_path / "other"
    other.mkdir()
    with engine(other, {"blocks": {**FOUND, "blocks": []}}):
        assert run(["blocks", "--data", str(other)]) == 0
        assert capsys.readouterr().out.startswith("none\n")
