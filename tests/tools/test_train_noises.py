"""Noises of the trainer: what they sound like in numbers, and that a seed is a noise."""

from __future__ import annotations

import numpy as np
import pytest

from tools.train import noises

SECONDS = 6
COUNT = SECONDS * noises.RATE_HZ
EVERY = [*noises.STEADY, *noises.TRANSIENT]


def frame_levels(sound: noises.Samples) -> np.ndarray:
    return np.sqrt((sound.reshape(-1, 160).astype(np.float64) ** 2).mean(1))


@pytest.mark.parametrize("kind", EVERY)
@pytest.mark.parametrize("seed", range(3))
def test_every_noise_is_whole_and_of_level_one(kind: str, seed: int) -> None:
    sound = noises.make(kind, COUNT, np.random.default_rng(seed))
    assert sound.shape == (COUNT,) and sound.dtype == np.float32
    assert np.isfinite(sound).all()
    assert np.sqrt((sound.astype(np.float64) ** 2).mean()) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("kind", EVERY)
def test_a_seed_is_a_noise(kind: str) -> None:
    first, again, other = (noises.make(kind, COUNT, np.random.default_rng(seed)) for seed in (4, 4, 5))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("kind", noises.TRANSIENT)
def test_what_strikes_leaves_pauses(kind: str) -> None:
    levels = np.concatenate([frame_levels(noises.make(kind, COUNT, np.random.default_rng(seed))) for seed in range(4)])
    assert np.quantile(levels, 0.98) > 4 * np.quantile(levels, 0.1)


@pytest.mark.parametrize("kind", ["pink", "white", "brown", "fan"])
def test_what_is_steady_goes_on(kind: str) -> None:
    levels = frame_levels(noises.make(kind, COUNT, np.random.default_rng(1)))
    assert np.quantile(levels, 0.9) < 3 * np.quantile(levels, 0.1)


def slope_db(kind: str) -> float:
    """How much louder the octave around 250 Hz is than the one around 2 kHz, per hertz."""
    power = np.abs(np.fft.rfft(noises.make(kind, COUNT, np.random.default_rng(8)))) ** 2
    hertz = np.fft.rfftfreq(COUNT, 1 / noises.RATE_HZ)
    low, high = (power[(hertz > centre / 1.4) & (hertz < centre * 1.4)].mean() for centre in (250, 2000))
    return float(10 * np.log10(low / high))


def test_colours() -> None:
    assert slope_db("white") == pytest.approx(0, abs=1)
    assert slope_db("pink") == pytest.approx(9, abs=1.5)
    assert slope_db("brown") == pytest.approx(18, abs=2.5)


def test_hum_is_of_the_mains() -> None:
    power = np.abs(np.fft.rfft(noises.make("hum", COUNT, np.random.default_rng(3))))
    base = np.fft.rfftfreq(COUNT, 1 / noises.RATE_HZ)[int(np.argmax(power[: 70 * SECONDS]))]
    assert base in (50.0, 60.0)


def test_no_such_noise() -> None:
    with pytest.raises(KeyError):
        noises.make("thunder", COUNT, np.random.default_rng(1))
