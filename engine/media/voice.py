"""A recorded voice as a prompt: measured, trimmed and levelled. Pure numpy, done once for a recording.

Signals are mono float64 in [-1, 1]. Levels are dBFS; the active level is that of the frames in which somebody speaks
(in the spirit of ITU-T P.56, without its hangover).
"""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

from engine.media.resample import resample

RATE = 8_000
ACTIVE_DBFS = -20.0  # what a listener at a telephone takes for a normal voice; the stock prompts have it
PEAK_DBFS = -1.0  # no gain lifts a peak above
GAIN_DB_MAX = 30.0  # beyond, it would be noise that is lifted
LEAD_MS, TAIL_MS, FADE_MS = 40, 120, 5
SILENT_DBFS = -50.0  # whose loudest frame is below that can't be heard on a line
# what is near enough isn't touched, so that a recording made with care stays what it is
_NEAR_DB, _LEAD_MS_MAX, _TAIL_MS_MAX = 2.0, 300, 600
_ACTIVE_RANGE_DB, _TRIM_RANGE_DB = 25.0, 40.0
_FLAT = 1.5 / 32_768  # samples so near to the peak lie on it

Signal = npt.NDArray[np.float64]
Samples = npt.NDArray[np.int16]


class Measured(msgspec.Struct, frozen=True):
    """Levels in dBFS, silence before and after the voice, and the time that lies flat at full scale, in ms."""

    active_dbfs: float
    peak_dbfs: float
    lead_ms: int
    tail_ms: int
    clipped_ms: float
    duration_ms: int

    def silent(self) -> bool:
        """Nothing that could be heard."""
        return self.active_dbfs < SILENT_DBFS

    def gain_db(self) -> float:
        """What it takes to the usual level without lifting a peak too high."""
        return min(ACTIVE_DBFS - self.active_dbfs, PEAK_DBFS - self.peak_dbfs, GAIN_DB_MAX)

    def fine(self) -> bool:
        """Needs neither trimming nor levelling."""
        return abs(self.gain_db()) <= _NEAR_DB and self.lead_ms <= _LEAD_MS_MAX and self.tail_ms <= _TAIL_MS_MAX


def measure(signal: Signal, rate: int) -> Measured:
    """Levels and edges of a signal."""
    levels = _frame_levels(signal, rate)
    duration = signal.size * 1_000 // rate
    if not levels.size:
        return Measured(-120.0, -120.0, 0, 0, 0.0, duration)
    speech = levels[levels > levels.max() - _ACTIVE_RANGE_DB]
    first, last = _edges(levels)
    peak = float(np.abs(signal).max())
    return Measured(
        float(10 * np.log10(np.mean(10 ** (speech / 10)))), float(20 * np.log10(peak + 1e-6)), first * 10,
        max(0, duration - last * 10), _flat(signal, peak) * 1_000 / rate, duration,
    )  # fmt: skip


def finish(signal: Signal, rate: int) -> Samples:
    """The prompt as the media plane plays it: 8 kHz, trimmed, faded at its edges, levelled."""
    found = measure(signal, rate)
    if found.silent():
        return convert(signal, rate)
    levels = _frame_levels(signal, rate)
    first, last = _edges(levels)
    start = max(0, first * rate // 100 - rate * LEAD_MS // 1_000)
    cut = signal[start : last * rate // 100 + rate * TAIL_MS // 1_000].copy()
    fade = np.linspace(0, 1, max(1, rate * FADE_MS // 1_000))[: cut.size]
    cut[: fade.size] *= fade
    cut[cut.size - fade.size :] *= fade[::-1]
    return convert(cut * 10 ** (found.gain_db() / 20), rate)


def convert(signal: Signal, rate: int) -> Samples:
    """At 8 kHz in 16 bits, otherwise as it is."""
    return resample(np.clip(np.rint(signal * 32_768), -32_768, 32_767).astype(np.int16), rate, RATE)


def _frame_levels(signal: Signal, rate: int) -> Signal:
    """RMS in dBFS of each 10 ms."""
    size = max(1, rate // 100)
    frames = signal[: signal.size // size * size].reshape(-1, size)
    levels: Signal = 10 * np.log10(np.mean(frames**2, axis=1) + 1e-12)
    return levels


def _edges(levels: Signal) -> tuple[int, int]:
    """The first frame of the voice and the one after its last."""
    loud = np.flatnonzero(levels > levels.max() - _TRIM_RANGE_DB)
    return int(loud[0]), int(loud[-1]) + 1


def _flat(signal: Signal, peak: float) -> int:
    """How many samples lie in runs of three and more at a peak near full scale, or beyond it."""
    beyond = int(np.count_nonzero(np.abs(signal) > 1.0 + _FLAT))
    if peak < 10 ** (PEAK_DBFS / 20):
        return beyond
    total = beyond
    for side in (signal, -signal):
        at_top = np.concatenate([[0], (side >= peak - _FLAT).astype(np.int8), [0]])
        turns = np.flatnonzero(np.diff(at_top))
        runs = turns[1::2] - turns[::2]
        total += int(runs[runs >= 3].sum())
    return total
