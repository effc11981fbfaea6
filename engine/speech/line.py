"""What a telephone line makes of a voice: the band, the level, what is heard around it. Pure numpy, float32, 8 kHz."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from engine.speech import noises
from engine.speech.ports import RATE_HZ, Samples

Sound = npt.NDArray[np.float32]

LOW_HZ, HIGH_HZ = 300, 3_400  # what a telephone passes (ITU-T G.712)
LEAD_MS, TAIL_MS = 800, 1_600  # of the line before and behind the voice: an endpointer learns the line first
CLEAN_DB = 60  # below the voice: no line is silent


def band(sound: Sound) -> Sound:
    """Only what lies between 300 and 3,400 Hz, with edges an octave's eighth wide."""
    if not sound.size:
        return sound
    size = sound.size + RATE_HZ // 8  # what rings on at the end must not come round to the beginning
    hz = np.fft.rfftfreq(size, 1 / RATE_HZ)
    rise = np.clip((hz - LOW_HZ * 0.9) / (LOW_HZ * 0.2), 0, 1)
    fall = np.clip((HIGH_HZ * 1.05 - hz) / (HIGH_HZ * 0.1), 0, 1)
    return np.fft.irfft(np.fft.rfft(sound, size) * rise * fall, size)[: sound.size].astype(np.float32)


def active_level(sound: Sound) -> float:
    """Root mean square of the 20 ms frames within 26 dB of the loudest: the level of the speech, not of its pauses."""
    frame = RATE_HZ // 50
    whole = sound[: sound.size // frame * frame].reshape(-1, frame).astype(np.float64)
    if not whole.size:
        return 0.0
    power = np.sqrt(np.mean(whole**2, axis=1))
    return float(np.sqrt(np.mean(power[power >= power.max() * 0.05] ** 2)))


def carried(voice: Sound, level_dbfs: int, noise: str = "", below_db: int = CLEAN_DB, seed: int = 0) -> Samples:
    """A voice as a line delivers it: int16, with LEAD_MS and TAIL_MS of the line around it.

    `voice`: any scale. Its active level becomes `level_dbfs`, the noise lies `below_db` under that, both within the
    telephone's band; "" is the hiss of a quiet line. Raises KeyError: no such noise.
    """
    lead, tail = LEAD_MS * RATE_HZ // 1_000, TAIL_MS * RATE_HZ // 1_000
    narrow = band(voice)
    loud = 10 ** (level_dbfs / 20) * 32_768
    power = active_level(narrow)
    placed = np.zeros(lead + narrow.size + tail, np.float32)
    placed[lead : lead + narrow.size] = narrow * (loud / power if power else 0.0)
    around = band(noises.make(noise or "pink", placed.size, seed))
    around /= max(float(np.sqrt(np.mean(around.astype(np.float64) ** 2))), 1e-9)
    placed += around * (loud * 10 ** (-(below_db if noise else CLEAN_DB) / 20))
    return np.asarray(np.clip(np.rint(placed), -32_768, 32_767).astype(np.int16))
