"""The machine's synthesiser: spoken, refused, missing, stuck."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import SiteError
from engine.runtime import speaking
from engine.runtime.wav import read_wav
from tests.runtime.fakes import run


@pytest.mark.interop
def test_words_become_a_recording_whatever_they_hold(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    run(speaking.speak('-x "Power" is out; $(nothing) happens', "en", path), 20)
    samples = read_wav(path)
    assert len(samples) > 8_000 and abs(samples.astype(int)).max() > 1_000


def test_a_language_that_would_be_spelt_out(tmp_path: Path) -> None:
    with pytest.raises(SiteError, match="no voice for zh"):
        run(speaking.speak("停电", "zh", tmp_path / "a.wav"))


@pytest.mark.interop
def test_a_language_without_a_voice(tmp_path: Path) -> None:
    with pytest.raises(SiteError, match="can't speak xx"):
        run(speaking.speak("hello", "xx", tmp_path / "a.wav"), 20)


def test_no_synthesiser_and_one_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speaking, "PROGRAM", "no-such-synthesiser")
    with pytest.raises(SiteError, match="install it, or give a --recording"):
        run(speaking.speak("hello", "en", tmp_path / "a.wav"))
    slow = tmp_path / "slow"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o700)
    monkeypatch.setattr(speaking, "PROGRAM", str(slow))
    monkeypatch.setattr(speaking, "speak_s_max", 0.2)
    with pytest.raises(SiteError, match="took longer"):
        run(speaking.speak("hello", "en", tmp_path / "a.wav"))
