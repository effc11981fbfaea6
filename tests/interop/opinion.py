"""What listeners would say: MOS-LQO of speech against what was spoken, by ViSQOL (test requirement `visqol-python`).

ViSQOL in speech mode works at 16 kHz, so both signals are resampled; its deep lattice network maps similarity to
opinion as the C++ original does by default (the older exponential mapping is kinder by up to two points to bad speech).
"""

from __future__ import annotations

import functools
from typing import Any

import listening
import numpy as np
from scipy.signal import resample_poly

RATE = 16_000


@functools.cache
def _judge() -> Any:
    from visqol import VisqolApi  # slow to load, and wanted by these tests alone

    judge = VisqolApi()
    judge.create(mode="speech", use_lattice_model=True)
    return judge


def mos(spoken: listening.Samples, heard: listening.Samples) -> float:
    """MOS-LQO, 1 (bad) to 5, of `heard`; both int16 or float samples at 8 kHz. Constant delays cost nothing."""
    signals = [resample_poly(np.asarray(signal, float) / 32_768, RATE, listening.RATE) for signal in (spoken, heard)]
    return float(_judge().measure_from_arrays(*signals, RATE).moslqo)


def lined_up(spoken: listening.Samples, heard: listening.Samples) -> listening.Samples:
    """The stretch of `heard` that is `spoken`, of its length (silence where `heard` ends too early)."""
    start = max(0, round(listening.align(spoken, heard).delay_s * listening.RATE))
    stretch = heard[start : start + spoken.size]
    return np.concatenate((stretch, np.zeros(spoken.size - stretch.size, stretch.dtype)))
