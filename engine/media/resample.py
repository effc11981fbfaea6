"""Rate conversion of prompts by a windowed-sinc filter: pure numpy, done once when a clip is loaded.

The filter is a Kaiser-windowed sinc (β 10, about −100 dB in the stop band) whose pass band ends at 0.46 of the lower
rate: 3.68 kHz for 16 → 8 kHz, above a telephone line's 3.4 kHz, and nothing above 4 kHz folds back audibly.
"""

from __future__ import annotations

from math import gcd

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16]
_ZEROS = 48  # zero crossings of the sinc on each side
_BETA = 10.0
_EDGE = 0.46 * 2  # of the lower rate's half


def resample(samples: Samples, rate_from: int, rate_to: int) -> Samples:
    """`samples` at another rate; ceil(len · to / from) of them, without delay."""
    if rate_from == rate_to or samples.size == 0:
        return samples.astype(np.int16)
    common = gcd(rate_from, rate_to)
    up, down = rate_to // common, rate_from // common
    scale = min(1.0, rate_to / rate_from) * _EDGE  # cut-off, in units of the input's half rate
    reach = int(np.ceil(_ZEROS / scale))
    phases = np.arange(up)
    offsets = np.arange(-reach, reach + 1)
    # output n lies at input position n·down/up: whole part and one of `up` phases
    distance = offsets[None, :] - (phases * down % up / up)[:, None]
    window = np.kaiser(4 * reach * 64 + 1, _BETA)
    place = np.clip(distance / (reach + 1), -1, 1)
    bank = scale * np.sinc(scale * distance) * np.interp(place, np.linspace(-1, 1, window.size), window)
    bank /= bank.sum(axis=1, keepdims=True)
    padded = np.concatenate([np.zeros(reach), samples.astype(np.float64), np.zeros(reach + 1)])
    total = -(-samples.size * up // down)
    if up == 1:
        out = _filtered(padded, bank[0])[::down][:total]
    else:
        out = np.empty(total)
        windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)
        for phase in range(min(up, total)):  # every up-th output meets the same taps, `down` samples further on
            rows = windows[phase * down // up :: down][: -(-(total - phase) // up)]
            out[phase::up] = np.einsum("ij,j->i", rows, bank[phase])
    return np.clip(np.rint(out), -32_768, 32_767).astype(np.int16)


def _filtered(padded: npt.NDArray[np.float64], taps: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """out[n] = Σ padded[n + i] · taps[i], by Fourier transforms of overlapping blocks."""
    size = 1 << 16
    step = size - taps.size + 1
    spectrum = np.fft.rfft(taps[::-1], size)
    parts = []
    for first in range(0, padded.size - taps.size + 1, step):
        block = padded[first : first + size]
        part = np.fft.irfft(np.fft.rfft(block, size) * spectrum, size)[taps.size - 1 : block.size]
        parts.append(part)
    return np.concatenate(parts)
