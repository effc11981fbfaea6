"""`ringdown dial`: wrong use, and the lines it prints."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.cli import dial as command
from engine.cli.app import run
from engine.runtime import phone as room
from engine.runtime.wav import read_wav


class Quick:
    """A phone whose call is over at once."""

    wishes: list[Any] = []

    def __init__(self, wish: room.Wish, clips: list[Any], told: Any) -> None:
        self.wishes.append(wish)
        self.told = told
        self.media = type("Media", (), {"heard": staticmethod(lambda: np.ones(800, np.int16))})()

    async def call(self) -> dict[str, Any]:
        if self.wishes[-1].number == "404":
            raise room.CallFailed("404: 404 Not Found")
        self.told(410, "prompt", '"Welcome."')
        return {"number": self.wishes[-1].number, "status": 200}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "Phone", Quick)
    monkeypatch.setattr(command, "clips", lambda site: [])


@pytest.mark.parametrize(
    "arguments", [["100", "--press", "1x"], ["100", "--seconds", "0"], ["100", "--server", "nowhere"], []]
)
def test_wrong_use(arguments: list[str]) -> None:
    assert run(["dial", *arguments]) == 2


def test_lines_and_the_recording(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "heard.wav"
    assert run(["dial", "100", "--press", "1,2", "--save", str(path), "--server", "tcp:127.0.0.1:5070"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0] == '   0.4 s  "Welcome."' and "0.1 s of audio" in out[1]
    assert len(read_wav(path)) == 800
    wish = Quick.wishes[-1]
    assert (wish.server, wish.press, wish.user, wish.secret) == (("tcp", "127.0.0.1", 5070), "1,2", "dial", None)


def test_json_and_credentials(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["dial", "201", "--json", "--user", "200", "--password", "p"]) == 0
    assert json.loads(capsys.readouterr().out)["status"] == 200
    assert Quick.wishes[-1].secret == ("200", "p")


def test_no_answer_is_status_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["dial", "404"]) == 1
    assert "404 Not Found" in capsys.readouterr().err
