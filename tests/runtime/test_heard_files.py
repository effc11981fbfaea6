"""Files through the recogniser, linear and G.711, at other rates, with and without speech."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from engine.cli.app import run
from engine.runtime.graph_shelf import Shelf
from engine.runtime.heard_files import hear_file
from engine.runtime.wav import write_wav
from tests.runtime.spoken import DIGITS, MODEL, digits, silence


def test_what_is_said_and_where(tmp_path: Path) -> None:
    path = tmp_path / "four.wav"
    write_wav(path, digits("4079"))
    heard = hear_file(path, DIGITS, MODEL, Shelf())
    assert heard.slots == {"number": "4079"} and heard.confidence > 0.8 and heard.text == "four zero seven nine"
    assert 300 < heard.speech_start_ms < 600 and 1_500 < heard.speech_end_ms < 3_500
    write_wav(path, silence(2_000))
    nothing = hear_file(path, DIGITS, MODEL, Shelf())
    assert (nothing.text, nothing.slots, nothing.speech_start_ms) == ("", {}, -1)


def test_the_command_prints_one_line_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    linear, law = tmp_path / "wide.wav", tmp_path / "law.wav"
    samples = digits("4079")
    soundfile.write(linear, np.repeat(samples, 2), 16_000, subtype="PCM_16")
    soundfile.write(law, samples, 8_000, subtype="ULAW")
    assert run(["hear", str(linear), str(law), "--slot", "digits:4", "--json", "--data", str(tmp_path)]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["slots"] for row in rows] == [{"digits": "4079"}, {"digits": "4079"}]
    assert list(rows[0]) == [
        "file", "text", "slots", "confidence", "alternatives", "speech_start_ms", "speech_end_ms",
    ]  # fmt: skip
    assert run(["hear", str(law), "--slot", "nonsense", "--data", str(tmp_path)]) == 2
