"""Does it sing? What tells a voice from a cup, a key, a breath or a motor: it repeats itself in the low band.

The vocal cords' pulses come 65 to 400 times a second, and their first resonance lies below 900 Hz. What is struck rings
above that or dies at once; breath and hiss repeat nothing; motors and wheels turn more slowly. So the low band is cut
out, and looked at for a period. What only changes slowly (hum, wind, rumble) resembles itself at every short lag: a
period counts only behind a lag at which the sound has been unlike itself.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.jit import kernel

_TAPS = 25  # of the low-pass: -6 dB at 900 Hz
_CUT_HZ = 900.0
_RATE_HZ = 8_000
_STEP = 2  # only every other sample of the low band is looked at
_WINDOW = 64  # of those: 32 ms …
_SHORT, _LONG = 10, 62  # … against those one period before: 400 to 65 Hz
_POLE = 0.73  # of the high-pass, taken twice: -6 dB at 200 Hz
_NEAR = 4  # lag from which on a dip is looked for
_DIP = 0.3  # how like itself a sound may be there at most
SIZE = _STEP * (_WINDOW + _LONG) + _TAPS - 1  # samples that are looked at: 34 ms and a period

_PERIODIC = 0.6
_LOW_SHARE = 0.2  # of the power that lies in the low band

Scratch = npt.NDArray[np.float64]


def scratch() -> Scratch:
    """Memory for `sings`: float64[2, SIZE], the low-pass in its first row."""
    memory = np.zeros((2, SIZE))
    place = np.arange(_TAPS) - _TAPS // 2
    taps = np.sinc(2 * _CUT_HZ / _RATE_HZ * place) * np.hamming(_TAPS)
    memory[0, :_TAPS] = taps / taps.sum()
    return memory


@kernel
def sings(samples: Any, memory: Any) -> bool:
    """Is there a voice's pitch in the newest SIZE of `samples`?"""
    period, low_share = pitch(samples, memory)
    return period > _PERIODIC and low_share > _LOW_SHARE


@kernel
def pitch(samples: Any, memory: Any) -> tuple[float, float]:
    """(how well the newest 32 ms repeat those one period before, 0 … 1; the low band's share of their power)."""
    low, count = memory[1], _WINDOW + _LONG
    first = samples.shape[0] - SIZE
    for place in range(count):
        total = 0.0
        for tap in range(_TAPS):
            total += memory[0, tap] * samples[first + _STEP * place + tap]
        low[place] = total
    for _ in range(2):
        before, out = low[0], 0.0
        for place in range(count):
            here = low[place]
            out = here - before + _POLE * out
            before, low[place] = here, out
    whole, here_power = 1.0, 1.0
    for index in range(count - _WINDOW, count):
        here_power += low[index] * low[index]
        for each in range(_STEP):
            sample = samples[first + _STEP * index + _TAPS // 2 + each]
            whole += sample * sample / _STEP
    best, dipped = 0.0, False
    for lag in range(_NEAR, _LONG + 1):
        product, there_power = 0.0, 1.0
        for index in range(count - _WINDOW, count):
            product += low[index] * low[index - lag]
            there_power += low[index - lag] * low[index - lag]
        alike = product / math.sqrt(here_power * there_power)
        dipped = dipped or alike < _DIP
        if dipped and lag >= _SHORT and alike > best:
            best = alike
    return best, here_power / whole
