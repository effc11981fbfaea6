"""Recordings measured, trimmed and levelled."""

from __future__ import annotations

import numpy as np
import pytest

from engine.media import voice


def speech(rate: int, seconds: float, dbfs: float, seed: int = 1) -> voice.Signal:
    """Noise in syllables: 150 ms loud, 100 ms 20 dB softer; `dbfs` is the level of the loud parts."""
    draw = np.random.default_rng(seed)
    place = np.arange(round(rate * seconds)) / rate
    loud = np.where(place % 0.25 < 0.15, 1.0, 0.1)
    noise = draw.normal(size=place.size)
    smooth = np.convolve(noise, np.ones(max(1, rate // 4_000)), "same")
    smooth /= np.sqrt(np.mean(smooth**2))
    return smooth * loud * 10 ** (dbfs / 20)


def padded(signal: voice.Signal, rate: int, before: float, after: float) -> voice.Signal:
    return np.concatenate([np.zeros(round(rate * before)), signal, np.zeros(round(rate * after))])


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 44_100, 48_000])
@pytest.mark.parametrize("dbfs", [-45.0, -30.0, -20.0])
def test_any_rate_and_level_comes_out_alike(rate: int, dbfs: float) -> None:
    signal = padded(speech(rate, 1.5, dbfs), rate, 0.8, 1.1)
    before, out = voice.measure(signal, rate), voice.finish(signal, rate)
    after = voice.measure(out / 32_768, voice.RATE)
    assert 780 <= before.lead_ms <= 810 and 1_080 <= before.tail_ms <= 1_220
    assert after.lead_ms <= 60 and after.tail_ms <= 230
    assert abs(out.size / voice.RATE - 1.5 - 0.16) < 0.12
    # peaks are never lifted beyond −1 dBFS, so a peaky voice may stay a little softer
    assert -26 < after.active_dbfs < -18 and after.peak_dbfs < -0.3
    assert after.clipped_ms == 0


def test_what_is_fine_needs_nothing() -> None:
    good = padded(speech(8_000, 1.0, -18.0), 8_000, 0.1, 0.2)
    assert voice.measure(good, 8_000).fine()
    assert not voice.measure(good * 0.6, 8_000).fine()
    assert not voice.measure(padded(good, 8_000, 1.0, 0.0), 8_000).fine()
    assert not voice.measure(padded(good, 8_000, 0.0, 2.0), 8_000).fine()


def test_silence_stays_silence() -> None:
    for quiet in (np.zeros(8_000), np.zeros(3), np.random.default_rng(1).normal(size=8_000) * 1e-4):
        found = voice.measure(quiet, 8_000)
        assert found.silent()
        out = voice.finish(quiet, 8_000)
        assert out.size == quiet.size and np.abs(out).max(initial=0) < 32
    assert voice.measure(np.zeros(0), 8_000).silent()


def test_clipping_is_flat_tops_not_loud_peaks() -> None:
    rate = 16_000
    loud = speech(rate, 1.0, -6.0)
    assert voice.measure(np.clip(loud, -1, 1), rate).clipped_ms > 3
    assert voice.measure(np.clip(loud, -0.5, 0.5), rate).clipped_ms == 0  # a limiter far below full scale
    assert voice.measure(loud / np.abs(loud).max(), rate).clipped_ms == 0
    sine = np.sin(2 * np.pi * 300 * np.arange(rate) / rate)
    assert voice.measure(sine, rate).clipped_ms == 0
    assert voice.measure(np.clip(sine * 1.5, -1, 1), rate).clipped_ms > 100
    assert voice.measure(sine * 1.5, rate).clipped_ms > 100  # decoded beyond full scale


def test_edges_are_faded() -> None:
    out = voice.finish(np.full(8_000, 0.2), 8_000)
    assert abs(int(out[0])) < 50 and abs(int(out[-1])) < 50
