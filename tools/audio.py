"""Studio work on prompts: resampling, trimming, levelling, WAV files. Signals are float64 arrays in [-1, 1).

Offline only: clarity over speed, numpy alone, and the same samples on every machine.
"""

from __future__ import annotations

import wave
from math import gcd
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Signal = NDArray[np.float64]

ACTIVE_DBFS = -20.0  # what a listener at a telephone takes for a normal voice
PEAK_DBFS = -3.0
LEAD_MS = 10
TAIL_MS = 60
FADE_MS = 5
_ACTIVE_RANGE_DB = 25.0  # a frame further below the loudest one is a pause, not speech


def resample(signal: Signal, rate: int, to_rate: int, *, band_hz: float | None = None) -> Signal:
    """Change the rate with a Kaiser-windowed sinc; aliases and images stay below −80 dB.

    `band_hz` is the edge of the pass band (default 0.45 of the lower rate): 3,600 Hz for an 8 kHz master.
    """
    if rate == to_rate:
        return signal.copy()
    step = gcd(rate, to_rate)
    up, down = to_rate // step, rate // step
    low = min(rate, to_rate)
    pass_hz = band_hz or 0.45 * low
    cut_hz = (pass_hz + low / 2) / 2
    half_s = 5.0 / (low / 2 - pass_hz) / 2  # Kaiser: length for 80 dB is about 5 / transition
    reach = int(np.ceil(half_s * rate))
    padded = np.concatenate([np.zeros(reach), signal, np.zeros(reach + 1)])
    count = len(signal) * up // down
    out = np.empty(count)
    offsets = np.arange(-reach, reach + 1)
    for phase in range(min(up, count)):  # outputs whose instants share one fractional part share one filter
        instants = np.arange(phase, count, up) * down
        whole, part = instants // up, (instants[0] % up) / up
        t = (offsets - part) / rate
        taps = 2 * cut_hz / rate * np.sinc(2 * cut_hz * t)
        taps *= np.i0(7.9 * np.sqrt(np.clip(1 - (t / half_s) ** 2, 0, 1))) / np.i0(7.9)
        taps /= taps.sum()
        for start in range(0, len(whole), 4096):
            block = whole[start : start + 4096]
            window = padded[block[:, None] + reach + offsets[None, :]]
            out[phase + start * up : phase + (start + len(block) - 1) * up + 1 : up] = window @ taps
    return out


def resample_loop(signal: Signal, rate: int, to_rate: int, band_hz: float) -> Signal:
    """Resample a piece that is played round and round: its end goes on into its beginning without a click."""
    around = rate // 4
    wrapped = np.concatenate([signal[-around:], signal, signal[:around]])
    drop = around * to_rate // rate
    return resample(wrapped, rate, to_rate, band_hz=band_hz)[drop:-drop]


def high_pass(signal: Signal, rate: int, edge_hz: float = 120.0) -> Signal:
    """Take rumble and DC away (linear phase): a telephone can't play it and it costs level."""
    half = int(rate / edge_hz * 2)
    t = np.arange(-half, half + 1) / rate
    taps = 2 * edge_hz / rate * np.sinc(2 * edge_hz * t) * np.blackman(2 * half + 1)
    low = np.convolve(np.pad(signal, half, mode="edge"), taps / taps.sum(), mode="valid")
    result: Signal = signal - low
    return result


def frame_levels(signal: Signal, rate: int) -> Signal:
    """RMS in dBFS of each 10 ms frame."""
    size = rate // 100
    usable = signal[: len(signal) // size * size].reshape(-1, size)
    levels: Signal = 10 * np.log10(np.mean(usable**2, axis=1) + 1e-12)
    return levels


def active_level(signal: Signal, rate: int) -> float:
    """Level in dBFS of the frames in which somebody speaks (in the spirit of ITU-T P.56, without its hangover)."""
    levels = frame_levels(signal, rate)
    if not len(levels):
        return -120.0
    speech = levels[levels > levels.max() - _ACTIVE_RANGE_DB]
    return float(10 * np.log10(np.mean(10 ** (speech / 10))))


def trim(signal: Signal, rate: int) -> Signal:
    """Cut silence before and after, leave LEAD_MS and TAIL_MS, fade the edges so that nothing clicks."""
    levels = frame_levels(signal, rate)
    loud = np.flatnonzero(levels > levels.max() - 48) if len(levels) else np.array([], dtype=int)
    if not len(loud):
        return signal[:0]
    size = rate // 100
    start = max(0, int(loud[0]) * size - rate * LEAD_MS // 1000)
    end = min(len(signal), (int(loud[-1]) + 1) * size + rate * TAIL_MS // 1000)
    cut = signal[start:end].copy()
    fade = np.linspace(0, 1, rate * FADE_MS // 1000)
    cut[: len(fade)] *= fade
    cut[-len(fade) :] *= fade[::-1]
    return cut


def level(signal: Signal, rate: int, *, active_dbfs: float = ACTIVE_DBFS) -> Signal:
    """Bring the active level to `active_dbfs`; peaks bend softly and stay below PEAK_DBFS."""
    gained = signal * 10 ** ((active_dbfs - active_level(signal, rate)) / 20)
    top = 10 ** (PEAK_DBFS / 20)
    knee = top / 2
    size = np.abs(gained)
    bent = knee + (top - knee) * np.tanh((size - knee) / (top - knee))
    result: Signal = np.where(size > knee, np.sign(gained) * bent, gained)
    return result


def pad_to(signal: Signal, rate: int, duration_ms: int) -> Signal:
    """Lengthen with silence at the end to exactly `duration_ms`; ValueError if it is longer already."""
    want = rate * duration_ms // 1000
    if len(signal) > want:
        raise ValueError(f"lasts {len(signal) * 1000 // rate} ms, more than {duration_ms} ms")
    return np.concatenate([signal, np.zeros(want - len(signal))])


def read_wav(path: Path) -> tuple[Signal, int]:
    """A WAV file's samples (first of several sides) and rate; 8 or 16 bit."""
    with wave.open(str(path), "rb") as file:
        rate, width, sides = file.getframerate(), file.getsampwidth(), file.getnchannels()
        data = file.readframes(file.getnframes())
    if width == 2:
        samples = np.frombuffer(data, "<i2").astype(np.float64) / 32768
    elif width == 1:
        samples = (np.frombuffer(data, "u1").astype(np.float64) - 128) / 128
    else:
        raise ValueError(f"{path}: {8 * width} bits per sample; 8 or 16 are read")
    return samples[::sides], rate


def write_wav(path: Path, signal: Signal, rate: int) -> None:
    """Write 16 bit mono, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = np.clip(np.round(signal * 32768), -32768, 32767).astype("<i2")
    half_done = path.with_suffix(".part")
    with wave.open(str(half_done), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    half_done.replace(path)
