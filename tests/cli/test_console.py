"""`ringdown console` refuses what it can't do in words; the console itself is tests/console and tests/interop."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.cli.app import run


def test_without_a_terminal_it_says_what_does_without(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["console", "--data", str(tmp_path)]) == 2
    assert "needs a terminal" in capsys.readouterr().err


def test_an_unknown_view_is_wrong_use(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    assert run(["console", "kitchen", "--data", str(tmp_path)]) == 2
    assert "calls, queues, agents, trunks, events" in capsys.readouterr().err
