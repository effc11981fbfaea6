"""Between 8 and 16 kHz while a call runs: a half-band filter in fixed point, one direction a state.

47 taps, of which every second is nought: flat within 0.1 dB to 3.5 kHz, 60 dB down from 4.6 kHz on, and what lies
between folds back above 3.4 kHz only. A state is 48 int64 words, all zero to begin with. (`media.resample` does the
same for recordings, once and better.)
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from engine.jit import kernel

_PAIRS = 12
FIELDS = 4 * _PAIRS
_ONE = 1 << 16
_BETA = 5.0


def _taps() -> npt.NDArray[np.int64]:
    """The taps on one side of the middle one, which is a half: at odd distances, adding up to a quarter."""
    distance = 2 * np.arange(_PAIRS) + 1
    window = np.i0(_BETA * np.sqrt(1 - (distance / (2 * _PAIRS)) ** 2)) / np.i0(_BETA)
    taps = np.rint(_ONE * 0.5 * np.sinc(distance / 2) * window).astype(np.int64)
    taps[0] += _ONE // 4 - taps.sum()
    return taps


_TAPS = _taps()


@kernel
def _clip(number: int) -> int:
    return min(max(number, -32_768), 32_767)


@kernel
def halve(state: Any, earlier: int, later: int) -> int:
    """The next sample at 8 kHz, of the next two at 16 kHz."""
    for index in range(FIELDS - 2):
        state[index] = state[index + 2]
    state[FIELDS - 2], state[FIELDS - 1] = earlier, later
    middle = FIELDS // 2
    total = state[middle] * (_ONE // 2)
    for pair in range(_PAIRS):
        total += _TAPS[pair] * (state[middle - 1 - 2 * pair] + state[middle + 1 + 2 * pair])
    return _clip((total + _ONE // 2) >> 16)


@kernel
def double(state: Any, sample: int) -> tuple[int, int]:
    """The next two samples at 16 kHz, of the next one at 8 kHz."""
    for index in range(2 * _PAIRS - 1):
        state[index] = state[index + 1]
    state[2 * _PAIRS - 1] = sample
    between = 0
    for pair in range(_PAIRS):
        between += _TAPS[pair] * (state[_PAIRS - 1 - pair] + state[_PAIRS + pair])
    return state[_PAIRS - 1], _clip((between + _ONE // 4) >> 15)
