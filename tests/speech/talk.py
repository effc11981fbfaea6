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
# By name: what was measured with a sound is said of that sound, and a prompt that is added must not change it.
RECORDINGS = (
    "agent_code_needed", "agent_code_noted", "agent_direct_call", "agent_extended", "agent_logged_in",
    "agent_logged_out", "agent_nailed_up", "agent_no_call", "agent_no_code", "agent_no_extension", "agent_no_wrap_up",
    "agent_not_ready", "agent_occupied", "agent_press_one", "agent_queue_call", "agent_ready", "agent_reason",
    "agent_resting", "agent_talking", "agent_to_log_in",
)  # fmt: skip
Wave = npt.NDArray[np.float64]
Samples = npt.NDArray[np.int16]


class Said(msgspec.Struct, frozen=True):
    """A recording and where in it somebody speaks, in samples."""

    name: str
    wave: Wave
    first: int
    last: int


@cache
def sentences(count: int = 20) -> tuple[Said, ...]:
    """The first `count` of the recordings, at -22 dBFS while somebody speaks."""
    found: list[Said] = []
    for name in RECORDINGS[:count]:
        wave = read_wav(PROMPTS / f"{name}.wav").astype(np.float64)
        loud = np.sqrt(np.convolve(wave**2, np.ones(80) / 80, "same"))
        active = np.flatnonzero(loud > np.percentile(loud, 99) * 10 ** (-35 / 20))
        wave *= 10 ** (-22 / 20) * 32_768 / np.sqrt(np.mean(wave[loud > loud.max() / 20] ** 2))
        found.append(Said(name, wave, int(active[0]), int(active[-1])))
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
