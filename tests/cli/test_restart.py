"""`ringdown restart`: the versions, how long it took, how many calls went on; or what to do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.cli import client
from engine.cli import restart as room
from engine.cli.app import run
from tests.cli.engine_double import engine, refused

BEFORE = {"boot": "b", "started_at": 100.0, "calls": 3, "from": "0.1", "to": "0.2"}


def answers(monkeypatch: pytest.MonkeyPatch, statuses: Iterator[Any]) -> list[str]:
    asked: list[str] = []

    def ask(folder: Path, verb: str, **arguments: str) -> Any:
        asked.append(verb)
        if verb == "restart":
            return BEFORE
        found = next(statuses)
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr(client, "ask", ask)
    return asked


def status(started_at: float) -> dict[str, Any]:
    return {"started_at": started_at, "switch": {"calls": 3}}


def test_it_waits_for_the_new_program(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    told = [status(100.0), client.NotRunning("nobody"), client.Refused("closing"), status(105.0)]
    asked = answers(monkeypatch, iter(told))
    assert run(["restart"]) == 0
    assert asked == ["restart"] + ["status"] * 4  # the old program's own answer didn't count
    assert "version 0.1 -> 0.2, 3 calls go on" in capsys.readouterr().out


def test_as_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    answers(monkeypatch, iter([status(101.0)]))
    assert run(["restart", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["ok"] and found["calls"] == found["calls_after"] == 3 and 0 < found["seconds"] < 5


def test_nobody_comes_back(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(room, "wait_s_max", 0.3)
    answers(monkeypatch, iter([client.NotRunning("nobody")] * 9))
    assert run(["restart"]) == 1
    assert "`ringdown serve` goes on with the calls" in capsys.readouterr().out


def test_a_refusal_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with engine(tmp_path, {"restart": refused("the site has errors")}) as asked:
        assert run(["restart", "--data", str(tmp_path)]) == 1
    assert [each["verb"] for each in asked] == ["restart"] and "the site has errors" in capsys.readouterr().err
    assert run(["restart", "--data", str(tmp_path)]) == 1  # no engine runs
    assert capsys.readouterr().err
