"""Ears for tests: what was heard, compared with what was sent. Samples are int16 or float arrays at 8 kHz.

A heard stream differs from the sent one by delay, by the law's rounding, by gain (none expected) and by gaps. So a
comparison first finds the delay by cross-correlation, then measures signal to noise on the overlapping part.
"""

from __future__ import annotations

import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np

RATE = 8000
Samples = np.ndarray


# --- G.711, from ITU-T tables by formula -------------------------------------------------------------------
def _ulaw_table() -> Samples:
    codes = np.arange(256) ^ 0xFF
    exponent, mantissa = (codes >> 4) & 7, codes & 15
    magnitude = (((mantissa << 3) + 0x84) << exponent) - 0x84
    return np.where(codes & 0x80, -magnitude, magnitude).astype(np.int16)


def _alaw_table() -> Samples:
    codes = np.arange(256) ^ 0x55
    exponent, mantissa = (codes >> 4) & 7, codes & 15
    low = (mantissa << 4) + 8
    magnitude = np.where(exponent == 0, low, (low + 0x100) << np.maximum(exponent - 1, 0))
    return np.where(codes & 0x80, magnitude, -magnitude).astype(np.int16)


TABLES = {0: _ulaw_table(), 8: _alaw_table()}


def decode(payload: bytes, codec: int) -> Samples:
    """G.711 octets to int16; codec 0 µ-law, 8 A-law."""
    return TABLES[codec][np.frombuffer(payload, np.uint8)]


def encode(samples: Samples, codec: int) -> bytes:
    """int16 to the nearest G.711 octets."""
    table = TABLES[codec].astype(np.int32)
    order = np.lexsort((-np.arange(256), table))  # of the two µ-law zeros 0xFF, the positive one
    ordered = table[order]
    values = np.asarray(samples, dtype=np.int32)
    right = np.clip(np.searchsorted(ordered, values), 1, 255)
    nearer_left = values - ordered[right - 1] < ordered[right] - values
    return order[np.where(nearer_left, right - 1, right)].astype(np.uint8).tobytes()


# --- sources ---------------------------------------------------------------------------------------------------
def read_wav(path: Path, *, side: int | None = None) -> Samples:
    """A WAV file as float samples at 8 kHz; `side` picks one channel of several. Other rates are resampled."""
    with wave.open(str(path), "rb") as file:
        assert file.getsampwidth() == 2, f"{path}: {file.getsampwidth()} octets a sample"
        frames = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, file.getnchannels())
        rate = file.getframerate()
    samples = frames[:, side if side is not None else 0].astype(float)
    if rate == RATE:
        return samples
    from scipy.signal import resample_poly

    return np.asarray(resample_poly(samples, RATE, rate))


def write_wav(path: Path, samples: Samples, *, rate: int = RATE) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.clip(np.rint(samples), -32768, 32767).astype("<i2").tobytes())
    return path


def tone(frequencies: tuple[float, ...], seconds: float, *, level: float = 8000.0) -> Samples:
    """A sum of sines, each with amplitude `level`."""
    t = np.arange(int(seconds * RATE)) / RATE
    return np.sum([level * np.sin(2 * np.pi * f * t) for f in frequencies], axis=0)


def chirps(seed: int, seconds: float, *, level: float = 9000.0) -> Samples:
    """Speech-like test sound: syllables of sliding harmonics between 300 and 3,000 Hz, different for each seed.

    It correlates with itself at one delay only, which a tone does not.
    """
    rng = np.random.default_rng(seed)
    out: list[Samples] = []
    total = 0
    while total < seconds * RATE:
        length = int(rng.uniform(0.12, 0.3) * RATE)
        t = np.arange(length) / RATE
        base, slide = rng.uniform(150, 400), rng.uniform(-300, 300)
        phase = 2 * np.pi * (base * t + slide * t * t / 2)
        sound = sum(rng.uniform(0.2, 1.0) * np.sin(k * phase + rng.uniform(0, 6)) for k in range(2, 7))
        sound = np.asarray(sound) * np.hanning(length)
        pause = np.zeros(int(rng.uniform(0.02, 0.12) * RATE))
        out += [level * sound / np.abs(sound).max(), pause]
        total += length + pause.size
    return np.concatenate(out)[: int(seconds * RATE)]


# --- comparing ---------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Match:
    """`delay_s`: where the sent sound begins in the heard one; `score`: normalised correlation 0–1."""

    delay_s: float
    score: float
    snr_db: float
    gain_db: float


def align(sent: Samples, heard: Samples) -> Match:
    """The best place of `sent` in `heard`. Either may be longer; the overlap is compared."""
    sent, heard = np.asarray(sent, float), np.asarray(heard, float)
    size = 1 << int(np.ceil(np.log2(sent.size + heard.size)))
    product = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(sent, size)), size)
    energy = np.concatenate(([0.0], np.cumsum(heard**2)))
    lags = np.concatenate((np.arange(heard.size), np.arange(-sent.size + 1, 0)))
    values = product[lags]
    start, stop = np.maximum(lags, 0), np.minimum(lags + sent.size, heard.size)
    local = np.sqrt(np.maximum(energy[stop] - energy[start], 1e-9))
    sums = np.concatenate(([0.0], np.cumsum(sent**2)))
    own = np.sqrt(np.maximum(sums[np.minimum(heard.size - lags, sent.size)] - sums[np.maximum(-lags, 0)], 1e-9))
    enough = (stop - start) >= min(sent.size, heard.size) // 3
    scores = np.where(enough, values / np.maximum(local * own, 1e-9), -1.0)
    best = int(np.argmax(scores))
    lag = int(lags[best])
    part_heard, skip = heard[start[best] : stop[best]], max(0, -lag)
    part_sent = sent[skip : skip + part_heard.size]
    gain = float(part_heard @ part_sent / max(part_sent @ part_sent, 1e-9))
    noise = part_heard - gain * part_sent
    snr = 10 * np.log10(max(float((gain * part_sent) @ (gain * part_sent)), 1e-9) / max(float(noise @ noise), 1e-9))
    return Match(lag / RATE, float(scores[best]), float(snr), 20 * float(np.log10(max(abs(gain), 1e-6))))


def pieces(sent: Samples, heard: Samples, *, seconds: float = 0.5) -> list[Match]:
    """`align` for each piece of `sent`: tells whole losses and slips of a receiver's buffer apart from bad sound."""
    length = int(seconds * RATE)
    cuts = [sent[i : i + length] for i in range(0, sent.size - length + 1, length)]
    return [align(cut, heard) for cut in cuts if np.abs(cut).max() > 500]


def share_heard(sent: Samples, heard: Samples, *, score: float = 0.95, seconds: float = 0.5) -> float:
    """The share of `sent`'s pieces found in `heard` with at least that correlation."""
    found = pieces(sent, heard, seconds=seconds)
    return sum(match.score >= score for match in found) / max(1, len(found))


def which_prompts(heard: Samples, prompts: dict[str, Samples], *, score: float = 0.85) -> list[tuple[float, str]]:
    """The known prompts in `heard` as (second, name), in time order; a prompt heard twice is found once."""
    found = [(align(sound, heard), name) for name, sound in prompts.items() if 0 < sound.size <= heard.size]
    return sorted((round(match.delay_s, 2), name) for match, name in found if match.score >= score)


def goertzel(samples: Samples, frequency: float) -> float:
    """Share (0–1) of the samples' power that lies at one frequency."""
    x = np.asarray(samples, float)
    if not x.size or not np.any(x):
        return 0.0
    t = np.arange(x.size) / RATE
    bin_ = np.abs(x @ np.exp(-2j * np.pi * frequency * t)) ** 2
    return float(min(1.0, 2 * bin_ / (x.size * float(x @ x))))


def has_tone(samples: Samples, frequency: float, *, share: float = 0.5, frame_s: float = 0.1) -> float:
    """Seconds of `samples` in which `frequency` holds at least `share` of the power."""
    size = int(frame_s * RATE)
    frames = [samples[i : i + size] for i in range(0, len(samples) - size + 1, size)]
    return frame_s * sum(goertzel(frame, frequency) >= share for frame in frames)


def loud_seconds(samples: Samples, *, level: float = 200.0, frame_s: float = 0.02) -> float:
    """Seconds whose RMS is above `level`."""
    size = int(frame_s * RATE)
    whole = np.asarray(samples, float)[: len(samples) // size * size].reshape(-1, size)
    return frame_s * int((np.sqrt((whole**2).mean(axis=1)) > level).sum()) if whole.size else 0.0
