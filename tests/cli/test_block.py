"""`ringdown block SOURCE VERB`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.cli.app import run
from tests.cli.engine_double import engine, refused
from tests.cli.test_blocks import ROW


def test_why_a_source_is_blocked_and_the_way_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = {"source": "203.0.113.5", "done": "lifted 203.0.113.5", "undo": "none: it is blocked again if it goes on"}
    with engine(tmp_path, {"blocks": ROW, "block.lift": done}) as asked:
        assert run(["block", "203.0.113.5", "--data", str(tmp_path)]) == 0
        out = capsys.readouterr().out
        assert "guessing: wrong passwords" in out and "ringdown block 203.0.113.5 lift" in out
        assert run(["block", "203.0.113.5", "--json", "--data", str(tmp_path)]) == 0
        assert json.loads(capsys.readouterr().out) == ROW
        assert run(["block", "203.0.113.5", "lift", "--data", str(tmp_path)]) == 0
        assert capsys.readouterr().out.startswith("source 203.0.113.5: lifted")
        assert run(["block", "203.0.113.5", "lift", "--json", "--data", str(tmp_path)]) == 0
    assert asked[0]["arguments"] == asked[2]["arguments"] == {"source": "203.0.113.5"}


def test_wrong_use_and_refusals(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["block", "203.0.113.5", "fly", "--data", str(tmp_path)]) == 2
    with engine(tmp_path, {"blocks": refused("203.0.113.5 is not blocked; `ringdown blocks` lists who is")}):
        assert run(["block", "203.0.113.5", "--data", str(tmp_path)]) == 1
    assert "not blocked" in capsys.readouterr().err
