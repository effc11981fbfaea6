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
        assert row.split() == ["default/support", "2", "4.0", "s", "-", "1", "0", "3", "4", "9", "6", "1", "0"]
        assert run(["queues", "--json", "--data", str(tmp_path)]) == 0
        assert json.loads(capsys.readouterr().out) == ROWS


def test_no_queue(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with engine(tmp_path, {"queues": []}):
        assert run(["queues", "--data", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "none\n"


LIVE = ROWS[0] | {
    "on_duty": [{"agent": 0, "name": "default/201", "state": "ready"}], "closed": True, "answered_in_time": 5,
    "abandoned_in_time": 0, "timed_out": 0, "left": 0, "completed": 6, "refused_full": 0, "refused_no_agents": 0,
    "waited_ms_max": 9_000, "waited_ms": 30_000, "waited_ms_mean": 5_000, "talked_ms": 60_000,
    "service_level_ms": 20_000, "service_level": 714,
}  # fmt: skip
AGENTS = [{"agent": "201", "tenant": "default", "name": "Ana", "state": "ready", "reason": "", "seconds": 61}]


def watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str, looks: int = 2) -> int:
    """Run the wallboard for some looks; then Ctrl-C."""
    left = [looks]

    def sleep(seconds: float) -> None:
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", sleep)
    return run(["queues", "--watch", *arguments, "--data", str(tmp_path)])


def test_the_wallboard_as_text_and_as_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with engine(tmp_path, {"queues": [LIVE], "agents": AGENTS}):
        assert watch(tmp_path, monkeypatch) == 0
        screens = capsys.readouterr().out.split("\x1b[H")[1:]
        assert len(screens) == 2 and "closed: support" in screens[0] and "201 Ana" in screens[0]
        assert watch(tmp_path, monkeypatch, "--json") == 0
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line]
    assert len(lines) == 2
    (support,) = lines[0]["queues"]
    assert support["closed"] and support["inbound"] == 9 and support["on_duty"][0]["name"] == "Ana"


def test_an_engine_that_goes_is_said_and_one_that_never_was_is_status_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert watch(tmp_path, monkeypatch) == 1
    assert run(["queues", "--watch", "--every", "0.1", "--data", str(tmp_path)]) == 2
    from engine.cli import client, queues

    looks = iter([[], client.NotRunning("no engine runs"), []])

    def look(folder: Path) -> list[dict[str, object]]:
        found = next(looks)
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr(queues, "look", look)
    capsys.readouterr()
    assert watch(tmp_path, monkeypatch, looks=3) == 0
    assert capsys.readouterr().out.count("no engine runs") == 1


def test_what_the_next_caller_waits_is_a_range() -> None:
    from engine.cli.queues import next_waits

    assert next_waits([61_200, 90_000, 140_600]) == "61 to 141 s"
    assert next_waits([0, 0, 0]) == "0 s" and next_waits(None) == "-"
