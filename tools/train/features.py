"""Cepstra as Kaldi computes them, in numpy: frames of 25 ms every 10 ms, 32 mel bands between 100 and 3,700 Hz.

`conf/mfcc.conf` of the shipped model asks Vosk for the same; tests compute frames by the book. Some things are the
trainer's alone: mel filters on a stretched frequency axis (a throat of another length), other paces, and masks.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]

RATE_HZ = 8000
FRAME, SHIFT, SIZE = 200, 80, 256  # samples
BANDS = 32
LOW_HZ, HIGH_HZ = 100.0, 3700.0
LIFTER = 22.0
PREEMPHASIS = 0.97
FLOOR = float(np.finfo(np.float32).eps)


def mel(hertz: NDArray[np.float64] | float) -> NDArray[np.float64]:
    return np.asarray(1127.0 * np.log1p(np.asarray(hertz, np.float64) / 700.0))


def stretched(hertz: NDArray[np.float64], warp: float) -> NDArray[np.float64]:
    """`hertz` times `warp` up to a bend, then straight to the top, which stays: nothing leaves the band."""
    bend = 0.8 * HIGH_HZ / max(warp, 1.0)
    slope = (HIGH_HZ - warp * bend) / (HIGH_HZ - bend)
    return np.where(hertz < bend, hertz * warp, HIGH_HZ + slope * (hertz - HIGH_HZ))


@lru_cache(maxsize=64)
def bank(warp: float = 1.0) -> Matrix:
    """Mel filters (SIZE // 2 bins, BANDS); with `warp` above 1 each band listens higher: a shorter throat's sounds."""
    bins = np.arange(SIZE // 2) * RATE_HZ / SIZE
    heard = mel(bins if warp == 1.0 else stretched(bins, 1.0 / warp))
    edges = np.linspace(mel(LOW_HZ), mel(HIGH_HZ), BANDS + 2)
    rising = (heard[:, None] - edges[None, :-2]) / (edges[1] - edges[0])
    return np.asarray(np.maximum(0.0, np.minimum(rising, 2.0 - rising)), np.float32)


@lru_cache(maxsize=1)
def _cosines() -> Matrix:
    """(BANDS, BANDS): log mel energies to liftered cepstra."""
    order = np.arange(BANDS)
    matrix = np.sqrt(2.0 / BANDS) * np.cos(np.pi / BANDS * (order[:, None] + 0.5) * order[None, :])
    matrix[:, 0] = np.sqrt(1.0 / BANDS)
    return np.asarray(matrix * (1.0 + 0.5 * LIFTER * np.sin(np.pi * order / LIFTER)), np.float32)


@lru_cache(maxsize=1)
def _window() -> Matrix:
    return np.asarray((0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / (FRAME - 1))) ** 0.85, np.float32)


def log_mel(samples: NDArray[np.float32], warp: float = 1.0) -> Matrix:
    """(frames, BANDS) of `samples`, floats of full scale 1 at 8 kHz; frames that don't fit are left out."""
    if len(samples) < FRAME:
        return np.zeros((0, BANDS), np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(samples, FRAME)[::SHIFT] * np.float32(32768)
    frames = frames - frames.mean(1, keepdims=True)
    padded = np.zeros((len(frames), SIZE), np.float32)
    padded[:, 1:FRAME] = frames[:, 1:] - PREEMPHASIS * frames[:, :-1]
    padded[:, 0] = frames[:, 0] * (1 - PREEMPHASIS)
    padded[:, :FRAME] *= _window()
    spectrum = np.fft.rfft(padded, axis=1)[:, :-1]
    power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
    return np.asarray(np.log(np.maximum(power @ bank(warp), FLOOR)), np.float32)


def cepstra(energies: Matrix) -> Matrix:
    """(frames, BANDS) of log mel energies to (frames, BANDS) of cepstra."""
    return energies @ _cosines()


def masked(energies: Matrix, chance: np.random.Generator) -> Matrix:
    """Up to two strips of bands and two of frames replaced by their means: what is covered must not be relied upon."""
    energies = energies.copy()
    mean = energies.mean(0)
    for _ in range(int(chance.integers(0, 3))):
        width = int(chance.integers(1, 6))
        low = int(chance.integers(0, BANDS - width))
        energies[:, low : low + width] = mean[low : low + width]
    for _ in range(int(chance.integers(0, 3))):
        width = int(chance.integers(1, 8))
        low = int(chance.integers(0, max(1, len(energies) - width)))
        energies[low : low + width] = mean
    return energies


def paced(energies: Matrix, chance: np.random.Generator) -> Matrix:
    """Said at another pace, pitch and throat unchanged: 0.75 to 1.5 times as long, some parts more so than others.
    People say a word alone more slowly, and less evenly, than synthetic voices do."""
    count = len(energies)
    if count < 2:
        return energies
    length = max(2, round(count * float(np.exp(chance.uniform(np.log(0.75), np.log(1.5))))))
    knots = np.exp(chance.uniform(-0.3, 0.3, max(2, count // 20)))
    steps = np.interp(np.linspace(0, len(knots) - 1, length - 1), np.arange(len(knots)), knots)
    at = np.concatenate([[0.0], np.cumsum(steps)])
    at *= (count - 1) / at[-1]
    low = np.minimum(at.astype(int), count - 2)
    part = (at - low)[:, None].astype(np.float32)
    return np.asarray(energies[low] * (1 - part) + energies[low + 1] * part, np.float32)


def bent(energies: Matrix, chance: np.random.Generator) -> Matrix:
    """Formants moved each its own way, by up to a band and a half: throats differ in more than their length."""
    place = np.arange(BANDS) / (BANDS - 1)
    moved = chance.uniform(-1, 1) * np.sin(np.pi * place) + chance.uniform(-0.6, 0.6) * np.sin(2 * np.pi * place)
    at = np.clip(np.arange(BANDS) + moved, 0, BANDS - 1)
    low = np.minimum(at.astype(int), BANDS - 2)
    part = (at - low).astype(np.float32)
    return np.asarray(energies[:, low] * (1 - part) + energies[:, low + 1] * part, np.float32)
