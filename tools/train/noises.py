"""Noises made by procedure: what stands beside a caller, or between a caller and us. No recording is used.

`make(kind, count, chance)` gives `count` samples at 8 kHz, scaled to a root mean square of 1. STEADY noises go on all
the time; TRANSIENT ones strike and leave pauses: the trainer labels them with the noise phone. Seeds from
`JUDGED_SEED` up are the evaluation's and never train.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
Chance = np.random.Generator
RATE_HZ = 8000
JUDGED_SEED = 1_000_000


def _shaped(count: int, chance: Chance, gain: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> Samples:
    """White noise with the amplitude response `gain` of frequency in hertz."""
    spectrum = np.fft.rfft(chance.standard_normal(count, np.float32))
    return np.asarray(
        np.fft.irfft(spectrum * gain(np.fft.rfftfreq(count, 1 / RATE_HZ).astype(np.float64)), count), np.float32
    )


def _slow(count: int, chance: Chance, hertz: float, depth_db: float) -> Samples:
    """A gain that wanders by about `depth_db`, `hertz` times a second."""
    points = max(4, int(count / RATE_HZ * hertz * 2) + 3)
    wander = np.interp(np.linspace(0, points - 1, count), np.arange(points), chance.normal(0, depth_db / 2, points))
    return np.asarray(10 ** (wander / 20), np.float32)


def _peak(hertz: NDArray[np.float64], centre: float, width: float) -> NDArray[np.float64]:
    return np.asarray(1 / np.sqrt(1 + ((hertz - centre) / width) ** 2))


def pink(count: int, chance: Chance) -> Samples:
    return _shaped(count, chance, lambda hertz: 1 / np.sqrt(np.maximum(hertz, 50)))


def white(count: int, chance: Chance) -> Samples:
    return chance.standard_normal(count, np.float32)


def brown(count: int, chance: Chance) -> Samples:
    return _shaped(count, chance, lambda hertz: 1 / np.maximum(hertz, 60))


def hum(count: int, chance: Chance) -> Samples:
    """Mains: 50 or 60 Hz with harmonics, and the hiss beside it."""
    time, base = np.arange(count) / RATE_HZ, float(chance.choice([50.0, 60.0]))
    tone = sum(
        chance.uniform(0.2, 1) / order**0.7 * np.sin(2 * np.pi * base * order * time + chance.uniform(0, 6.3))
        for order in range(1, 16)
    )
    return np.asarray(tone + 0.1 * white(count, chance), np.float32)


def engine(count: int, chance: Chance) -> Samples:
    """A motor: firing at 20–90 Hz, its harmonics through a body with resonances, and the road."""
    speed = float(chance.uniform(20, 90)) * (1 + 0.2 * np.sin(np.linspace(0, chance.uniform(0, 12), count)))
    phase = 2 * np.pi * np.cumsum(speed) / RATE_HZ
    body = chance.uniform(100, 900), chance.uniform(900, 2000)
    tone = np.zeros(count)
    for order in range(1, int(3000 / speed.mean())):
        at = np.asarray([order * speed.mean()])
        loud = sum(_peak(at, centre, 150)[0] for centre in body) / order**0.3
        tone += loud * chance.uniform(0.3, 1) * np.sin(order * phase + chance.uniform(0, 6.3))
    road = _shaped(count, chance, lambda hertz: 1 / np.maximum(hertz, 200) ** chance.uniform(0.5, 1))
    return np.asarray(tone / tone.std() + chance.uniform(0.2, 1.5) * road / road.std(), np.float32)


def street(count: int, chance: Chance) -> Samples:
    """Traffic: a rumble that swells as cars pass, tyres that hiss, and a horn now and then."""
    rumble = _shaped(count, chance, lambda hertz: 1 / np.maximum(hertz, 80) ** 0.8)
    passing = np.zeros(count)
    time = np.arange(count) / RATE_HZ
    for _ in range(1 + int(count / RATE_HZ * 0.4)):
        passing += chance.uniform(0.5, 3) / (1 + ((time - chance.uniform(0, time[-1])) / chance.uniform(0.3, 1.2)) ** 2)
    hiss = _shaped(count, chance, lambda hertz: _peak(hertz, chance.uniform(500, 1100), 500))
    noise = rumble / rumble.std() + passing * hiss / hiss.std()
    if chance.random() < 0.4:
        at, length = chance.uniform(0, time[-1]), chance.uniform(0.2, 0.8)
        tones = sum(np.sin(2 * np.pi * chance.uniform(350, 550) * order * time) / order for order in range(1, 6))
        noise += 2 * tones * ((time > at) & (time < at + length))
    return np.asarray(noise * _slow(count, chance, 0.5, 4), np.float32)


def music(count: int, chance: Chance) -> Samples:
    """Chords and a tune of plucked or held harmonic tones over a drum, at 70–160 beats a minute."""
    noise, beat = np.zeros(count), int(RATE_HZ * 60 / chance.uniform(70, 160))
    root, scale = chance.uniform(80, 200), np.asarray([0, 2, 4, 5, 7, 9, 11, 12])
    decay = chance.uniform(0.15, 1.5)
    for start in range(0, count, beat // 2):
        length = min(count - start, int(RATE_HZ * 1.2))
        time = np.arange(length) / RATE_HZ
        for voice in range(int(chance.integers(1, 4))):
            pitch = root * 2 ** ((chance.choice(scale) + 12 * int(chance.integers(0, 3))) / 12)
            orders = np.arange(1, max(2, min(10, int(3800 / pitch))))
            partials = np.sin(2 * np.pi * pitch * orders[:, None] * time) / orders[:, None] ** chance.uniform(0.6, 1.6)
            noise[start : start + length] += partials.sum(0) * np.exp(-time / decay) * (0.5 + 0.5 * (voice == 0))
        if chance.random() < 0.6:
            noise[start : start + length] += 0.7 * chance.standard_normal(length) * np.exp(-time / 0.03)
    return np.asarray(noise, np.float32)


def water(count: int, chance: Chance) -> Samples:
    centre = chance.uniform(800, 3000)
    return _shaped(count, chance, lambda hertz: 0.1 + _peak(hertz, centre, 900)) * _slow(count, chance, 8, 4)


def wind(count: int, chance: Chance) -> Samples:
    return _shaped(count, chance, lambda hertz: 1 / np.maximum(hertz, 70) ** 1.3) * _slow(count, chance, 1.5, 14)


def fan(count: int, chance: Chance) -> Samples:
    """A vacuum cleaner, a dryer, a fan: broad noise with a whine."""
    time, whine = np.arange(count) / RATE_HZ, chance.uniform(100, 1500)
    tones = sum(np.sin(2 * np.pi * whine * order * time) / order for order in range(1, 4))
    broad = _shaped(count, chance, lambda hertz: 1 / np.maximum(hertz, 300) ** chance.uniform(0.2, 0.9))
    return np.asarray(broad / broad.std() + chance.uniform(0.05, 0.7) * tones, np.float32)


# ---------------------------------------------------------------------------------------------- what strikes
def _strikes(count: int, chance: Chance, a_second: float, strike: Callable[[], NDArray[np.float64]]) -> Samples:
    """Sounds of `strike` at random times, often in bursts, over a floor 50 dB below."""
    noise = np.zeros(count + RATE_HZ)
    for _ in range(max(1, int(chance.poisson(a_second * count / RATE_HZ)))):
        at = int(chance.integers(0, count))
        for _ in range(1 + int(chance.geometric(0.5)) if chance.random() < 0.5 else 1):
            sound = strike() * 10 ** (chance.normal(0, 6) / 20)
            length = min(len(sound), len(noise) - at)
            noise[at : at + length] += sound[:length]
            at = min(at + int(chance.uniform(0.02, 0.25) * RATE_HZ), len(noise) - 1)
    noise = noise[:count]
    return np.asarray(noise + 0.003 * np.abs(noise).max() * chance.standard_normal(count), np.float32)


def _ring(chance: Chance, low: float, high: float, modes: int, seconds: float, hiss: float) -> NDArray[np.float64]:
    """A struck body: inharmonic damped modes and the knock itself."""
    time = np.arange(int(RATE_HZ * min(0.9, 4 * seconds))) / RATE_HZ
    centres = chance.uniform(low, high, modes)
    decays = seconds * chance.uniform(0.3, 1.2, modes) * (low / centres) ** 0.3
    waves = np.sin(2 * np.pi * centres[:, None] * time + chance.uniform(0, 6.3, (modes, 1)))
    body = (chance.uniform(0.1, 1, (modes, 1)) * waves * np.exp(-time / decays[:, None])).sum(0)
    return np.asarray(body + hiss * chance.standard_normal(len(time)) * np.exp(-time / 0.006))


def clatter(count: int, chance: Chance) -> Samples:
    """Dishes, cutlery, pans: bright struck bodies in bursts."""
    low, modes = chance.uniform(500, 1800), int(chance.integers(4, 14))
    return _strikes(
        count, chance, chance.uniform(0.7, 4),
        lambda: _ring(chance, low, 3900, modes, chance.uniform(0.02, 0.25), chance.uniform(0.3, 3)),
    )  # fmt: skip


def knocks(count: int, chance: Chance) -> Samples:
    """Doors, steps, things put down: dull struck bodies."""
    return _strikes(
        count, chance, chance.uniform(0.5, 3),
        lambda: _ring(chance, 80, chance.uniform(300, 900), 5, chance.uniform(0.01, 0.06), chance.uniform(0.2, 1.5)),
    )  # fmt: skip


def keyboard(count: int, chance: Chance) -> Samples:
    low = chance.uniform(800, 2000)
    return _strikes(count, chance, chance.uniform(2, 8), lambda: _ring(chance, low, 3800, 4, 0.008, 2.0))


def clicks(count: int, chance: Chance) -> Samples:
    """Contacts, bad lines, lost samples: impulses of a few samples."""

    def sound() -> NDArray[np.float64]:
        length = int(chance.integers(1, 40))
        return chance.standard_normal(length) * np.hanning(length + 2)[1:-1]

    return _strikes(count, chance, chance.uniform(0.5, 8), sound)


def mouth(count: int, chance: Chance) -> Samples:
    """Breaths, lip smacks, coughs, a cleared throat."""

    def sound() -> NDArray[np.float64]:
        kind = chance.random()
        if kind < 0.3:
            return _ring(chance, 900, 3500, 3, 0.004, 1.5)
        length = int(RATE_HZ * (chance.uniform(0.2, 0.8) if kind < 0.75 else chance.uniform(0.08, 0.25)))
        centre, width = chance.uniform(500, 2500), chance.uniform(300, 1200)
        breath = _shaped(length, chance, lambda hertz: _peak(hertz, centre, width))
        rise = np.linspace(0, 1, length) ** (1.0 if kind < 0.75 else 0.1)
        return np.asarray(breath * np.sin(np.pi * rise) ** 0.7 * (1 if kind < 0.75 else 4))

    return _strikes(count, chance, chance.uniform(0.4, 1.5), sound)


def rustle(count: int, chance: Chance) -> Samples:
    """Paper, clothes, a handset that rubs: crackling bands of noise."""

    def sound() -> NDArray[np.float64]:
        length = int(RATE_HZ * chance.uniform(0.05, 0.5))
        crackle = chance.standard_normal(length) * (chance.random(length) < chance.uniform(0.02, 0.3))
        return np.asarray(np.convolve(crackle, _ring(chance, 600, 3800, 4, 0.002, 0.5)[:40])[:length])

    return _strikes(count, chance, chance.uniform(0.7, 4), sound)


def beeps(count: int, chance: Chance) -> Samples:
    """Alarms, phones, appliances: tones, chirps and warbles."""

    def sound() -> NDArray[np.float64]:
        time = np.arange(int(RATE_HZ * chance.uniform(0.05, 0.5))) / RATE_HZ
        sweep = chance.uniform(400, 3000) * (1 + chance.choice([0, 0, 0.3, -0.3]) * time / time[-1])
        warble = 1 + chance.choice([0, 0.1]) * np.sign(np.sin(2 * np.pi * chance.uniform(8, 25) * time))
        tone = np.sin(2 * np.pi * np.cumsum(sweep * warble) / RATE_HZ)
        return np.asarray((tone + chance.uniform(0, 0.5) * tone**3) * np.hanning(len(time)) ** 0.2)

    return _strikes(count, chance, chance.uniform(0.4, 2), sound)


def animals(count: int, chance: Chance) -> Samples:
    """Barks and a child's cries: gliding harmonic tones through one or two resonances."""

    def sound() -> NDArray[np.float64]:
        child = chance.random() < 0.4
        time = np.arange(int(RATE_HZ * (chance.uniform(0.4, 1.0) if child else chance.uniform(0.08, 0.25)))) / RATE_HZ
        arch = np.maximum(np.sin(np.pi * time / time[-1]), 0)
        phase = 2 * np.pi * np.cumsum(chance.uniform(350, 600) * (0.8 + 0.4 * arch)) / RATE_HZ
        centre = chance.uniform(800, 2500)
        at = np.arange(1, 9, dtype=np.float64) * 450
        tone = (_peak(at, centre, 500)[:, None] * np.sin(np.arange(1, 9)[:, None] * phase)).sum(0)
        rough = 0.0 if child else 1.0
        return np.asarray((tone + rough * chance.standard_normal(len(time))) * arch**0.5)

    return _strikes(count, chance, chance.uniform(0.4, 1.5), sound)


STEADY: dict[str, Callable[[int, Chance], Samples]] = {
    "pink": pink, "white": white, "brown": brown, "hum": hum, "engine": engine, "street": street, "music": music,
    "water": water, "wind": wind, "fan": fan,
}  # fmt: skip
TRANSIENT: dict[str, Callable[[int, Chance], Samples]] = {
    "clatter": clatter, "knocks": knocks, "keyboard": keyboard, "clicks": clicks, "mouth": mouth, "rustle": rustle,
    "beeps": beeps, "animals": animals,
}  # fmt: skip


def make(kind: str, count: int, chance: Chance) -> Samples:
    """`count` samples of noise `kind` at 8 kHz with root mean square 1; the same `chance`, the same noise."""
    sound = {**STEADY, **TRANSIENT}[kind](count, chance).astype(np.float64)
    sound -= sound.mean()
    return np.asarray(sound / (np.sqrt((sound**2).mean()) + 1e-12), np.float32)
