"""Recordings of a call in their order, heard or copied, and who has heard them."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from engine.cli import hear
from engine.cli.app import run
from engine.records import schema
from engine.records.events import Event
from engine.runtime.wav import write_wav
from tests.cli.engine_double import engine

VECTOR = Path(__file__).parents[1] / "vectors" / "records" / "v1.db"
ONE, TWO = "recordings/default/20261126-BAKU-a-1.wav", "recordings/default/20261126-BAKU-a-2.wav"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Call BAKU was recorded, passed on and recorded again; both files have a second of sound."""
    shutil.copy(VECTOR, tmp_path / "ringdown.db")
    with closing(sqlite3.connect(tmp_path / "ringdown.db", isolation_level=None)) as db:
        told = [(TWO, "started", 9_000), (ONE, "started", 1_000), (ONE, "complete", 8_000), ("", "failed", 500)]
        for n, (name, state, at_ms) in enumerate(told, 1):
            data = {"name": name, "state": state, "duration_ms": 0}
            event = Event(n, "hear", at_ms, at_ms, "call.recording", "default", "BAKU", data)  # type: ignore[arg-type]
            db.execute(schema.INSERT_EVENT, schema.event_row("a", event))
    for name in (ONE, TWO):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(44 + 32_000))
    return tmp_path


def test_a_calls_recordings_are_copied_in_order_and_each_is_noted_first(folder: Path, tmp_path: Path) -> None:
    with engine(folder, {"noted": {}}) as asked:
        assert run(["hear", "BAKU", "--to", str(tmp_path / "out"), "--data", str(folder)]) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [Path(ONE).name, Path(TWO).name]
    assert [each["arguments"] for each in asked] == [
        {"act": "hear", "subject": name, "counts": "copies=1"} for name in (ONE, TWO)
    ]


def test_who_has_heard_it_is_listed_also_when_no_engine_ran(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["hear", ONE, "--to", str(tmp_path / "out"), "--data", str(folder)]) == 0
    capsys.readouterr()
    assert run(["hear", "BAKU", "--list", "--json", "--data", str(folder)]) == 0
    one, two = json.loads(capsys.readouterr().out)
    assert (one["name"], one["seconds"], two["name"]) == (ONE, 1.0, TWO)
    assert one["heard"] and not two["heard"]


def test_it_plays_by_what_there_is(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    player = tmp_path / "bin" / "aplay"
    player.parent.mkdir()
    player.write_text(f'#!/bin/sh\necho "$@" >>{tmp_path}/played\n')
    player.chmod(0o755)
    monkeypatch.setenv("PATH", f"{player.parent}:/usr/bin:/bin")
    assert run(["hear", "BAKU", "--data", str(folder)]) == 0
    played = (tmp_path / "played").read_text().split("\n")
    assert played[:2] == [f"-q {folder / ONE}", f"-q {folder / TWO}"]


def test_a_file_of_the_admins_own_is_no_recording_and_is_not_noted(folder: Path, tmp_path: Path) -> None:
    own = tmp_path / "mine.wav"
    own.write_bytes(b"sound")
    with engine(folder, {"noted": {}}) as asked:
        assert run(["hear", str(own), "--to", str(tmp_path / "out"), "--data", str(folder)]) == 0
    assert asked == [] and (tmp_path / "out" / "mine.wav").read_bytes() == b"sound"


def test_what_cannot_be_heard_is_told(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(["hear", "LIMA", "--data", str(folder)]) == 2
    assert "no recording of a call 'LIMA'" in capsys.readouterr().err
    (folder / TWO).unlink()
    assert run(["hear", TWO, "--to", str(tmp_path / "out"), "--data", str(folder)]) == 1
    assert "isn't there" in capsys.readouterr().err
    assert run(["hear", ONE, "--to", str(tmp_path / "out"), "--data", str(folder)]) == 0
    assert run(["hear", ONE, "--to", str(tmp_path / "out"), "--data", str(folder)]) == 2
    assert "nothing was replaced" in capsys.readouterr().err
    monkeypatch.setattr(hear, "PLAYERS", (("no-such-player",),))
    assert run(["hear", ONE, "--data", str(folder)]) == 2
    assert "no player found" in capsys.readouterr().err


def test_nobody_hears_what_could_not_be_noted(folder: Path, tmp_path: Path) -> None:
    with engine(folder, {"noted": Exception("the store is full")}):
        assert run(["hear", ONE, "--to", str(tmp_path / "out"), "--data", str(folder)]) == 1
    assert not (tmp_path / "out" / Path(ONE).name).exists()


def test_a_picture_goes_with_recognising(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["hear", "a.wav", "--plot", str(tmp_path / "a.svg"), "--data", str(tmp_path)]) == 2
    assert "--plot goes with" in capsys.readouterr().err
    plot = ("--plot", str(tmp_path / "a.svg"), "--data", str(tmp_path))
    words = ["hear", "a.wav", "b.wav", "--phrases", "yes|no", *plot]
    for name in ("a.wav", "b.wav"):
        words[words.index(name)] = str(tmp_path / name)
        write_wav(tmp_path / name, np.zeros(8_000, np.int16))
    assert run(words) == 2 and "one picture" in capsys.readouterr().err
    words[words.index(str(tmp_path / "a.svg"))] = "-"
    assert run(words) == 0
    assert all("nothing was understood" in (tmp_path / f"{name}.svg").read_text() for name in "ab")
