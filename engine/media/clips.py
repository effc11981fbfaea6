"""Clips: audio kept encoded in both laws, and the tones that the plane makes itself.

A tone's name is "tone/KIND.COUNTRY" ("tone/ringback.us") or one of tone/beep, tone/milliwatt, tone/silence. A tone is
made long enough to loop without a seam. Levels are dBm0; 0 dBm0 is a sine with a peak of 22,827,
3.14 dB below full scale.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from engine.media import g711

RATE = 8_000
Samples = npt.NDArray[np.int16]

# One period of the digital milliwatt (1 kHz at 0 dBm0) in each law, as G.711 tables 5 and 6 give it.
MILLIWATT = (bytes.fromhex("1e0b0b1e9e8b8b9e"), bytes.fromhex("34212134b4a1a1b4"))

_DTMF_LOW = (697, 770, 852, 941)
_DTMF_HIGH = (1209, 1336, 1477, 1633)
_DTMF_KEYS = "123A456B789C*0#D"
_ZERO_DBM0 = 32_768 / 10 ** (3.14 / 20)  # peak of a 0 dBm0 sine

# (frequencies Hz, pattern: seconds on, off, …; one number: continuous), ITU-T E.180 supplement 2
_RING_DOUBLE = (0.4, 0.2, 0.4, 2.0)
_COUNTRIES: dict[str, dict[str, tuple[tuple[int, ...], tuple[float, ...]]]] = {
    "us": {"ringback": ((440, 480), (2.0, 4.0)), "busy": ((480, 620), (0.5, 0.5)),
           "congestion": ((480, 620), (0.25, 0.25))},
    "gb": {"ringback": ((400, 450), _RING_DOUBLE), "busy": ((400,), (0.375, 0.375)),
           "congestion": ((400,), (0.4, 0.35, 0.225, 0.525))},
    "de": {"ringback": ((425,), (1.0, 4.0)), "busy": ((425,), (0.48, 0.48)), "congestion": ((425,), (0.24, 0.24))},
    "fr": {"ringback": ((440,), (1.5, 3.5)), "busy": ((440,), (0.5, 0.5)), "congestion": ((440,), (0.25, 0.25))},
    "it": {"ringback": ((425,), (1.0, 4.0)), "busy": ((425,), (0.5, 0.5)), "congestion": ((425,), (0.2, 0.2))},
    "cn": {"ringback": ((450,), (1.0, 4.0)), "busy": ((450,), (0.35, 0.35)), "congestion": ((450,), (0.7, 0.7))},
    "hk": {"ringback": ((440, 480), (0.4, 0.2, 0.4, 3.0)), "busy": ((480, 620), (0.5, 0.5)),
           "congestion": ((480, 620), (0.25, 0.25))},
    "jp": {"ringback": ((400,), (1.0, 2.0)), "busy": ((400,), (0.5, 0.5)), "congestion": ((400,), (0.5, 0.5))},
    "au": {"ringback": ((400, 450), _RING_DOUBLE), "busy": ((425,), (0.375, 0.375)),
           "congestion": ((425,), (0.375, 0.375))},
    "in": {"ringback": ((400,), _RING_DOUBLE), "busy": ((400,), (0.75, 0.75)), "congestion": ((400,), (0.25, 0.25))},
}
_SAME_AS = {"uk": "gb", "ca": "us", "at": "de", "ch": "de", "tw": "us", "nz": "au"}
_LEVELS = {"ringback": -19.0, "busy": -24.0, "congestion": -24.0}


def sine(frequencies: tuple[int, ...], seconds: float, level_dbm0: float) -> npt.NDArray[np.float64]:
    """Sines of one level each, added, beginning at phase 0."""
    time = np.arange(round(seconds * RATE)) / RATE
    peak = _ZERO_DBM0 * 10 ** (level_dbm0 / 20)
    total = np.zeros(time.size)
    for frequency in frequencies:
        total += peak * np.sin(2 * np.pi * frequency * time)
    return total


def _ramped(samples: npt.NDArray[np.float64], ramp: int = 40) -> npt.NDArray[np.float64]:
    """Rise and fall over 5 ms, so that a tone doesn't click."""
    shape = np.ones(samples.size)
    edge = np.sin(np.linspace(0, np.pi / 2, min(ramp, samples.size // 2))) ** 2
    shape[: edge.size], shape[samples.size - edge.size :] = edge, edge[::-1]
    return samples * shape


def cadence(frequencies: tuple[int, ...], pattern: tuple[float, ...], level_dbm0: float) -> Samples:
    """One period of an on-off pattern."""
    parts = [
        _ramped(sine(frequencies, seconds, level_dbm0)) if place % 2 == 0 else np.zeros(round(seconds * RATE))
        for place, seconds in enumerate(pattern)
    ]
    return np.rint(np.concatenate(parts)).astype(np.int16)


def dtmf(digit: str, seconds: float = 1.0) -> Samples:
    """A digit's two tones at −7 and −9 dBm0 (the higher one louder, as Q.23 practice has it); loops without a seam."""
    place = _DTMF_KEYS.index(digit)
    low, high = _DTMF_LOW[place // 4], _DTMF_HIGH[place % 4]
    return np.rint(sine((low,), seconds, -9.0) + sine((high,), seconds, -7.0)).astype(np.int16)


def tone(name: str) -> tuple[bytes, bytes] | None:
    """A named tone in (µ-law, A-law); None when the name is none. An unknown country has the United States' tones."""
    if name == "tone/milliwatt":
        return MILLIWATT[0] * 1_000, MILLIWATT[1] * 1_000
    if name == "tone/silence":
        return encode_both(np.zeros(RATE, np.int16))
    if name == "tone/beep":
        return encode_both(np.rint(_ramped(sine((1_000,), 0.25, -13.0))).astype(np.int16))
    kind, _, country = name.removeprefix("tone/").partition(".")
    if not name.startswith("tone/") or kind not in _LEVELS:
        return None
    country = country.lower()
    table = _COUNTRIES.get(_SAME_AS.get(country, country), _COUNTRIES["us"])
    return encode_both(cadence(*table[kind], _LEVELS[kind]))


def encode_both(samples: Samples) -> tuple[bytes, bytes]:
    """Samples in (µ-law, A-law)."""
    return g711.encode(samples, g711.MU_LAW), g711.encode(samples, g711.A_LAW)
