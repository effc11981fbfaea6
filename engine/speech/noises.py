"""Noises that callers have around them, made by procedure from a seed: what a speech corpus is tried in.

Each is float32 at 8 kHz with a root mean square of 1 over its whole length, so that a level in dB means the same for a
steady hiss and for dishes. The recipes are this module's own and the trainer's are the trainer's: a model is never
judged on noise that it was trained on.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from engine.speech.ports import RATE_HZ

Sound = npt.NDArray[np.float32]
_Wave = npt.NDArray[np.float64]
_Chance = np.random.Generator

_FRAME = 320  # of speech-like noise: 40 ms, half overlapped
_SCALE = (0, 2, 4, 5, 7, 9, 11)
_CHORDS = ((0, 2, 4), (5, 0, 2), (3, 5, 0), (4, 6, 1))


def make(kind: str, samples: int, seed: int) -> Sound:
    """So many samples of a noise. The same arguments give the same bytes. KeyError: no such kind, see `KINDS`."""
    recipe = KINDS[kind]
    wave = recipe(max(samples, _FRAME), np.random.default_rng((seed, *kind.encode())))[:samples]
    power = float(np.sqrt(np.mean(wave**2))) if samples else 0.0
    return (wave / max(power, 1e-9)).astype(np.float32)


def _shaped(chance: _Chance, samples: int, gain: Callable[[_Wave], _Wave]) -> _Wave:
    """Gaussian noise whose spectrum is multiplied by gain(frequency in Hz)."""
    spectrum = np.fft.rfft(chance.standard_normal(samples))
    hz = np.fft.rfftfreq(samples, 1 / RATE_HZ).astype(np.float64)
    return np.fft.irfft(spectrum * gain(hz), samples)


def _pink_gain(hz: _Wave) -> _Wave:
    return np.asarray(np.maximum(hz, 50.0) ** -0.5)


def _unit(wave: _Wave) -> _Wave:
    return np.asarray(wave / max(float(np.sqrt(np.mean(wave**2))), 1e-9))


def _white(samples: int, chance: _Chance) -> _Wave:
    return chance.standard_normal(samples)


def _pink(samples: int, chance: _Chance) -> _Wave:
    return _shaped(chance, samples, _pink_gain)


def _ring(chance: _Chance, hz: tuple[float, float], partials: int, decay_s: float) -> _Wave:
    """Something that was struck: partials that die away behind a short scrape."""
    span = np.arange(int(decay_s * 5 * RATE_HZ)) / RATE_HZ
    wave = np.zeros(span.size)
    for _ in range(partials):
        pitch = chance.uniform(*hz)
        fall = np.exp(-span / (decay_s * chance.uniform(0.4, 1.2)))
        wave += chance.uniform(0.3, 1.0) * fall * np.sin(2 * np.pi * pitch * span + chance.uniform(0, 6.28))
    scrape = int(chance.uniform(0.002, 0.008) * RATE_HZ)
    wave[:scrape] += 2.0 * chance.standard_normal(scrape)
    return wave


def _scattered(samples: int, chance: _Chance, per_s: float, strike: Callable[[], _Wave]) -> _Wave:
    """Events at random moments, some close behind each other, of very different loudness."""
    wave = np.zeros(samples)
    for _ in range(max(2, chance.poisson(per_s * samples / RATE_HZ))):
        event = strike() * 10 ** chance.uniform(-1.0, 0.0)
        begin = int(chance.integers(0, samples))
        end = min(samples, begin + event.size)
        wave[begin:end] += event[: end - begin]
    return wave


def _household(samples: int, chance: _Chance) -> _Wave:
    """Dishes, cutlery and a tap."""
    strikes = _scattered(samples, chance, 5.0, lambda: _ring(chance, (900.0, 3_800.0), 4, chance.uniform(0.02, 0.12)))
    thumps = _scattered(samples, chance, 1.0, lambda: _ring(chance, (120.0, 400.0), 3, 0.04))
    return _unit(strikes) + 0.4 * _unit(thumps) + 0.15 * _unit(_pink(samples, chance))


def _keyboard(samples: int, chance: _Chance) -> _Wave:
    """Somebody types beside the telephone."""
    return _scattered(samples, chance, 9.0, lambda: _ring(chance, (1_200.0, 3_600.0), 2, 0.004)) + 0.002 * _pink(
        samples, chance
    )


def _street(samples: int, chance: _Chance) -> _Wave:
    """Cars that pass by, and now and then a horn."""
    span = np.arange(samples) / RATE_HZ
    rumble = _shaped(chance, samples, lambda hz: np.asarray(1 / (1 + (hz / 400.0) ** 1.2)))
    swell = np.full(samples, 0.3)
    for _ in range(1 + chance.poisson(samples / RATE_HZ / 4)):
        swell += np.exp(-(((span - chance.uniform(0, span[-1])) / chance.uniform(0.4, 1.5)) ** 2))
    wave = _unit(rumble * swell)
    if chance.random() < 0.5:
        begin, pitch = chance.uniform(0, span[-1]), chance.uniform(350, 500)
        inside = (span >= begin) & (span < begin + chance.uniform(0.2, 0.6))
        horn = sum(np.sin(2 * np.pi * pitch * step * span) / step for step in (1, 1.26, 2, 3, 4))
        wave += 1.5 * np.where(inside, horn, 0.0)
    return wave


def _engine(samples: int, chance: _Chance) -> _Wave:
    """Inside a car: a motor whose speed wanders, and the road."""
    steps = _walk(samples // 4_000 + 2, chance)
    wander = np.interp(np.arange(samples), np.arange(steps.size) * 4_000, steps)
    turn = 2 * np.pi * np.cumsum(chance.uniform(25, 60) * (1 + 0.08 * wander)) / RATE_HZ
    motor = sum(chance.uniform(0.3, 1.0) / step**0.7 * np.sin(step * turn + step) for step in range(2, 24))
    road = _shaped(chance, samples, lambda hz: np.asarray(1 / (1 + (hz / 300.0) ** 1.5)))
    return np.asarray(_unit(np.asarray(motor)) + 0.7 * _unit(road))


def _walk(steps: int, chance: _Chance) -> _Wave:
    return np.asarray(np.clip(np.cumsum(chance.standard_normal(steps) * 0.5), -2, 2))


def _music(samples: int, chance: _Chance) -> _Wave:
    """Chords, a tune that is plucked, and a beat."""
    beat = int(RATE_HZ * 60 / chance.uniform(80, 140))
    key = chance.uniform(110, 220)
    wave = np.zeros(samples)

    def note(begin: int, step: int, octave: int, length: int, loud: float) -> None:
        span = np.arange(max(0, min(length, samples - begin))) / RATE_HZ
        pitch = key * 2 ** (octave + _SCALE[step % 7] / 12)
        tone = sum(np.sin(2 * np.pi * pitch * part * span) / part**1.3 for part in range(1, 6))
        wave[begin : begin + span.size] += loud * np.asarray(tone) * np.exp(-span * 3)

    for count, begin in enumerate(range(0, samples, beat)):
        for step in _CHORDS[count // 4 % 4]:
            note(begin, step, 0, 2 * beat, 0.4)
        note(begin, int(chance.integers(0, 7)), int(chance.integers(1, 3)), beat, 1.0)
        hit = min(int(0.05 * RATE_HZ), samples - begin)
        wave[begin : begin + hit] += chance.standard_normal(hit) * np.exp(-np.arange(hit) / 100) * 0.8
    return wave


def _babble(samples: int, chance: _Chance) -> _Wave:
    """Six people who talk at once, none of whom says a word: pulses through formants that move, in syllables."""
    wave = np.zeros(samples)
    for _ in range(6):
        wave += chance.uniform(0.5, 1.0) * _unit(_talker(samples, chance))
    return wave


def _talker(samples: int, chance: _Chance) -> _Wave:
    hop = _FRAME // 2
    frames = samples // hop + 2
    pitch = np.repeat(chance.uniform(90, 230) * (1 + 0.1 * _walk(frames, chance)), hop)
    turns = np.cumsum(pitch / RATE_HZ)
    source = np.diff(np.floor(turns), prepend=0.0) + 0.05 * chance.standard_normal(turns.size)
    hz = np.fft.rfftfreq(_FRAME, 1 / RATE_HZ)
    window = np.hanning(_FRAME)
    out = np.zeros(source.size + _FRAME)
    vowel, loud, left = (500.0, 1_500.0, 2_500.0), 0.0, 0
    for frame in range(frames - 2):
        if left == 0:  # a new sound of the syllable, or a pause
            left = int(chance.integers(3, 9))
            loud = 0.0 if chance.random() < 0.25 else chance.uniform(0.4, 1.0)
            vowel = (chance.uniform(250, 850), chance.uniform(900, 2_300), chance.uniform(2_300, 3_200))
        left -= 1
        shape = sum(1 / (1 + ((hz - centre) / 90.0) ** 2) for centre in vowel)
        piece = source[frame * hop : frame * hop + _FRAME] * window
        out[frame * hop : frame * hop + _FRAME] += loud * np.fft.irfft(np.fft.rfft(piece) * shape, _FRAME)
    return out[:samples]


KINDS: dict[str, Callable[[int, _Chance], _Wave]] = {
    "white": _white, "pink": _pink, "babble": _babble, "household": _household, "keyboard": _keyboard,
    "street": _street, "engine": _engine, "music": _music,
}  # fmt: skip
