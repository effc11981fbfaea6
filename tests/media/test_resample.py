"""Rate conversion: length, pass band, stop band, no delay."""

from __future__ import annotations

import numpy as np
import pytest

from engine.media.resample import resample


def sine(hertz: float, rate: int, seconds: float = 0.5, peak: float = 10_000) -> np.ndarray:
    return np.rint(peak * np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate)).astype(np.int16)


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000, 22_050, 11_025])
@pytest.mark.parametrize("hertz", [300, 1_000, 3_400])
def test_speech_passes_unchanged_and_in_time(rate: int, hertz: int) -> None:
    out = resample(sine(hertz, rate), rate, 8_000)
    wanted = sine(hertz, 8_000)
    assert out.size == wanted.size
    inner = slice(400, -400)
    error = np.abs(out[inner].astype(int) - wanted[inner])
    assert error.max() < 10_000 * 0.01


@pytest.mark.parametrize(("rate", "hertz"), [(16_000, 4_600), (16_000, 7_000), (48_000, 12_000), (44_100, 5_000)])
def test_what_would_fold_back_is_gone(rate: int, hertz: int) -> None:
    out = resample(sine(hertz, rate), rate, 8_000)[400:-400]
    assert np.abs(out).max() < 10_000 * 0.003


def test_upwards() -> None:
    out = resample(sine(1_000, 8_000), 8_000, 16_000)
    assert np.abs(out[800:-800].astype(int) - sine(1_000, 16_000)[800:-800]).max() < 100


def test_nothing_to_do() -> None:
    samples = sine(440, 8_000)
    assert np.array_equal(resample(samples, 8_000, 8_000), samples)
    assert resample(np.zeros(0, np.int16), 16_000, 8_000).size == 0


def test_a_constant_stays_constant_and_loud_input_does_not_wrap() -> None:
    out = resample(np.full(16_000, 12_345, np.int16), 16_000, 8_000)
    assert set(out[300:-300].tolist()) == {12_345}
    square = np.where(np.arange(16_000) // 40 % 2, 32_767, -32_768).astype(np.int16)
    out = resample(square, 16_000, 8_000)
    assert out.max() == 32_767 and out.min() == -32_768
