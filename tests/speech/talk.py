"""A voice for tests of listening: the stock prompts, as a caller on a telephone line would say them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from engine.media import g711
from engine.runtime.wav import read_wav

PROMPTS = Path(__file__).parents[2] / "prompts" / "en"
Wave = npt.NDArray[np.float64]
Samples = npt.NDArray[np.int16]


class Said(msgspec.Struct, frozen=True):
    """A recording and where in it somebody speaks, in samples."""

    name: str
    wave: Wave
    first: int
    last: int


@cache
def sentences(count: int = 20, seconds_max: float = 4.0) -> tuple[Said, ...]:
    """The first `count` prompts that are short enough, at -22 dBFS while somebody speaks."""
    found: list[Said] = []
    for path in sorted(PROMPTS.glob("*.wav")):
        wave = read_wav(path).astype(np.float64)
        if not 4_000 < wave.size < seconds_max * 8_000 or len(found) == count:
            continue
        loud = np.sqrt(np.convolve(wave**2, np.ones(80) / 80, "same"))
        active = np.flatnonzero(loud > np.percentile(loud, 99) * 10 ** (-35 / 20))
        wave *= 10 ** (-22 / 20) * 32_768 / np.sqrt(np.mean(wave[loud > loud.max() / 20] ** 2))
        found.append(Said(path.stem, wave, int(active[0]), int(active[-1])))
    return tuple(found)


def hiss(samples: int, dbfs: float, seed: int = 1) -> Wave:
    """White noise."""
    return np.random.default_rng(seed).standard_normal(samples) * 10 ** (dbfs / 20) * 32_768


def line(wave: Wave) -> Samples:
    """Through one µ-law line."""
    return g711.decode(g711.encode(np.clip(np.rint(wave), -32_768, 32_767).astype(np.int16), 0), 0)


def echo_of(sent: Wave, db: float, delay_ms: int, seed: int) -> Wave:
    """What an analogue gateway sends back: smeared over 5 ms, so much weaker, so late."""
    chance = np.random.default_rng(seed)
    hybrid = chance.standard_normal(40) * np.exp(-np.arange(40) / 7)
    back = np.convolve(sent, hybrid)[: sent.size]
    back *= 10 ** (db / 20) * np.sqrt(np.mean(sent**2) / np.mean(back**2))
    return np.concatenate([np.zeros(delay_ms * 8), back])[: sent.size]
