"""Is this a tone: DTMF, ring-back, busy, a beep, the milliwatt, a fax? Their power lies in one or two narrow places.

So does that of low vowels, now and then: but a voice's two strongest partials are neighbours in a harmonic series, and
a single one is its fundamental, below 380 Hz. The tones of telephony were chosen to be neither.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.jit import kernel

SIZE = 256  # samples that are looked at: 32 ms
_BITS = 8
_HZ = 8_000 / SIZE  # of a bin
_FIRST, _LAST = 4, 122  # bins of the telephone band: 125 to 3,800 Hz
_WIDTH = 2  # bins on either side of a peak that are its own, behind a Hann window
_NARROW = 0.97  # of the power lies in a tone's peaks …
_NARROW_MIN = 0.92  # … less on a noisy line
_ALONE = 0.02  # of the first peak's power: less is no second one
_FUNDAMENTAL_HZ = (70.0, 400.0)
_SINGLE_HZ = 380.0
_HARMONIC = 0.1  # of the fundamental: how well two neighbours in a series keep their places

Scratch = npt.NDArray[np.float64]


def scratch() -> Scratch:
    """Memory for `is_tone`: float64[5, SIZE], its tables filled."""
    memory = np.zeros((5, SIZE))
    turn = 2 * np.pi * np.arange(SIZE) / SIZE
    memory[2] = 0.5 - 0.5 * np.cos(turn)
    memory[3], memory[4] = np.cos(turn), -np.sin(turn)
    return memory


@kernel
def is_tone(samples: Any, memory: Any, noise: float) -> bool:
    """Are the newest SIZE `samples` one or two steady tones? `noise`: the share of their power that the line's own
    noise has (0 … 1)."""
    real, imaginary = memory[0], memory[1]
    for index in range(SIZE):
        mirrored, rest = 0, index
        for _ in range(_BITS):
            mirrored = mirrored << 1 | rest & 1
            rest >>= 1
        real[mirrored] = float(samples[index]) * memory[2, index]
        imaginary[index] = 0.0
    _transform(real, imaginary, memory[3], memory[4])
    total = 1e-9
    for place in range(SIZE // 2):
        real[place] = real[place] * real[place] + imaginary[place] * imaginary[place]
        total += real[place] if _FIRST <= place < _LAST else 0.0
    one_hz, one = _take_peak(real)
    other_hz, other = _take_peak(real)
    if one + other < max(_NARROW - noise, _NARROW_MIN) * total:
        return False
    if other < _ALONE * one:
        return one_hz > _SINGLE_HZ
    return not _neighbours(min(one_hz, other_hz), max(one_hz, other_hz))


@kernel
def _neighbours(low_hz: float, high_hz: float) -> bool:
    """Can these be two partials in a row of one voice?"""
    fundamental = high_hz - low_hz
    if fundamental < _FUNDAMENTAL_HZ[0] or fundamental > _FUNDAMENTAL_HZ[1]:
        return False
    place = low_hz / fundamental
    return place > 0.5 and abs(place - math.floor(place + 0.5)) < _HARMONIC


@kernel
def _take_peak(power: Any) -> tuple[float, float]:
    """(frequency in Hz, power) of the highest peak, which is taken out. A parabola through the logarithms of its three
    highest bins gives the place."""
    highest = _FIRST
    for place in range(_FIRST, _LAST):
        if power[place] > power[highest]:
            highest = place
    before, here, after = (
        math.log(power[highest - 1] + 1e-9), math.log(power[highest] + 1e-9), math.log(power[highest + 1] + 1e-9)
    )
    bend = before - 2.0 * here + after
    aside = (before - after) / (2.0 * bend) if bend < -1e-9 else 0.0
    found = 0.0
    for place in range(max(_FIRST, highest - _WIDTH), min(_LAST, highest + _WIDTH + 1)):
        found += power[place]
        power[place] = 0.0
    return (highest + min(max(aside, -0.5), 0.5)) * _HZ, found


@kernel
def _transform(real: Any, imaginary: Any, cosines: Any, sines: Any) -> None:
    """A Fourier transform in place, of SIZE points in bit-reversed order."""
    half = 1
    while half < SIZE:
        step = SIZE // (2 * half)
        for first in range(0, SIZE, 2 * half):
            for index in range(half):
                one, other = first + index, first + index + half
                cosine, sine = cosines[index * step], sines[index * step]
                turned = real[other] * cosine - imaginary[other] * sine
                aside = real[other] * sine + imaginary[other] * cosine
                real[other], imaginary[other] = real[one] - turned, imaginary[one] - aside
                real[one] += turned
                imaginary[one] += aside
        half *= 2
