"""`ringdown call ID VERB`: by id, by caller, by agent, or the last one."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.cli.app import run
from engine.cli.call import find
from engine.cli.client import Refused
from tests.cli.engine_double import engine

ROWS = [{"call": "bako-0", "caller": "+44", "agent": "default/200", "seconds": 9},
        {"call": "dofu-0", "caller": "+55", "agent": "", "seconds": 3},
        {"call": "gati-0", "caller": "+55", "agent": "", "seconds": 5}]


def test_whom_an_operator_means() -> None:
    assert find(ROWS, "bako-0") is ROWS[0] and find(ROWS, "+44") is ROWS[0]
    assert find(ROWS, "200") is ROWS[0] and find(ROWS, "last") is ROWS[1]
    with pytest.raises(Refused, match="several calls: dofu-0, gati-0"):
        find(ROWS, "+55")
    for nobody in ("+66", "last"):
        with pytest.raises(Refused, match="no call"):
            find(ROWS if nobody != "last" else [], nobody)


def test_hanging_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = {"call": "dofu-0", "done": "hung up", "undo": "none"}
    with engine(tmp_path, {"calls": ROWS, "call.hangup": done}) as asked:
        assert run(["call", "last", "hangup", "--data", str(tmp_path)]) == 0
        assert run(["call", "+44", "--data", str(tmp_path)]) == 0
        assert run(["call", "+44", "explode", "--data", str(tmp_path)]) == 2
    assert asked[1] == {"verb": "call.hangup", "arguments": {"call": "dofu-0"}}
    out = capsys.readouterr().out
    assert "call dofu-0: hung up" in out and "caller     +44" in out
