"""What a test call sends and what it reads out of what comes back: levels, echo, delay, tones. 8 kHz int16 samples.

Levels are in dBm0: a sine that just reaches the end of G.711's range has +3.17 dBm0 (ITU-T G.711 table 2a).
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from engine.rtp.events import DIGITS

Samples = npt.NDArray[np.int16]
Floats = npt.NDArray[np.float64]

RATE = 8_000
ZERO_DBM0 = 32_124 / np.sqrt(2.0) / 10 ** (3.17 / 20)  # its RMS
FLOOR_DBM0 = -80.0
CLEAR = 9.0  # so many times the rest of the correlation a return must stand out
_SPREAD = 24  # samples around the strongest return that belong to it: a line's filters smear it
_LOW = np.array([697.0, 770.0, 852.0, 941.0])
_HIGH = np.array([1_209.0, 1_336.0, 1_477.0, 1_633.0])
_KEYS = ("123A", "456B", "789C", "*0#D")
_FRAME = 160


def level_dbm0(samples: Samples) -> float:
    """The mean level; FLOOR_DBM0 for silence."""
    if not samples.size:
        return FLOOR_DBM0
    rms = float(np.sqrt(np.mean(samples.astype(np.float64) ** 2)))
    return max(FLOOR_DBM0, 20 * float(np.log10(max(rms, 1e-9) / ZERO_DBM0)))


def burst(seconds: float, dbm0: float, *, seed: int = 7) -> Samples:
    """Noise of the telephone's band (300 to 3,400 Hz), the same each time: no echo canceller takes it for a tone."""
    count = int(seconds * RATE)
    spectrum = np.fft.rfft(np.random.default_rng(seed).normal(size=count))
    frequencies = np.fft.rfftfreq(count, 1 / RATE)
    spectrum[(frequencies < 300) | (frequencies > 3_400)] = 0
    noise = np.fft.irfft(spectrum, count)
    noise *= ZERO_DBM0 * 10 ** (dbm0 / 20) / np.sqrt(np.mean(noise**2))
    return np.clip(noise, -32_124, 32_124).astype(np.int16)


def returned(sent: Samples, heard: Samples) -> tuple[float, int] | None:
    """(gain in dB, delay in ms) by which `sent` is found again in `heard`; None when it isn't."""
    if heard.size < sent.size // 2:
        return None
    size = 1 << (sent.size + heard.size).bit_length()
    mine: Floats = sent.astype(np.float64)
    correlation = np.fft.irfft(
        np.fft.rfft(heard.astype(np.float64), size) * np.conj(np.fft.rfft(mine, size)), size
    )[: heard.size]  # fmt: skip
    strength = np.abs(correlation)
    peak = int(np.argmax(strength))
    first, last = max(0, peak - _SPREAD), peak + _SPREAD
    rest = np.concatenate([strength[:first], strength[last:]])
    if rest.size == 0 or strength[peak] < CLEAR * max(float(np.sqrt(np.mean(rest**2))), 1e-9):
        return None
    noise = float(np.mean(rest**2))
    energy = float(np.sum(np.maximum(strength[first:last] ** 2 - noise, 0.0)))
    gain = np.sqrt(max(energy, 1e-18)) / float(np.sum(mine**2))
    # the burst fills 300 to 3,400 Hz of 4,000: its own correlation is wider than one sample
    own = np.fft.irfft(np.abs(np.fft.rfft(mine, size)) ** 2, size)
    width = np.sqrt(float(np.sum(own[: _SPREAD] ** 2) + np.sum(own[-_SPREAD:] ** 2))) / float(np.sum(mine**2))
    return 20 * float(np.log10(max(gain / width, 1e-9))), round(peak * 1_000 / RATE)


def _power(frame: Floats, frequencies: Floats) -> Floats:
    """Share of the frame's energy at each frequency."""
    times = np.arange(frame.size) / RATE
    waves = np.exp(-2j * np.pi * frequencies[:, None] * times[None, :])
    energy = float(np.sum(frame**2)) * frame.size / 2
    return np.asarray(np.abs(waves @ frame) ** 2 / max(energy, 1e-9))


def inband_digits(heard: Samples) -> str:
    """Keys that are heard as pairs of tones (ITU-T Q.23), each once per press."""
    found, last, held = "", "", 0
    for start in range(0, heard.size - 2 * _FRAME + 1, _FRAME):
        frame = heard[start : start + 2 * _FRAME].astype(np.float64)
        key = ""
        if level_dbm0(heard[start : start + 2 * _FRAME]) > -36:
            low, high = _power(frame, _LOW), _power(frame, _HIGH)
            if low.max() + high.max() > 0.75 and min(low.max(), high.max()) > 0.1:
                key = _KEYS[int(low.argmax())][int(high.argmax())]
        held = held + 1 if key and key == last else 1
        if key and held == 2:
            found += key
        last = key
    return found


def busy_tone(heard: Samples) -> tuple[int, int, int] | None:
    """(frequency in Hz, on in ms, off in ms) of a tone that goes on and off evenly, thrice at least; None: none."""
    frames = heard[: heard.size // _FRAME * _FRAME].reshape(-1, _FRAME)
    if len(frames) < 20:
        return None
    loud = np.sqrt(np.mean(frames.astype(np.float64) ** 2, axis=1)) > ZERO_DBM0 * 10 ** (-40 / 20)
    edges = np.flatnonzero(np.diff(loud.astype(np.int8))) + 1
    runs = [(bool(loud[start]), int(end - start)) for start, end in pairwise(edges)]
    on, off = [n for high, n in runs if high], [n for high, n in runs if not high]
    if len(on) < 2 or len(off) < 2 or len(on) + len(off) < 5:
        return None
    if max(on) - min(on) > 2 or max(off) - min(off) > 2 or not 7 <= np.mean(on) <= 55 or np.mean(off) > 55:
        return None
    sound = frames[loud].ravel().astype(np.float64)
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(sound.size)))
    frequency = float(np.argmax(spectrum)) * RATE / sound.size
    return round(frequency), round(float(np.mean(on)) * 20), round(float(np.mean(off)) * 20)


def dtmf(digits: str, *, dbm0: float = -10.0, on_ms: int = 100, gap_ms: int = 80) -> Samples:
    """Keys as tones, for a gateway's line."""
    parts: list[Floats] = []
    for digit in digits:
        assert digit in DIGITS
        row = next(row for row in range(4) if digit in _KEYS[row])
        times = np.arange(on_ms * RATE // 1_000) / RATE
        wave = np.sin(2 * np.pi * _LOW[row] * times) + np.sin(2 * np.pi * _HIGH[_KEYS[row].index(digit)] * times)
        parts += [wave * ZERO_DBM0 * 10 ** (dbm0 / 20), np.zeros(gap_ms * RATE // 1_000)]
    return np.concatenate(parts).astype(np.int16) if parts else np.zeros(0, np.int16)
