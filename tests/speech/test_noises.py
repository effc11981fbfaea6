"""Noises: each its own, the same from the same seed, and of the loudness that is asked for."""

from __future__ import annotations

import numpy as np
import pytest

from engine.speech import noises


def flatness(sound: noises.Sound) -> float:
    """Loudest 20 ms against the mean: high for what strikes, low for what hisses."""
    frames = sound[: sound.size // 160 * 160].reshape(-1, 160).astype(np.float64)
    power = np.sqrt(np.mean(frames**2, axis=1))
    return float(power.max() / power.mean())


def centroid_hz(sound: noises.Sound) -> float:
    spectrum = np.abs(np.fft.rfft(sound))
    hz = np.fft.rfftfreq(sound.size, 1 / 8_000)
    return float((spectrum * hz).sum() / spectrum.sum())


@pytest.mark.parametrize("kind", noises.KINDS)
def test_a_noise_is_seeded_and_of_unit_power(kind: str) -> None:
    first, again, other = (noises.make(kind, 24_000, seed) for seed in (1, 1, 2))
    assert first.dtype == np.float32 and first.size == 24_000
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert np.sqrt(np.mean(first.astype(np.float64) ** 2)) == pytest.approx(1.0, abs=1e-3)
    assert np.isfinite(first).all()


@pytest.mark.parametrize("kind", noises.KINDS)
@pytest.mark.parametrize("samples", [0, 1, 159, 161])
def test_any_length_can_be_had(kind: str, samples: int) -> None:
    made = noises.make(kind, samples, 3)
    assert made.size == samples and np.isfinite(made).all()


def test_they_sound_like_what_they_are_called() -> None:
    made = {kind: noises.make(kind, 40_000, 5) for kind in noises.KINDS}
    assert min(flatness(made[kind]) for kind in ("household", "keyboard")) > 2 * flatness(made["pink"])
    assert centroid_hz(made["engine"]) < centroid_hz(made["pink"]) < centroid_hz(made["white"])
    assert centroid_hz(made["household"]) > centroid_hz(made["street"])
    pairs = [abs(float(np.corrcoef(made[a], made[b])[0, 1])) for a in made for b in made if a < b]
    assert max(pairs) < 0.2


def test_an_unknown_noise_is_refused() -> None:
    with pytest.raises(KeyError):
        noises.make("brown", 100, 1)
