"""`ringdown callback ID VERB`."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.cli.app import run
from tests.cli.engine_double import engine, refused
from tests.cli.test_callbacks import ROW

DONE = {"callback": "kavo-1", "done": "cancelled", "undo": "none: the customer has to ask again"}


def test_acts_print_effect_and_undo(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with engine(tmp_path, {"callback.cancel": DONE, "callback.now": {**DONE, "done": "rung"}}) as asked:
        assert run(["callback", "kavo-1", "cancel", "--data", str(tmp_path)]) == 0
        assert capsys.readouterr().out == (
            "callback kavo-1: cancelled   (undo: none: the customer has to ask again)\n"
        )
        assert run(["callback", "0301234", "now", "--json", "--data", str(tmp_path)]) == 0
    assert [each["arguments"] for each in asked] == [{"callback": "kavo-1"}, {"callback": "0301234"}]


def test_one_is_shown_by_id_or_number(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with engine(tmp_path, {"callbacks": {"callbacks": [ROW], "queues": []}}):
        for name in ("kavo-1", "0301234"):
            assert run(["callback", name, "--data", str(tmp_path)]) == 0
            assert "default/support" in capsys.readouterr().out
        assert run(["callback", "nobody", "--data", str(tmp_path)]) == 1
        assert "no callback 'nobody' is open" in capsys.readouterr().err


def test_wrong_use_and_refusals(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["callback", "kavo-1", "fly", "--data", str(tmp_path)]) == 2
    with engine(tmp_path, {"callback.now": refused("callback kavo-1 is being carried out; nothing was changed")}):
        assert run(["callback", "kavo-1", "now", "--data", str(tmp_path)]) == 1
        assert "nothing was changed" in capsys.readouterr().err
