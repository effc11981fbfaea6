"""`ringdown recognizer` as a program: it says where it serves, and ends when it is told to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from engine.cli.app import run


def test_it_serves_until_it_is_stopped() -> None:
    command = [sys.executable, "-m", "engine", "recognizer", "--listen", "127.0.0.1:0", "--slot", "digits:4"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ) as program:
        assert program.stderr is not None
        line = program.stderr.readline()
        program.send_signal(signal.SIGTERM)
        assert program.wait(20) == 0 and line.startswith("ready ws://127.0.0.1:")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--listen", "2700"], "a host and a port"),
        (["--language", "xx"], "no model for xx"),
        (["--folder", "/nowhere"], "there is no such folder"),
    ],
)
def test_what_it_refuses(arguments: list[str], why: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["recognizer", *arguments]) in (1, 2)
    assert why in capsys.readouterr().err
