"""`ringdown queues`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.cli.app import run
from tests.cli.engine_double import engine

ROWS = [
    {
        "queue": 1,
        "name": "default/support",
        "tenant": "default",
        "waiting": 2,
        "longest_wait_ms": 4_000,
        "alerting": 1,
        "connected": 0,
        "ready": 3,
        "on_duty": 4,
        "offered": 9,
        "answered": 6,
        "abandoned": 1,
        "missed": 0,
        "utilisation": 500,
    }
]


def test_a_table_or_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with engine(tmp_path, {"queues": ROWS}):
        assert run(["queues", "--data", str(tmp_path)]) == 0
        heads, row = capsys.readouterr().out.splitlines()
        assert heads.split()[:3] == ["queue", "waiting", "longest"]
        assert row.split() == ["default/support", "2", "4.0", "s", "1", "0", "3", "4", "9", "6", "1", "0"]
        assert run(["queues", "--json", "--data", str(tmp_path)]) == 0
        assert json.loads(capsys.readouterr().out) == ROWS


def test_no_queue(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with engine(tmp_path, {"queues": []}):
        assert run(["queues", "--data", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "none\n"
