"""`ringdown calls`: from the database, whether an engine runs or not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.cli.app import run
from engine.runtime.storage import Storage
from tests.cli.engine_double import engine
from tests.runtime.fakes import event
from tests.runtime.fakes import run as run_async


def fill(folder: Path, count: int) -> None:
    async def work() -> None:
        storage = Storage(folder / "ringdown.db", node="a", told=lambda *_: None)
        await storage.start()
        for number in range(count):
            name, first = f"call-{number}", 10 * number + 1
            storage.events += [
                event(
                    first,
                    "call.started",
                    name,
                    caller=f"+4{number % 2}",
                    name="",
                    dialled="100",
                    trunk="",
                    via="public",
                    peer="",
                ),
                event(first + 1, "queue.connected", name, queue="q", agent="201", waited_ms=2_000, rang_ms=1),
                event(first + 2, "call.quality", name, leg="caller", packets_in=9, lost=1),
                event(
                    first + 3,
                    "call.ended",
                    name,
                    by="remote",
                    outcome="served",
                    cause=16,
                    duration_ms=9_000,
                    answered_ms=1,
                    waited_ms=2_000,
                    talked_ms=5_000,
                    held_ms=0,
                    path="main > q",
                ),
            ]
        await storage.close()

    run_async(work())


def test_newest_first_with_their_lists(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fill(tmp_path, 5)
    assert run(["calls", "--json", "--limit", "3", "--data", str(tmp_path)]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["call"] for row in rows] == ["call-4", "call-3", "call-2"]
    assert rows[0]["agents"] == ["201"] and rows[0]["quality"][0]["lost"] == 1 and rows[0]["one_way"] is False
    assert run(["calls", "--caller", "+41", "--json", "--data", str(tmp_path)]) == 0
    assert [row["call"] for row in json.loads(capsys.readouterr().out)] == ["call-3", "call-1"]


def test_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fill(tmp_path, 1)
    assert run(["calls", "--data", str(tmp_path)]) == 0
    row = capsys.readouterr().out.splitlines()[1]
    assert "call-0" in row and "2.0 s" in row and "5.0 s" in row and "main > q" in row


def test_before_the_first_start_and_with_a_broken_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["calls", "--data", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "none\n"
    (tmp_path / "ringdown.db").write_bytes(b"this is no database" * 100)
    assert run(["calls", "--data", str(tmp_path)]) == 1
    assert "ringdown.db" in capsys.readouterr().err


def test_live(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    row = {"call": "bako-0", "caller": "+44", "dialled": "100", "phase": "menu", "seconds": 3, "path": "main"}
    with engine(tmp_path, {"calls": [row]}):
        assert run(["calls", "--live", "--data", str(tmp_path)]) == 0
    assert "bako-0" in capsys.readouterr().out
