"""`ringdown rollback`: what it asks and how it tells."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.cli.app import run
from tests.cli.engine_double import engine, refused
from tests.cli.test_reload import GOOD


def test_to_the_one_before_and_to_a_named_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with engine(tmp_path, {"rollback": GOOD}) as asked:
        assert run(["rollback", "--data", str(tmp_path)]) == 0
        assert run(["rollback", "bbbb", "--data", str(tmp_path)]) == 0
    assert [each["arguments"] for each in asked] == [{}, {"version": "bbbb"}]
    assert "site bbbbbbbbbbbb is active" in capsys.readouterr().out


def test_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with engine(tmp_path, {"rollback": refused("no version 'x' is kept")}):
        assert run(["rollback", "x", "--data", str(tmp_path)]) == 1
    assert "no version 'x' is kept; the running site stays" in capsys.readouterr().out


def test_a_share_withdrawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = {"old": "b" * 20, "new": "a" * 20, "withdrawn": "b" * 20}
    with engine(tmp_path, {"rollback": answer}):
        assert run(["rollback", "--data", str(tmp_path)]) == 0
    assert "bbbbbbbbbbbb is withdrawn; new calls run on aaaaaaaaaaaa" in capsys.readouterr().out
