"""Texts become prompts: as loud and as tight as a recording, and said once for each text, voice and version."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.dialplan.voice_model import VoiceModel
from engine.errors import SpeechError
from engine.media import voice
from engine.runtime import spoken
from engine.runtime.wav import write_wav


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> VoiceModel:
    """A quiet voice with silence around it, which counts how often it speaks."""
    monkeypatch.setenv("RINGDOWN_CACHE", str(tmp_path / "cache"))
    tone = np.concatenate([np.zeros(16_000), 800 * np.sin(np.arange(16_000) / 3), np.zeros(16_000)])
    write_wav(tmp_path / "said.wav", tone.astype(np.int16), 16_000)
    script = tmp_path / "say"
    script.write_text(f"#!/bin/sh\necho x >> {tmp_path}/count\ncat {tmp_path}/said.wav\n")
    script.chmod(0o755)
    return VoiceModel("command", "", (str(script),))


def count(tmp_path: Path) -> int:
    path = tmp_path / "count"
    return len(path.read_text().split()) if path.exists() else 0


def test_it_is_trimmed_and_as_loud_as_a_recording(program: VoiceModel) -> None:
    samples = spoken.say("hello", "en", program)
    measured = voice.measure(samples / 32_768, voice.RATE)
    assert measured.fine() and 1_000 <= measured.duration_ms <= 1_250
    assert abs(measured.active_dbfs - voice.ACTIVE_DBFS) < 1.0


def test_a_text_is_said_once_for_each_voice_and_version(program: VoiceModel, tmp_path: Path) -> None:
    first = spoken.kept_say("hello", "en", program)
    assert np.array_equal(spoken.kept_say("hello", "en", program), first) and count(tmp_path) == 1
    patient = VoiceModel("command", "", program.command, wait_ms=9_000, otherwise="skip")
    assert np.array_equal(spoken.kept_say(" hello\n", "en", patient), first) and count(tmp_path) == 1
    for text, language, changed in (
        ("hello there", "en", program), ("hello", "de", program),
        ("hello", "en", VoiceModel("command", "amy", program.command)),
        ("hello", "en", VoiceModel("command", "", program.command, "2")),
    ):  # fmt: skip
        before = count(tmp_path)
        spoken.kept_say(text, language, changed)
        assert count(tmp_path) == before + 1
    spoken.say("hello", "en", program)
    assert count(tmp_path) == 6


def test_a_cache_that_is_broken_or_read_only_costs_time_only(program: VoiceModel, tmp_path: Path) -> None:
    first = spoken.kept_say("hello", "en", program)
    (kept,) = spoken.folder().glob("*.wav")
    kept.write_bytes(b"no sound")
    assert np.array_equal(spoken.kept_say("hello", "en", program), first)
    kept.unlink()
    spoken.folder().rmdir()
    spoken.folder().write_text("a file where a folder should be")
    assert np.array_equal(spoken.kept_say("hello", "en", program), first) and count(tmp_path) == 3


def test_without_its_program_nothing_is_said(program: VoiceModel, tmp_path: Path) -> None:
    spoken.kept_say("hello", "en", program)
    (tmp_path / "say").unlink()
    with pytest.raises(SpeechError, match="can't be run"):
        spoken.kept_say("another", "en", program)
