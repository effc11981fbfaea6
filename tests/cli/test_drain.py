"""`ringdown drain` says what it does, what it leaves, and waits when asked to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.cli import drain as room
from engine.cli.app import run
from tests.cli.engine_double import engine

FOUND = {"draining": True, "calls": 3, "left_ms": 900_000, "waiting": 1, "undo": "none: start the engine again"}


def test_effect_and_undo(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with engine(tmp_path, {"drain": FOUND}):
        assert run(["drain", "--data", str(tmp_path)]) == 0
        out = capsys.readouterr().out
        assert "3 calls go on (1 waiting), 900 s at most" in out and "undo: none: start" in out
        assert run(["drain", "--json", "--data", str(tmp_path)]) == 0
        assert json.loads(capsys.readouterr().out) == FOUND
    assert "no call is left" in room.text(FOUND | {"calls": 0})


def test_waiting_ends_when_the_engine_has_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_LOOK_S", 0.01)
    answers = {"drain": FOUND, "status": {"switch": {"calls": 1}}}
    looked = []

    def sleep(_: float) -> None:
        looked.append(1)
        if len(looked) == 3:
            del answers["status"]  # gone: what is asked now is refused

    monkeypatch.setattr(room.time, "sleep", sleep)
    with engine(tmp_path, answers) as asked:
        assert run(["drain", "--wait", "--data", str(tmp_path)]) == 0
    assert [each["verb"] for each in asked] == ["drain", "status", "status", "status"]


def test_without_an_engine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["drain", "--data", str(tmp_path)]) == 1
    assert "ringdown serve" in capsys.readouterr().err
