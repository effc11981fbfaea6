"""Between 8 and 16 kHz: what passes, what must not, and nothing added."""

from __future__ import annotations

import numpy as np
import pytest

from engine.media import halves


def halved(samples: np.ndarray) -> np.ndarray:
    state = np.zeros(halves.FIELDS, np.int64)
    pairs = samples.reshape(-1, 2).tolist()
    return np.array([halves.halve(state, earlier, later) for earlier, later in pairs])


def doubled(samples: np.ndarray) -> np.ndarray:
    state = np.zeros(halves.FIELDS, np.int64)
    return np.array([halves.double(state, sample) for sample in samples.tolist()]).reshape(-1)


def sine(hertz: float, rate: int, peak: float = 10_000.0) -> np.ndarray:
    return np.rint(peak * np.sin(2 * np.pi * hertz * np.arange(rate) / rate)).astype(np.int64)


def level_db(samples: np.ndarray, peak: float = 10_000.0) -> float:
    return float(20 * np.log10(np.sqrt((samples[400:-400].astype(float) ** 2).mean()) * np.sqrt(2) / peak + 1e-9))


@pytest.mark.parametrize("hertz", [50, 300, 1_000, 2_500, 3_400])
def test_what_a_telephone_carries_passes_both_ways(hertz: int) -> None:
    assert abs(level_db(halved(sine(hertz, 16_000)))) < 0.2
    assert abs(level_db(doubled(sine(hertz, 8_000)))) < 0.2


@pytest.mark.parametrize("hertz", [4_700, 5_500, 7_000])
def test_what_would_fold_back_is_gone(hertz: int) -> None:
    assert level_db(halved(sine(hertz, 16_000))) < -45


@pytest.mark.parametrize("hertz", [300, 1_000, 3_000])
def test_no_image_above_4_khz(hertz: int) -> None:
    spectrum = np.abs(np.fft.rfft(doubled(sine(hertz, 8_000))[800:8_800] * np.hanning(8_000)))
    assert 20 * np.log10(spectrum[2_100:].max() / spectrum.max()) < -45


def test_there_and_back() -> None:
    voice = sine(700, 8_000) + sine(2_100, 8_000, 3_000.0)
    again = halved(doubled(voice))
    best = min(np.abs(again[400:-400] - np.roll(voice, delay)[400:-400]).max() for delay in range(40))
    assert best < 150


def test_full_scale_is_clipped_and_never_wraps() -> None:
    square = np.where(np.arange(4_000) // 20 % 2, 32_767, -32_768)
    for heard in (halved(square), doubled(square)):
        assert heard.max() <= 32_767 and heard.min() >= -32_768
        assert heard.max() == 32_767
