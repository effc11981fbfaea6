"""`ringdown notice` and `ringdown hours CALENDAR STATE`: what they ask, what they print."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.cli.app import run
from tests.cli.engine_double import engine

ON = {"notice": "default/storm", "done": "on: callers hear it from now on", "until_ms": "1900000000000",
      "undo": "ringdown notice default/storm off"}  # fmt: skip


def test_on_with_everything(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with engine(tmp_path, {"notice": ON}) as asked:
        assert run(["notice", "storm", "on", "--text", "Power is out", "--until", "3h", "--by", "Mrs Hill",
                    "--language", "en", "--data", str(tmp_path)]) == 0  # fmt: skip
        assert run(["notice", "storm", "on", "--recording", "storm.wav", "--data", str(tmp_path)]) == 0
    first, second = (each["arguments"] for each in asked)
    assert first.pop("until_ms").isdigit()
    assert first == {"notice": "storm", "state": "on", "text": "Power is out", "by": "Mrs Hill", "language": "en"}
    assert second == {"notice": "storm", "state": "on", "recording": str(tmp_path / "storm.wav")}
    out = capsys.readouterr().out
    assert out.startswith("notice default/storm: on: callers hear it from now on until ") and "undo: ringdown" in out


def test_lists_notices_and_calendars(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"switch": "notice", "name": "default/storm", "state": "on", "until_ms": 1_900_000_000_000, "author": "ann",
             "text": "Power is out"},
            {"switch": "calendar", "name": "default/office", "state": "auto", "until_ms": 0, "author": "", "text": ""}]
    with engine(tmp_path, {"overrides": rows}):
        assert run(["notice", "--data", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "default/storm" in out and "2030" in out and "auto" in out and "Power is out" in out


def test_used_wrongly(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["notice", "storm", "--data", str(tmp_path)]) == 2
    assert run(["notice", "storm", "off", "--text", "x", "--data", str(tmp_path)]) == 2
    assert "go with on" in capsys.readouterr().err


def test_hours_switched(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = {"calendar": "default/office", "done": "closed, whatever its hours say", "until_ms": "1900000000000",
            "undo": "ringdown hours default/office auto"}  # fmt: skip
    with engine(tmp_path, {"hours.set": told}) as asked:
        assert run(["hours", "office", "closed", "--by", "Mrs Hill", "--data", str(tmp_path)]) == 0
    assert asked[0]["arguments"] == {"calendar": "office", "state": "closed", "by": "Mrs Hill"}
    out = capsys.readouterr().out
    assert out.startswith("calendar default/office: closed, whatever its hours say until ")
