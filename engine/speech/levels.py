"""How loud: a frame's level, the line's noise under it, and the talker's own speech. Kernels, over one small array.

Levels are dBFS (0 is a square wave at full scale), behind a high-pass that leaves hum, breath and bumps outside. The
noise floor is the 10th percentile of the last two seconds, so that whoever speaks doesn't lift it; until half a second
was heard it is the quietest frame, and while somebody speaks it may rise by no more than 3 dB a second: else a long
sentence would become its own noise.
"""

from __future__ import annotations

import math
from typing import Any

from engine.jit import kernel

# words of a state, float64[FIELDS]
(
    LAST_IN,
    LAST_OUT,
    HEARD,  # frames
    FLOOR,
    SPEECH,  # level of the talker's own speech, SILENT before any
    HELD,  # somebody speaks: the floor is held down
) = range(6)
_RING = 8
_FRAMES = 100
FIELDS = _RING + _FRAMES

SILENT_DBFS = -100.0
_EARLY = 25  # frames until the percentile means something
_PERCENTILE = 10
_RISE_DB = 0.06  # of a held floor, per frame
_POLE = 0.88  # of the high-pass: -3 dB at 160 Hz
_SPEECH_FALL_DB = 0.02  # per frame of speech: a talker's estimate forgets slowly


@kernel
def begin(state: Any, speech_dbfs: float) -> None:
    """A new line; `speech_dbfs`: what is known of how loud this talker is, SILENT_DBFS for nothing."""
    for word in range(FIELDS):
        state[word] = 0.0
    state[FLOOR] = SILENT_DBFS
    state[SPEECH] = speech_dbfs


@kernel
def level_dbfs(state: Any, samples: Any) -> float:
    """The level of a frame (int16 or float, any length), behind the high-pass that `state` continues."""
    before, out, total = state[LAST_IN], state[LAST_OUT], 0.0
    for index in range(samples.shape[0]):
        sample = float(samples[index])
        out = sample - before + _POLE * out
        before = sample
        total += out * out
    state[LAST_IN], state[LAST_OUT] = before, out
    power = total / samples.shape[0] / (32_768.0 * 32_768.0)
    return 10.0 * math.log10(power) if power > 1e-10 else SILENT_DBFS


@kernel
def learn(state: Any, level: float, held: bool) -> float:
    """Take a frame's level into the floor; returns the floor. `held`: somebody speaks."""
    heard = int(state[HEARD])
    state[_RING + heard % _FRAMES] = level
    state[HEARD] += 1.0
    count = min(heard + 1, _FRAMES)
    floor = _quantile(state, count, 0 if count < _EARLY else count * _PERCENTILE // 100)
    if held and floor > state[FLOOR] + _RISE_DB:
        floor = state[FLOOR] + _RISE_DB
    state[FLOOR] = floor
    return floor


@kernel
def _quantile(state: Any, count: int, rank: int) -> float:
    """The level below which `rank` of the first `count` in the ring lie."""
    low, high = SILENT_DBFS - 1.0, 1.0
    while high - low > 0.25:
        middle = (low + high) / 2.0
        below = 0
        for index in range(count):
            below += state[_RING + index] <= middle
        if below > rank:
            high = middle
        else:
            low = middle
    return high


@kernel
def learn_speech(state: Any, level: float) -> None:
    """A frame of speech: its talker's level follows the loud ones at once, and the softer ones slowly."""
    if level > state[SPEECH]:
        step = level - state[SPEECH]
        state[SPEECH] += step if state[SPEECH] <= SILENT_DBFS else 0.5 * step
    else:
        state[SPEECH] -= _SPEECH_FALL_DB
