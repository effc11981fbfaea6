"""Hold music: a quiet piece of our own (CC0-1.0), rendered from a score below; its end joins its beginning.

Written for a telephone: nothing that matters lies under 300 Hz or above 3,400 Hz, no swells that a level gate or a
codec would chop, and it is 16 bars at 75 beats a minute, so a bar is a whole number of samples at 8 and 16 kHz.
"""

from __future__ import annotations

import numpy as np

from tools.audio import Signal

BEAT_S = 0.8
BARS = 16

# One chord a bar, as MIDI notes.
CHORDS = (
    (60, 64, 67, 71), (57, 64, 67, 72), (53, 64, 69, 72), (55, 62, 67, 71),
    (60, 64, 67, 74), (57, 64, 69, 72), (53, 60, 69, 76), (55, 62, 65, 71),
    (62, 65, 69, 72), (64, 67, 71, 74), (53, 65, 69, 72), (55, 62, 67, 74),
    (62, 65, 69, 76), (55, 65, 71, 74), (60, 64, 67, 71), (55, 62, 67, 71),
)  # fmt: skip

# The tune: (bar, beat, MIDI note). Sparse, so that an announcement over it is understood.
TUNE = (
    (0, 0.0, 76), (0, 1.5, 79), (0, 3.0, 74), (1, 0.5, 72), (1, 2.0, 76), (2, 0.0, 81), (2, 1.5, 79), (2, 3.0, 76),
    (3, 1.0, 74), (3, 2.5, 71), (4, 0.0, 72), (4, 1.5, 76), (4, 3.0, 79), (5, 0.5, 84), (5, 2.5, 81), (6, 0.0, 79),
    (6, 2.0, 76), (7, 0.5, 77), (7, 2.0, 74), (8, 0.0, 77), (8, 1.5, 81), (8, 3.0, 84), (9, 1.0, 83), (9, 2.5, 79),
    (10, 0.0, 81), (10, 1.5, 77), (10, 3.0, 72), (11, 1.0, 74), (11, 2.5, 79), (12, 0.0, 81), (12, 2.0, 77),
    (13, 0.5, 79), (13, 2.0, 74), (14, 0.0, 76), (14, 1.5, 72), (14, 3.0, 67), (15, 1.0, 71), (15, 2.5, 74),
)  # fmt: skip


def _frequency(note: int) -> float:
    return float(440.0 * 2 ** ((note - 69) / 12))


def _tone(note: int, seconds: float, rate: int, weights: tuple[float, ...]) -> Signal:
    """Harmonics 1, 2, 3… with `weights`; those above 3,400 Hz are left out."""
    t = np.arange(int(seconds * rate)) / rate
    sound = np.zeros(len(t))
    for number, weight in enumerate(weights, start=1):
        if number * _frequency(note) < 3_400:
            sound += weight * np.sin(2 * np.pi * number * _frequency(note) * t)
    return sound


def _pad(note: int, rate: int) -> Signal:
    """A bar-long chord note with slow edges that reach into the next bar."""
    seconds = 5 * BEAT_S
    sound = _tone(note, seconds, rate, (1.0, 0.25, 0.11, 0.06, 0.04))
    t = np.arange(len(sound)) / rate
    edges = np.minimum(1, t / 0.5) * np.minimum(1, (seconds - t) / BEAT_S)
    result: Signal = sound * np.sin(np.pi / 2 * edges) ** 2
    return result


def _pluck(note: int, rate: int) -> Signal:
    sound = _tone(note, 2.4, rate, (1.0, 0.35, 0.12))
    t = np.arange(len(sound)) / rate
    result: Signal = sound * np.minimum(1, t / 0.008) * np.exp(-t / 0.5) * np.minimum(1, (2.4 - t) / 0.2)
    return result


def _add(loop: Signal, sound: Signal, at: int, gain: float) -> None:
    """Mix into the loop; what passes its end goes on at its beginning."""
    places = (at + np.arange(len(sound))) % len(loop)
    loop[places] += gain * sound


def render(rate: int) -> Signal:
    """The whole loop, about −20 dBFS, at `rate` samples per second (a multiple of 5)."""
    beat = int(BEAT_S * rate)
    loop = np.zeros(BARS * 4 * beat)
    for bar, chord in enumerate(CHORDS):
        for note in chord:
            _add(loop, _pad(note, rate), bar * 4 * beat, 0.055)
    for bar, at, note in TUNE:
        _add(loop, _pluck(note, rate), int((bar * 4 + at) * beat), 0.16)
    for repeats, gain in ((1, 0.28), (2, 0.1)):  # an echo a dotted beat later, round the loop's end
        loop = loop + gain * np.roll(loop, repeats * beat * 3 // 2)
    return loop
