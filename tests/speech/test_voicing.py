"""Voicing: a voice sings in most of its frames; what is struck, blown, ground or hummed hardly ever does."""

from __future__ import annotations

import numpy as np
import pytest

from engine.speech import noises, voicing
from tests.speech.talk import Wave, hiss, line, sentences
from tools import disturbances


def share(wave: Wave, loud: float = 0.0) -> float:
    """How many of the loud frames sing."""
    memory, found = voicing.scratch(), []
    for end in range(voicing.SIZE, wave.size, 160):
        if np.sqrt(np.mean(wave[end - 160 : end] ** 2)) >= loud:
            found.append(bool(voicing.sings(wave[end - voicing.SIZE : end], memory)))
    assert len(found) >= 20
    return float(np.mean(found))


def at(dbfs: float) -> float:
    return float(10 ** (dbfs / 20) * 32_768)


def test_a_voice_sings() -> None:
    for number, said in enumerate(sentences(8)):
        quiet = line(said.wave).astype(np.float64)
        assert share(quiet, at(-30.0)) > 0.8
        noisy = line(said.wave + hiss(said.wave.size, -37.0, number)).astype(np.float64)
        assert share(noisy, at(-30.0)) > 0.75


def through_a_telephone(wave: Wave) -> Wave:
    """Nothing below 300 Hz: the fundamental is gone."""
    spectrum = np.fft.rfft(wave)
    hz = np.fft.rfftfreq(wave.size, 1 / 8_000)
    return np.asarray(np.fft.irfft(np.where((hz > 300) & (hz < 3_400), spectrum, 0), wave.size))


def test_a_voice_whose_fundamental_does_not_come_through_sings_too() -> None:
    for said in sentences(8):
        assert share(through_a_telephone(said.wave), at(-30.0)) > 0.7


@pytest.mark.parametrize("hertz", [70, 110, 180, 260, 390])
def test_every_pitch_of_a_voice_is_one(hertz: int) -> None:
    span = np.arange(16_000) / 8_000
    steps = range(1, 1 + 3_400 // hertz)
    wave = sum(np.sin(2 * np.pi * hertz * step * span + step * step) / step**0.5 for step in steps)
    assert share(np.asarray(wave) * 3_000) > 0.95


@pytest.mark.parametrize(("name", "most"), [
    ("dishes", 0.15), ("glasses", 0.02), ("mouth", 0.05), ("breath", 0.1), ("comfort noise", 0.1), ("diesel", 0.15),
])  # fmt: skip
def test_what_is_no_voice_hardly_does(name: str, most: float) -> None:
    wave = disturbances.make(name, 160_000, 11)
    assert share(line(wave).astype(np.float64), at(-50.0)) < most


@pytest.mark.parametrize("kind", ["white", "pink", "keyboard", "engine", "street"])
def test_nor_do_a_corpuss_noises(kind: str) -> None:
    wave = noises.make(kind, 160_000, 4).astype(np.float64) * at(-35.0)
    assert share(line(wave).astype(np.float64), at(-50.0)) < 0.1


@pytest.mark.parametrize("hertz", [16, 25, 50])
def test_hum_and_rumble_change_slowly_and_do_not_sing(hertz: int) -> None:
    wave = np.sin(2 * np.pi * hertz * np.arange(16_000) / 8_000) * 4_000 + hiss(16_000, -60.0)
    assert share(wave) < 0.02


def test_silence_does_not() -> None:
    assert voicing.pitch(np.zeros(voicing.SIZE), voicing.scratch()) == (0.0, 1.0)
    assert not voicing.sings(np.zeros(voicing.SIZE), voicing.scratch())
