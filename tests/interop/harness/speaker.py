"""Callers' voices: sentences spoken by the installed synthesisers, at a telephone's rate and level, with a room around
them. The same words in the same voice are made once."""

from __future__ import annotations

import functools

import numpy as np

from engine.dialplan.voice_model import VoiceModel
from engine.media.resample import resample
from engine.runtime import synthesizers

RATE = 8_000
LEVEL_DBFS = -24.0
VOICES = {
    "flite": VoiceModel("flite", "slt"),
    "rms": VoiceModel("flite", "rms"),
    "festival": VoiceModel("festival"),
    "espeak": VoiceModel("espeak-ng", "en-us"),
}


@functools.cache
def words(text: str, voice: str = "flite") -> np.ndarray:
    """The sentence as 16-bit samples at 8 kHz, from its first sound to its last, at LEVEL_DBFS."""
    model = VOICES[voice]
    said = synthesizers.of(model).speak(text, "en", model.voice)
    samples = resample(said.samples, said.rate_hz, RATE).astype(np.float64)
    loud = np.flatnonzero(np.abs(samples) > 0.02 * np.abs(samples).max())
    samples = samples[loud[0] : loud[-1] + 1]
    gain = 32_768 * 10 ** (LEVEL_DBFS / 20) / np.sqrt(np.mean(samples**2))
    return np.clip(samples * gain, -32_000, 32_000).astype(np.int16)


def pause(ms: int) -> np.ndarray:
    """Nothing said."""
    return np.zeros(ms * RATE // 1_000, np.int16)


def in_room(samples: np.ndarray, snr_db: float, seed: int) -> np.ndarray:
    """With pink noise so far below the voice's level."""
    white = np.fft.rfft(np.random.default_rng(seed).standard_normal(samples.size))
    pink = np.fft.irfft(white / np.sqrt(np.maximum(np.arange(white.size), 30)), samples.size)
    pink *= 32_768 * 10 ** ((LEVEL_DBFS - snr_db) / 20) / np.sqrt(np.mean(pink**2))
    return np.clip(samples + pink, -32_768, 32_767).astype(np.int16)


def joined(*parts: np.ndarray) -> np.ndarray:
    """One after the other."""
    return np.concatenate(parts)
