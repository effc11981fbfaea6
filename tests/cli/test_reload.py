"""`ringdown reload`: accepted with its version, refused with its findings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.cli.app import run
from tests.cli.engine_double import engine, refused

GOOD = {"old": "a" * 64, "new": "b" * 64, "changed": True, "findings": ["w.yaml:1:1: warning"], "notes": ["later"],
        "passwords": [{"agent": "default/203", "password": "aaaa-bbbb-cccc"}]}


def test_accepted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with engine(tmp_path, {"reload": GOOD}):
        assert run(["reload", "--data", str(tmp_path)]) == 0
        out = capsys.readouterr().out
        assert "site bbbbbbbbbbbb is active" in out and "w.yaml:1:1" in out and "aaaa-bbbb-cccc" in out
        assert run(["reload", "--json", "--data", str(tmp_path)]) == 0
        assert json.loads(capsys.readouterr().out)["ok"] is True


def test_nothing_new(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with engine(tmp_path, {"reload": GOOD | {"changed": False}}):
        assert run(["reload", "--data", str(tmp_path)]) == 0
    assert "nothing has changed" in capsys.readouterr().out


@pytest.mark.parametrize("json_too", [False, True])
def test_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], json_too: bool) -> None:
    with engine(tmp_path, {"reload": refused("the site has errors", {"findings": ["main.yaml:3:5: error"]})}):
        assert run(["reload", "--data", str(tmp_path), *(["--json"] if json_too else [])]) == 1
    out = capsys.readouterr().out
    assert "main.yaml:3:5" in out and "the site has errors" in out
