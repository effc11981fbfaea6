"""Cepstra by the book: one frame computed the slow way, and what the trainer alone does to them."""

from __future__ import annotations

import cmath
import math

import numpy as np
import pytest

from tools.train import features

SOUND = (np.random.default_rng(3).normal(0, 0.05, 4000) + 0.2 * np.sin(np.arange(4000) * 0.7)).astype(np.float32)


def slow_cepstra(frame: list[float]) -> list[float]:
    """Kaldi's definition, written out: offset, pre-emphasis, Povey's window, power, mel, logarithm, cosines, lifter."""
    mean = sum(frame) / len(frame)
    level = [sample - mean for sample in frame]
    raised = [level[0] * 0.03] + [level[n] - 0.97 * level[n - 1] for n in range(1, 200)]
    shaped = [each * (0.5 - 0.5 * math.cos(2 * math.pi * n / 199)) ** 0.85 for n, each in enumerate(raised)]
    power = [
        abs(sum(each * cmath.exp(-2j * math.pi * n * k / 256) for n, each in enumerate(shaped))) ** 2
        for k in range(128)
    ]

    def mel(hertz: float) -> float:
        return 1127 * math.log(1 + hertz / 700)

    step = (mel(3700) - mel(100)) / 33
    logs = []
    for band in range(32):
        left, centre, right = (mel(100) + (band + n) * step for n in range(3))
        total = 0.0
        for k in range(128):
            at = mel(k * 31.25)
            if left < at < right:
                total += power[k] * ((at - left) / step if at <= centre else (right - at) / step)
        logs.append(math.log(total))
    found = []
    for order in range(32):
        scale = math.sqrt((1 if order == 0 else 2) / 32)
        total = sum(each * math.cos(math.pi / 32 * (band + 0.5) * order) for band, each in enumerate(logs))
        found.append(scale * total * (1 + 11 * math.sin(math.pi * order / 22)))
    return found


@pytest.mark.parametrize("frame", [0, 7, 46])
def test_a_frame_by_the_book(frame: int) -> None:
    start = frame * features.SHIFT
    expected = slow_cepstra([float(sample) * 32768 for sample in SOUND[start : start + features.FRAME]])
    found = features.cepstra(features.log_mel(SOUND))[frame]
    assert found == pytest.approx(expected, abs=2e-2)


def test_frames_that_do_not_fit_are_left_out() -> None:
    assert len(features.log_mel(SOUND)) == 1 + (4000 - 200) // 80
    assert features.log_mel(SOUND[:199]).shape == (0, features.BANDS)


def test_a_shorter_throat_moves_tones_to_lower_bands() -> None:
    time = np.arange(4000) / features.RATE_HZ
    tone = (0.3 * np.sin(2 * np.pi * 1500 * time)).astype(np.float32)
    peak = {warp: int(features.log_mel(tone, warp).mean(0).argmax()) for warp in (0.8, 1.0, 1.25)}
    assert peak[0.8] > peak[1.0] > peak[1.25]


@pytest.mark.parametrize("warp", [0.8, 0.9, 1.0, 1.1, 1.25])
def test_a_stretched_axis_stays_in_its_band(warp: float) -> None:
    hertz = np.linspace(0, features.HIGH_HZ, 500)
    moved = features.stretched(hertz, warp)
    assert (np.diff(moved) > 0).all()
    assert moved[0] == 0 and moved[-1] == pytest.approx(features.HIGH_HZ)


def test_masks_cover_with_the_mean_and_are_drawn() -> None:
    energies = features.log_mel(SOUND)
    covered = [features.masked(energies, np.random.default_rng(seed)) for seed in range(20)]
    assert any(not np.array_equal(each, energies) for each in covered)
    assert np.array_equal(covered[3], features.masked(energies, np.random.default_rng(3)))
    for each in covered:
        changed = each != energies
        assert np.array_equal(each[changed], np.broadcast_to(energies.mean(0), each.shape)[changed])


def ramp(frames: int) -> features.Matrix:
    """Every frame tells its time, every band its number."""
    return (np.arange(frames)[:, None] + 1000 * np.arange(features.BANDS)[None, :]).astype(np.float32)


def test_another_pace_keeps_the_order_and_both_ends() -> None:
    chance, lengths = np.random.default_rng(5), []
    for _ in range(60):
        found = features.paced(ramp(90), chance)
        lengths.append(len(found))
        times = found[:, 0]
        assert times[0] == 0 and times[-1] == pytest.approx(89, abs=1e-3) and (np.diff(times) > 0).all()
        assert found[:, 7] == pytest.approx(times + 7000, abs=0.01), "all bands are moved together"
        assert np.diff(times).max() > 1.1 * np.diff(times).min(), "some parts are slower than others"
    assert 67 <= min(lengths) < 75 and 120 < max(lengths) <= 135
    assert len(features.paced(ramp(1), chance)) == 1


def test_formants_move_by_a_band_and_a_half_at_most_and_keep_their_order() -> None:
    chance = np.random.default_rng(6)
    moved = np.stack([features.bent(ramp(1), chance)[0] / 1000 - np.arange(features.BANDS) for _ in range(200)])
    assert 0.9 < np.abs(moved).max() < 1.6
    assert (np.diff(moved + np.arange(features.BANDS), axis=1) > 0).all()
    assert np.abs(moved[:, [0, -1]]).max() < 0.01, "the edges of the line stay"
