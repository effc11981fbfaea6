"""`ringdown agents`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.cli.app import run
from tests.cli.engine_double import engine

ROWS = [{"agent": "200", "tenant": "default", "name": "Ann", "state": "ready", "reason": "", "seconds": 5,
         "logged_in": True, "reachable": False, "queues": ["default/support"]}]


def test_a_table_or_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with engine(tmp_path, {"agents": ROWS}):
        assert run(["agents", "--data", str(tmp_path)]) == 0
        heads, row = capsys.readouterr().out.splitlines()
        assert heads.split()[:2] == ["agent", "name"]
        assert row.split() == ["200", "Ann", "default", "ready", "5", "no", "default/support"]
        assert run(["agents", "--json", "--data", str(tmp_path)]) == 0
        assert json.loads(capsys.readouterr().out) == ROWS
