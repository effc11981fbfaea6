"""`ringdown voicemail`: the lists, and acts on one message."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from engine.cli import voicemail
from engine.cli.app import run
from engine.runtime.wav import read_wav, write_wav
from tests.cli.engine_double import engine

BOX = {
    "box": "default/front", "new": 2, "old": 1, "messages_max": 100, "queue": "default/support", "agent": "",
    "hears": ["default/201"], "mail": True, "bytes": 4_000_000, "oldest_new_ms": 1_750_000_000_000,
}  # fmt: skip
MESSAGE = {
    "n": 1, "message": "voicemail/default/front/a.wav", "box": "default/front", "caller": "+441", "name": "Ana",
    "dialled": "700", "call": "bako-0", "left_ms": 1_750_000_000_000, "duration_ms": 65_000, "state": "new",
    "warned": False,
}  # fmt: skip
ANSWERS = {
    "boxes": [BOX], "messages": [MESSAGE], "voicemail.pin": {"box": "default/front", "pin": "481516"},
    "voicemail.heard": {"message": MESSAGE["message"], "done": "heard", "undo": "none"},
    "voicemail.delete": {"message": MESSAGE["message"], "done": "deleted, its file too", "undo": "none"},
}  # fmt: skip
Capture = pytest.CaptureFixture[str]


def test_boxes_and_messages_are_listed(tmp_path: Path, capsys: Capture) -> None:
    with engine(tmp_path, ANSWERS):
        assert run(["voicemail", "--data", str(tmp_path)]) == 0
        out = capsys.readouterr().out
        assert "default/front" in out and "201 mail" in out and "4.0" in out
        assert run(["voicemail", "front", "--data", str(tmp_path)]) == 0
        assert "+441" in capsys.readouterr().out
        assert run(["voicemail", "front", "--json", "--data", str(tmp_path)]) == 0
        assert json.loads(capsys.readouterr().out)[0]["duration_ms"] == 65_000


def test_a_message_is_deleted_and_a_pin_is_made(tmp_path: Path, capsys: Capture) -> None:
    with engine(tmp_path, ANSWERS) as asked:
        assert run(["voicemail", "front", "delete", "1", "--data", str(tmp_path)]) == 0
        assert "deleted, its file too" in capsys.readouterr().out
        assert run(["voicemail", "front", "pin", "--data", str(tmp_path)]) == 0
        assert "481516 (shown only now)" in capsys.readouterr().out
    assert asked[0]["arguments"] == {"box": "front", "message": "1"}


def sound(folder: Path) -> None:
    """The caller's side is a ramp, ours silence."""
    path = folder / str(MESSAGE["message"])
    path.parent.mkdir(parents=True)
    ramp = np.arange(800, dtype=np.int16)
    write_wav(path, np.column_stack([ramp, np.zeros(800, np.int16)]))


def test_hearing_writes_what_the_caller_said_and_marks_it(tmp_path: Path, capsys: Capture) -> None:
    sound(tmp_path)
    goal = tmp_path / "out.wav"
    with engine(tmp_path, ANSWERS) as asked:
        assert run(["voicemail", "front", "hear", "1", "--out", str(goal), "--data", str(tmp_path)]) == 0
    assert asked[-1]["verb"] == "voicemail.heard" and "heard" in capsys.readouterr().out
    assert read_wav(goal).tolist() == list(range(800))


@pytest.mark.parametrize(("player", "heard"), [("true", True), ("false", False), ("", False)])
def test_hearing_plays_it_where_there_is_a_player(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch, player: str, heard: bool
) -> None:
    monkeypatch.setattr(voicemail, "PLAYERS", ((player,),) if player else ())
    sound(tmp_path)
    with engine(tmp_path, ANSWERS) as asked:
        assert run(["voicemail", "front", "hear", "1", "--data", str(tmp_path)]) == 0
    assert ("voicemail.heard" in [each["verb"] for each in asked]) is heard
    assert ("no player here" in capsys.readouterr().out) is not heard


def test_what_is_not_there_is_said(tmp_path: Path, capsys: Capture) -> None:
    with engine(tmp_path, ANSWERS):
        assert run(["voicemail", "front", "hear", "2", "--data", str(tmp_path)]) == 1
        assert "holds 1" in capsys.readouterr().err
        assert run(["voicemail", "front", "hear", "1", "--data", str(tmp_path)]) == 1
        assert "is gone" in capsys.readouterr().err
        sound(tmp_path)
        goal = str(tmp_path / "no" / "such" / "x.wav")
        assert run(["voicemail", "front", "hear", "1", "--out", goal, "--data", str(tmp_path)]) == 1
        assert "can't write" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["front", "fly"], ["front", "hear"], ["front", "list", "--out", "x"]])
def test_wrong_use(tmp_path: Path, words: list[str]) -> None:
    assert run(["voicemail", *words, "--data", str(tmp_path)]) == 2
