"""What is heard on a caller's line and is no word of his: material for `tools.endpoints`, beside `speech.noises`.

Everything is made by procedure from a seed; the same arguments give the same samples (float64, 8 kHz, full scale
32,768). Levels are of the loud parts, so that a cough has one although it is mostly silence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from engine.media import clips, g711

Wave = NDArray[np.float64]
RATE = 8_000
FULL = 32_768.0
HISS_DBFS = -68.0
_Chance = np.random.Generator


def at(dbfs: float) -> float:
    """The root mean square of a level."""
    return float(10 ** (dbfs / 20)) * FULL


def hiss(samples: int, seed: int, dbfs: float = HISS_DBFS) -> Wave:
    """A quiet line."""
    return np.random.default_rng(seed).standard_normal(samples) * at(dbfs)


def levelled(wave: Wave, dbfs: float) -> Wave:
    """Its loud parts (20 ms within 12 dB of the loudest) at this level."""
    power = np.convolve(wave**2, np.ones(160) / 160, "same")
    return np.asarray(wave * (at(dbfs) / np.sqrt(np.mean(wave[power > power.max() / 16] ** 2))), np.float64)


def _through(chance: _Chance, samples: int, formants: tuple[tuple[float, float], ...]) -> Wave:
    """Noise through resonances (Hz, width in Hz)."""
    hz = np.fft.rfftfreq(samples, 1 / RATE)
    gain = sum(1 / (1 + ((hz - centre) / width) ** 2) for centre, width in formants) + 0.02
    return np.asarray(np.fft.irfft(np.fft.rfft(chance.standard_normal(samples)) * gain, samples))


def _events(samples: int, seed: int, gaps_s: tuple[float, float], make: Callable[[_Chance], Wave]) -> Wave:
    """One after another, with pauses between."""
    chance, wave = np.random.default_rng(seed), np.zeros(samples)
    place = int(chance.uniform(*gaps_s) * RATE)
    while place < samples:
        event = make(chance)[: samples - place]
        wave[place : place + event.size] += event
        place += event.size + int(chance.uniform(*gaps_s) * RATE)
    return wave


def _struck(chance: _Chance, hz: tuple[float, float], partials: int, decay_s: tuple[float, float]) -> Wave:
    """A blow: a scrape, and partials that die away."""
    longest = decay_s[1]
    span = np.arange(int(6 * longest * RATE)) / RATE
    wave = np.zeros(span.size)
    for pitch in chance.uniform(*hz, partials):
        wave += chance.uniform(0.3, 1.0) * np.exp(-span / chance.uniform(*decay_s)) * np.sin(2 * np.pi * pitch * span)
    scrape = int(chance.uniform(0.001, 0.006) * RATE)
    wave[:scrape] += 1.5 * chance.standard_normal(scrape)
    return wave * 10 ** chance.uniform(-0.6, 0.0)


def _cough(chance: _Chance) -> Wave:
    """An explosion, the air behind it, and now and then a voice at its end."""
    parts = []
    for _ in range(int(chance.integers(1, 4))):
        span = np.arange(int(chance.uniform(0.2, 0.35) * RATE)) / RATE
        air = _through(chance, span.size, ((600, 200), (1_400, 250), (2_600, 350)))
        air *= np.exp(-span / 0.012) * 2.0 + 0.6 * np.exp(-span / 0.12)
        if chance.random() < 0.4:
            pitch = chance.uniform(140, 260) * (1 - 0.4 * span)
            pulses = np.diff(np.floor(np.cumsum(pitch / RATE)), prepend=0.0)
            late = np.clip((span - 0.12) / 0.04, 0, 1) * np.exp(-np.maximum(span - 0.16, 0) / 0.05)
            ringing = np.exp(-np.arange(80) / 14) * np.cos(2 * np.pi * 600 / RATE * np.arange(80))
            air += 1.2 * late * np.convolve(pulses, ringing)[: span.size]
        parts += [air, np.zeros(int(chance.uniform(0.05, 0.2) * RATE))]
    return np.concatenate(parts)


def _breath(chance: _Chance) -> Wave:
    """In and out again."""
    parts = []
    for length, formants in (((0.5, 1.0), ((900, 500), (2_300, 600))), ((0.7, 1.4), ((500, 400), (1_600, 700)))):
        count = int(chance.uniform(*length) * RATE)
        parts.append(_through(chance, count, formants) * np.sin(np.pi * np.arange(count) / count) ** 2)
        parts.append(np.zeros(int(chance.uniform(0.1, 0.5) * RATE)))
    return np.concatenate(parts)


def _puff(chance: _Chance) -> Wave:
    """Breath or wind straight into the microphone: low and rough."""
    count = int(chance.uniform(0.15, 0.8) * RATE)
    return _through(chance, count, ((60, 80), (180, 120))) * np.hanning(count)


def _mouth(chance: _Chance) -> Wave:
    """Lips and tongue."""
    parts = []
    for _ in range(int(chance.integers(1, 4))):
        span = np.arange(160)
        parts += [_through(chance, 160, ((1_800, 400), (3_000, 500))) * np.exp(-span / 25), np.zeros(600)]
    return np.concatenate(parts)


def _keys(chance: _Chance) -> Wave:
    """A few letters on a keyboard with a deep stroke: down, the frame under it, up."""
    parts = []
    for _ in range(int(chance.integers(3, 12))):
        down = _struck(chance, (1_500, 3_500), 3, (0.002, 0.006))
        frame = 0.7 * _struck(chance, (180, 500), 2, (0.006, 0.015))
        both = np.zeros(max(down.size, frame.size) + 400)
        both[: down.size] += down
        both[40 : 40 + frame.size] += frame
        parts += [both, 0.4 * down, np.zeros(int(chance.uniform(0.02, 0.2) * RATE))]
    return np.concatenate(parts)


def _diesel(samples: int, seed: int) -> Wave:
    """A motor that idles and is let out now and then, below a cab that drones."""
    chance = np.random.default_rng(seed)
    knots = 1 + 0.6 * np.maximum(0, chance.standard_normal(samples // RATE + 2))
    speed = 22.0 * np.interp(np.arange(samples), np.arange(knots.size) * RATE, knots)
    strokes = np.diff(np.floor(np.cumsum(speed / RATE)), prepend=0.0)
    strokes *= chance.uniform(0.5, 1.0, samples)
    knock = _through(chance, 320, ((90, 60), (400, 200), (1_100, 400))) * np.exp(-np.arange(320) / 60)
    drone = _through(chance, samples, ((70, 40), (150, 60)))
    knocks = np.convolve(strokes, knock)[:samples]
    return np.asarray(knocks / knocks.std() + 0.5 * drone / drone.std())


def _cleaner(samples: int, seed: int) -> Wave:
    """A vacuum cleaner, switched on and off."""
    chance = np.random.default_rng(seed)
    span = np.arange(samples) / RATE
    on = np.convolve((np.sin(2 * np.pi * span / 9.0 + chance.uniform(0, 6)) > 0).astype(float), np.ones(3_000) / 3_000,
                     "same")  # fmt: skip
    whine = sum(np.sin(2 * np.pi * 287.0 * step * np.cumsum(0.7 + 0.3 * on) / RATE) / step for step in (1, 2, 3))
    air = _through(chance, samples, ((700, 500), (1_800, 900)))
    return np.asarray(on * (air / air.std() + 0.5 * whine))


def _tones(samples: int) -> Wave:
    """Ring-back, busy, beeps, DTMF, the milliwatt and fax tones of several countries, one after another."""
    parts: list[Wave] = []
    for kind in ("ringback", "busy", "congestion"):
        for land in ("us", "gb", "de", "fr", "cn", "hk", "jp"):
            both = clips.tone(f"tone/{kind}.{land}")
            assert both is not None
            parts += [g711.decode(both[0], 0).astype(np.float64), np.zeros(3_777)]
    parts += [part for key in "1234567890*#ABCD" for part in (clips.dtmf(key, 0.1).astype(np.float64), np.zeros(823))]
    for hertz, seconds in ((1_000, 0.25), (1_400, 0.4), (1_000, 3.0), (1_100, 0.5), (2_100, 3.0)):
        parts += [clips.sine((hertz,), seconds, -13.0), np.zeros(5_111)]
    return np.resize(np.concatenate(parts), samples)


def _comfort(samples: int, seed: int) -> Wave:
    """Comfort noise that comes and goes with a peer's own gate."""
    chance = np.random.default_rng(seed)
    steps = 10 ** (np.repeat(chance.choice([-20.0, 0.0, 6.0], samples // 2_000 + 1), 2_000)[:samples] / 20)
    return _through(chance, samples, ((400, 800), (2_000, 2_000))) * steps


EVENTS: dict[str, tuple[float, tuple[float, float], Callable[[_Chance], Wave]]] = {  # dBFS, pauses in s
    "dishes": (-28.0, (0.02, 0.5), lambda chance: _struck(chance, (700, 3_800), 5, (0.01, 0.09))),
    "glasses": (-30.0, (0.1, 1.0), lambda chance: _struck(chance, (1_000, 3_300), 3, (0.05, 0.25))),
    "thumps": (-24.0, (0.3, 1.5), lambda chance: _struck(chance, (90, 420), 4, (0.015, 0.06))),
    "steps": (-32.0, (0.35, 0.55), lambda chance: _struck(chance, (150, 900), 4, (0.008, 0.025))),
    "keys": (-32.0, (0.2, 1.5), _keys),
    "coughs": (-20.0, (1.0, 4.0), _cough),
    "breath": (-34.0, (0.3, 1.0), _breath),
    "puffs": (-24.0, (0.3, 2.0), _puff),
    "mouth": (-34.0, (0.4, 2.0), _mouth),
}
STEADY: dict[str, tuple[float, Callable[[int, int], Wave]]] = {
    "diesel": (-32.0, _diesel),
    "cleaner": (-35.0, _cleaner),
    "comfort noise": (-52.0, _comfort),
    "tones": (-16.0, lambda samples, seed: _tones(samples)),
}


def make(name: str, samples: int, seed: int) -> Wave:
    """So much of one of `names()`, on a quiet line."""
    if name in EVENTS:
        dbfs, gaps_s, event = EVENTS[name]
        wave = _events(samples, seed, gaps_s, event)
    else:
        dbfs, recipe = STEADY[name]
        wave = recipe(samples, seed)
    return levelled(wave, dbfs) + hiss(samples, seed + 1)


def names() -> Iterator[str]:
    """Everything that there is."""
    yield from EVENTS
    yield from STEADY


def jumping_echo(sent: Wave, db: float, seed: int, every_s: tuple[float, float] = (4.0, 10.0)) -> Wave:
    """A gateway's echo of the prompt, `db` weaker, whose delay (20 to 300 ms) jumps by 20 to 100 ms now and then, as
    when a jitter buffer on the way sets itself anew."""
    chance, wave, place = np.random.default_rng(seed), np.zeros(sent.size), 0
    hybrid = chance.standard_normal(40) * np.exp(-np.arange(40) / 7)
    back = np.convolve(sent, hybrid)[: sent.size]
    back *= 10 ** (db / 20) * np.sqrt(np.mean(sent**2) / np.mean(back**2))
    delay = int(chance.integers(300, 1_500))
    while place < sent.size:
        end = min(sent.size, place + int(chance.uniform(*every_s) * RATE))
        source = np.arange(place, end) - delay
        wave[place:end] = np.where(source >= 0, back[np.maximum(source, 0)], 0.0)
        place = end
        delay = int(np.clip(delay + chance.choice([-1, 1]) * chance.integers(160, 801), 160, 2_400))
    return wave
