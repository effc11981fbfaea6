"""`ringdown queue NAME VERB`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.cli.app import run
from tests.cli.engine_double import engine, refused

DONE = {"queue": "default/support", "done": "closed for new callers", "until_ms": "1700000000000",
        "undo": "ringdown queue default/support open"}  # fmt: skip


def test_acts_print_effect_time_and_undo(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with engine(tmp_path, {"queue.close": DONE, "queue.open": {**DONE, "done": "open", "until_ms": ""}}) as asked:
        assert run(["queue", "support", "close", "--until", "2h", "--data", str(tmp_path)]) == 0
        out = capsys.readouterr().out
        assert out.startswith("queue default/support: closed for new callers until 2023-11-1")
        assert out.endswith("(undo: ringdown queue default/support open)\n")
        assert run(["queue", "support", "open", "--json", "--data", str(tmp_path)]) == 0
        assert json.loads(capsys.readouterr().out)["done"] == "open"
    assert asked[0]["arguments"].keys() == {"queue", "until_ms"} and asked[1]["arguments"] == {"queue": "support"}


def test_a_queue_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"name": "default/support", "waiting": 3, "on_duty": []}, {"name": "chess/support", "waiting": 4}]
    with engine(tmp_path, {"queues": rows}):
        assert run(["queue", "support", "--data", str(tmp_path)]) == 0
        assert capsys.readouterr().out.count("waiting") == 2
        assert run(["queue", "chess/support", "--json", "--data", str(tmp_path)]) == 0
        assert json.loads(capsys.readouterr().out) == rows[1:]
        assert run(["queue", "nowhere", "--data", str(tmp_path)]) == 1


def test_wrong_use_and_refusals(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for wrong in (["fly"], ["open", "--until", "2h"], ["close", "--until", "soon"], ["close", "--until", "2020-01-01"]):
        assert run(["queue", "support", *wrong, "--data", str(tmp_path)]) == 2, wrong
    with engine(tmp_path, {"queue.open": refused("queue default/support is open already; nothing was changed")}):
        assert run(["queue", "support", "open", "--data", str(tmp_path)]) == 1
