"""From a voice to a telephone line: speed, room, handset, noise, level and µ-law, all drawn from one source."""

from __future__ import annotations

from functools import lru_cache
from math import gcd

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
RATE_HZ = 8000


@lru_cache(maxsize=64)
def _sinc(up: int, down: int, half: int = 12) -> NDArray[np.float32]:
    """A windowed low-pass of `up` phases: row p holds the taps of output samples at phase p, oldest input first."""
    cut = min(1.0, up / down) * 0.96
    reach = int(np.ceil(half / min(1.0, up / down)))
    offsets = np.arange(-reach + 1, reach + 1)
    at = offsets[None, :] - (np.arange(up) / up)[:, None]
    window = np.where(np.abs(at) < reach, 0.5 + 0.5 * np.cos(np.pi * at / reach), 0)
    taps = cut * np.sinc(cut * at) * window
    return np.asarray(taps / taps.sum(1, keepdims=True), np.float32)


def resample(samples: Samples, rate_from: int, rate_to: int) -> Samples:
    """`samples` at another rate, by a windowed sinc; the ratio is reduced first, so keep its terms small."""
    shared = gcd(rate_from, rate_to)
    up, down = rate_to // shared, rate_from // shared
    if up == down or not len(samples):
        return samples.astype(np.float32)
    taps = _sinc(up, down)
    reach = taps.shape[1] // 2
    padded = np.concatenate([np.zeros(reach - 1, np.float32), samples, np.zeros(reach + 1, np.float32)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, taps.shape[1])
    count = (len(samples) * up + down - 1) // down
    result = np.empty(count, np.float32)
    for phase in range(up):
        # output n lies at input n·down/up; those with the same phase are `down` inputs apart
        first = next((n for n in range(up) if (n * down) % up == phase), None)
        if first is None:
            continue
        rows = windows[first * down // up :: down][: len(range(first, count, up))]
        result[first::up] = rows @ taps[phase]
    return result


def active_level(samples: Samples, rate_hz: int = RATE_HZ) -> float:
    """Root mean square of the 20 ms frames that carry speech (above 5 % of the loudest frame), of full scale."""
    frame = rate_hz // 50
    count = len(samples) // frame
    if not count:
        return 0.0
    levels = np.sqrt((samples[: count * frame].reshape(count, frame).astype(np.float64) ** 2).mean(1))
    loud = levels[levels > 0.05 * levels.max()]
    return float(np.sqrt((loud**2).mean())) if len(loud) else 0.0


def _mu_law_tables() -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """G.711 µ-law: the code of every 16-bit sample, and the sample of every code (full scale 1)."""
    codes = np.arange(256)
    turned = ~codes & 0xFF
    size = ((((turned & 0x0F) << 3) + 0x84) << ((turned & 0x70) >> 4)) - 0x84
    values = np.where(turned & 0x80, -size, size)
    samples = np.arange(-32768, 32768)
    biased = np.minimum(np.abs(samples), 32635) + 0x84
    exponent = np.clip(np.floor(np.log2(biased)).astype(int) - 7, 0, 7)
    coded = ~(((samples < 0).astype(int) << 7) | (exponent << 4) | ((biased >> (exponent + 3)) & 0x0F)) & 0xFF
    return coded.astype(np.uint8), (values / 32768).astype(np.float32)


ENCODE, DECODE = _mu_law_tables()


def mu_law(samples: Samples) -> Samples:
    """`samples` after one pass of G.711 µ-law; what is beyond full scale is clipped."""
    whole = np.clip(np.round(samples * 32768), -32768, 32767).astype(np.int32)
    return DECODE[ENCODE[whole + 32768]]


def _fast_length(count: int) -> int:
    """The next length whose transform is quick (a power of two, or three quarters of one)."""
    power = 1 << (count - 1).bit_length()
    return power * 3 // 4 if power * 3 // 4 >= count else power


def _echoes(samples: Samples, chance: np.random.Generator) -> Samples:
    """A room: a few early reflections and a decaying tail, 80–500 ms long, 5 to 30 dB below the direct sound."""
    length = int(chance.uniform(0.08, 0.5) * RATE_HZ)
    tail = chance.standard_normal(length, np.float32) * np.exp(-6.9 * np.arange(length, dtype=np.float32) / length)
    for _ in range(int(chance.integers(0, 6))):
        tail[int(chance.integers(8, min(400, length)))] += 4 * chance.normal()
    tail *= chance.uniform(0.03, 0.5) / np.sqrt((tail**2).sum())
    tail[0] = 1
    size = _fast_length(len(samples) + length)
    return np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(tail, size), size)[: len(samples)].astype(np.float32)


def _shaped(samples: Samples, gain: NDArray[np.float32] | NDArray[np.float64], size: int) -> Samples:
    return np.fft.irfft(np.fft.rfft(samples, size) * gain.astype(np.float32), size)[: len(samples)].astype(np.float32)


def _handset(hertz: NDArray[np.float64], chance: np.random.Generator) -> NDArray[np.float64]:
    """The response of microphone and mouth: a tilt of up to 8 dB over two octaves, and ripples."""
    tilt = chance.uniform(-8, 8) * np.log2(np.maximum(hertz, 100) / 1000) / 2
    ripple = 3 * chance.random() * np.sin(2 * np.pi * (hertz / chance.uniform(800, 4000) + chance.random()))
    return np.asarray(10 ** ((tilt + ripple) / 20))


def _line(hertz: NDArray[np.float64], chance: np.random.Generator) -> NDArray[np.float64]:
    low = chance.uniform(80, 320)
    high = chance.uniform(3150, 3950) if chance.random() < 0.9 else chance.uniform(2600, 3150)
    return np.asarray(1 / (1 + (low / np.maximum(hertz, 1)) ** 6) / (1 + (hertz / high) ** 24))


def _coded(samples: Samples, chance: np.random.Generator) -> Samples:
    """As a waveform coder or a hoarse voice has it: noise that follows the sound, 12 to 35 dB below (ITU-T P.810)."""
    below_db = chance.uniform(12, 35)
    return samples * (1 + np.float32(10 ** (-below_db / 20)) * chance.standard_normal(len(samples), np.float32))


class Noises:
    """Noise ready to be cut from: (kind, ten seconds) of each kind, made from training seeds, and voices as babble."""

    def __init__(self, steady: dict[str, NDArray[np.float32]], transient: dict[str, NDArray[np.float32]]) -> None:
        self.steady, self.transient = steady, transient

    @staticmethod
    def _cut(kinds: dict[str, NDArray[np.float32]], count: int, chance: np.random.Generator) -> Samples:
        """`count` samples of one kind, RMS 1 over the recording they come from; kinds (takes, samples)."""
        takes = kinds[list(kinds)[int(chance.integers(len(kinds)))]]
        take = takes[int(chance.integers(len(takes)))]
        start = int(chance.integers(0, len(take)))
        return np.resize(np.concatenate([take[start:], take[:start]]), count)

    def background(self, count: int, chance: np.random.Generator) -> Samples:
        """Every fourth time pink: what is nearest to the hiss of most lines and rooms."""
        often = {"pink": self.steady["pink"]} if "pink" in self.steady and chance.random() < 0.25 else self.steady
        return self._cut(often, count, chance)

    def strikes(self, count: int, chance: np.random.Generator) -> Samples:
        return self._cut(self.transient, count, chance)


def _added(speech: Samples, level: float, noises: Noises, chance: np.random.Generator) -> tuple[Samples, bool]:
    """`speech` with the noise beside it, and whether some of that noise strikes (the noise phone may stand for it)."""
    count, kind, struck = len(speech), chance.random(), False
    noise = chance.standard_normal(count, np.float32) * np.float32(level * 10 ** (-chance.uniform(45, 60) / 20))
    if kind < 0.6:
        below_db = chance.uniform(3, 14) if chance.random() < 0.5 else chance.uniform(10, 33)
        noise = noise + noises.background(count, chance) * np.float32(level * 10 ** (-below_db / 20))
    if 0.40 < kind < 0.75:
        sound = noises.strikes(count, chance)
        loud = active_level(sound)
        if loud > 0 and (sound**2).sum() > 1e-6:
            # half by the level of the strikes themselves, half by the mean level, which lets single strikes be loud
            scale = level * 10 ** (-chance.uniform(2, 25) / 20) / loud
            if chance.random() < 0.5:
                scale = min(level * 10 ** (-chance.uniform(8, 30) / 20), 4 * level / loud)
            noise = noise + sound * np.float32(scale)
            struck = True
    return speech + noise, struck


def telephone(voice: Samples, noises: Noises, chance: np.random.Generator, speed: int | None) -> tuple[Samples, bool]:
    """An utterance at 16 kHz as it arrives over a line, 8 kHz, and whether noises struck.

    speed: 16 kHz samples that become 50 samples at 8 kHz; 100 keeps the voice, 84 makes it slower and deeper.
    """
    speech = resample(voice, 2 * (speed or 100), 100)
    level = active_level(speech) or 0.05
    if chance.random() < 0.4:
        speech = _echoes(speech, chance)
    before, after = (np.zeros(int(chance.uniform(0.03, 0.35) * RATE_HZ), np.float32) for _ in range(2))
    speech = np.concatenate([before, speech, after])
    size = _fast_length(len(speech))
    hertz = np.fft.rfftfreq(size, 1 / RATE_HZ).astype(np.float64)
    speech = _shaped(speech, _handset(hertz, chance), size)
    speech *= np.float32(level / (active_level(speech) or level))
    heard, struck = _added(speech, level, noises, chance)
    if chance.random() < 0.2:
        heard = _coded(heard, chance)
    heard = _shaped(heard, _line(hertz, chance), size)
    loud = 10 ** (chance.uniform(-42, -12) / 20)
    heard *= np.float32(loud / (active_level(heard) or level))
    if chance.random() < 0.04:
        heard = heard * np.float32(chance.uniform(3, 8))  # an overdriven microphone
    heard = np.clip(heard, -1, 1)
    return (mu_law(heard) if chance.random() < 0.9 else heard), struck
