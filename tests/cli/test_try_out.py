"""`ringdown try` as it is typed: scripted, interactive, with sound, and refused."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.cli.app import run
from tests.cli.test_test import folder

DEMO = Path(__file__).parents[2] / "dialplans" / "demo"


def test_keys_walk_the_demo(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["try", "main", "--site", str(DEMO), "--keys", "_ _ 2 1234#"]) == 0
    out = capsys.readouterr().out
    for words in ("hears welcome “Welcome to Ringdown.”", "hears main_menu_short", "step say_digits/gather(ask_code)",
                  "is tagged code 1234", "           code = 1234"):  # fmt: skip
        assert words in out


def test_a_person_types(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    site = folder(tmp_path)
    monkeypatch.setattr(sys, "stdin", io.StringIO("help\nzz\n2\n?\n"))
    assert run(["try", str(site / "dialplans" / "main.yaml")]) == 0
    out = capsys.readouterr().out
    assert "the caller hangs up: the end" in out and "'zz' is nothing that can be done here" in out
    assert "hears ask_code “Your code?”" in out and "the caller is in script at dialplans/main.yaml:23:7" in out
    assert out.rstrip().endswith("language = en") and "the call ends: abandoned (by caller)" in out


def test_sound_is_played_where_there_is_a_player(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    player = tmp_path / "bin" / "aplay"
    player.parent.mkdir()
    player.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/played\n')
    player.chmod(0o755)
    monkeypatch.setenv("PATH", f"{player.parent}{os.pathsep}/usr/bin{os.pathsep}/bin")
    assert run(["try", "100", "--site", str(DEMO), "--keys", "_ 2", "--sound"]) == 0
    played = (tmp_path / "played").read_text().split("\n")
    assert [line.rsplit("/", 1)[-1] for line in played[:3]] == ["welcome.wav", "main_menu.wav", "ask_code.wav"]
    assert played[0].startswith("-q ")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert run(["try", "100", "--site", str(DEMO), "--keys", "2", "--sound"]) == 2
    assert "--sound needs a player: aplay" in capsys.readouterr().err


def test_what_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["try", "man", "--site", str(DEMO)]) == 2
    assert "did you mean 'main'" in capsys.readouterr().err
    assert run(["try", "main", "--site", str(DEMO), "--at", "soon", "--keys", "1"]) == 2
    err = capsys.readouterr().err
    assert "'soon' is not a date and time" in err and "^^^^" in err
    assert run(["try", "main", "--site", str(DEMO), "--keys", "answer"]) == 2
    assert "no agent's phone rings; say who is there" in capsys.readouterr().err
    broken = folder(tmp_path, **{"dialplans/main.yaml": "ringdown: 1\nflows: {}\n"})
    assert run(["try", str(broken)]) == 1
    assert "error RD" in capsys.readouterr().err


def test_numba_is_never_imported() -> None:
    script = (
        "import sys; from engine.cli.app import run; status = run(sys.argv[1:]); "
        "sys.exit('imported numba' if 'numba' in sys.modules else status)"
    )
    command = [sys.executable, "-c", script, "try", "main", "--site", str(DEMO), "--keys", "1"]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
