"""`ringdown callbacks`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.cli.app import run
from tests.cli.engine_double import engine

ROW = {
    "callback": "kavo-1", "queue": "default/support", "position": 2, "number": "0301234", "state": "paused",
    "waited_s": 90, "attempts": 1, "attempts_max": 3, "next_s": 45, "promise_s": -1, "call": "bako-0",
}  # fmt: skip
COUNTS = {
    "queue": "default/support", "requested": 4, "served": 2, "kept": 1, "expired": 1, "cancelled": 0, "dialled": 5,
    "answered": 3, "failed_attempts": 2, "kept_promise": 33.4,
}  # fmt: skip


def test_the_list_shows_who_is_next_and_which_promise_is_broken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with engine(tmp_path, {"callbacks": {"callbacks": [ROW], "queues": [COUNTS]}}):
        assert run(["callbacks", "--data", str(tmp_path)]) == 0
        out = capsys.readouterr().out
        assert "kavo-1" in out and "BROKEN" in out and "1/3" in out and "33" in out
        assert run(["callbacks", "--json", "--data", str(tmp_path)]) == 0
        assert json.loads(capsys.readouterr().out)["callbacks"][0]["next_s"] == 45


def test_none_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with engine(tmp_path, {"callbacks": {"callbacks": [], "queues": []}}):
        assert run(["callbacks", "--data", str(tmp_path)]) == 0
        assert capsys.readouterr().out == "none\n"
