"""`ringdown replay`: statuses and sentences."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.cli.app import run
from engine.cli.replay import newest, verdict
from engine.runtime import replaying
from engine.runtime.journal import Replayed
from tests.runtime.test_journal import Counter, record, some


@pytest.fixture(autouse=True)
def counter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replaying, "build", Counter)


def test_the_newest_of_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    journal = record(tmp_path, some(20))
    journal.close()
    assert newest(tmp_path) == journal.path and newest(tmp_path / "none") is None
    assert run(["replay", str(tmp_path)]) == 0
    assert "20 inputs" in (out := capsys.readouterr().out) and "bit for bit (7 digests compared)" in out
    assert run(["replay", str(journal.path), "--hash-outputs"]) == 0
    assert capsys.readouterr().out.strip() == journal._digest.hexdigest()
    assert run(["replay", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["checked"] == 7


def test_a_difference_is_status_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    record(tmp_path, some(20)).close()
    monkeypatch.setattr(replaying, "build", lambda header, state: Counter(header, state, off=1))
    assert run(["replay", str(tmp_path)]) == 1
    assert "DIFFERENT: outputs agree up to input" in capsys.readouterr().out


def test_what_is_no_journal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["replay", str(tmp_path)]) == 2
    (tmp_path / "x.journal").write_bytes(b"hello")
    assert run(["replay", str(tmp_path)]) == 1
    assert "no Ringdown journal" in capsys.readouterr().err


@pytest.mark.parametrize(("report", "words"), [
    (Replayed(inputs=5, sealed="call bako-1"), "input 6"), (Replayed(torn=True), "torn"),
    (Replayed(checked=3), "killed, or still runs"), (Replayed(faults=2), "raised at 2 inputs"),
    (Replayed(), "no digest"),
])
def test_verdicts(report: Replayed, words: str) -> None:
    assert any(words in line for line in verdict(report))
