"""Tones: every signal a telephone line makes is one, on a noisy line too; hardly a frame of speech is."""

from __future__ import annotations

import numpy as np
import pytest

from engine.media import clips, g711
from engine.speech import tones
from tests.speech.talk import hiss, line, sentences

LANDS = ("us", "gb", "de", "cn", "hk")
NAMES = [f"tone/{kind}.{land}" for kind in ("ringback", "busy", "congestion") for land in LANDS]


def share(wave: np.ndarray, noise: float = 0.0, clean: np.ndarray | None = None) -> float:
    """Of the frames that sound throughout (without their noise), how many are called tones."""
    memory, found = tones.scratch(), []
    for end in range(tones.SIZE, wave.size, 160):
        window = wave[end - tones.SIZE : end]
        if np.abs((wave if clean is None else clean)[end - tones.SIZE : end]).reshape(16, -1).max(axis=1).min() > 300:
            found.append(bool(tones.is_tone(window, memory, noise)))
    assert found
    return float(np.mean(found))


def signal(name: str) -> np.ndarray:
    if name.startswith("tone/"):
        both = clips.tone(name)
        assert both is not None
        return g711.decode(both[0], 0).astype(np.float64)
    if name in "0123456789*#ABCD":
        return clips.dtmf(name).astype(np.float64)
    return clips.sine((int(name),), 1.0, -13.0)


@pytest.mark.parametrize("name", [*NAMES, "tone/beep", "tone/milliwatt", *"0123456789*#ABCD", "1100", "2100"])
def test_signals_are_tones(name: str) -> None:
    wave = signal(name)
    assert share(line(wave)) > 0.97
    power = float(np.mean(wave[np.abs(wave) > 300] ** 2))
    noisy = line(wave + hiss(wave.size, 10 * np.log10(power / 32_768**2) - 20))
    assert share(noisy, 0.01, wave) > 0.95


def test_speech_is_none() -> None:
    assert np.mean([share(line(said.wave)) for said in sentences()]) < 0.08


def test_noise_and_silence_are_none() -> None:
    memory = tones.scratch()
    assert not tones.is_tone(np.zeros(tones.SIZE), memory, 0.0)
    noise = hiss(80_000, -30.0)
    assert not any(tones.is_tone(noise[at : at + tones.SIZE], memory, 0.0) for at in range(0, 79_000, 160))
