"""Callers who never speak, never stop, play music or noise, or press keys while they talk, through the real endpointer
and the real recogniser: how long each may take, and what it may cost."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.media.ears import KEY, PLAYING
from engine.runtime.graph_shelf import Shelf
from engine.runtime.hearers import Hearers
from engine.runtime.one_utterance import Endpoint, OneUtterance
from engine.runtime.recognizer_child import endpointing
from engine.runtime.wav import read_wav
from engine.speech.ports import Listening, Samples, Utterance
from tests.runtime.fakes import run
from tests.runtime.spoken import MENU, MODEL, PROMPTS, frames, silence, spoken

MUSIC = Path(PROMPTS).parent / "music/default.wav"
TURNS = 3  # how often a menu asks
COST_MAX = 6.0  # `work()` per second heard: 3.4 at most as the search is bounded, 10 to 13 with a lattice beam of 10
MEMORY_KB_MAX = 64_000
QUIET = np.zeros(160, np.int16)


def noise(seconds: int, level_dbfs: float, *, pink: bool = False) -> Samples:
    white = np.fft.rfft(np.random.default_rng(7).standard_normal(seconds * 8_000))
    bent = np.fft.irfft(white / np.sqrt(np.maximum(np.arange(white.size), 30)) if pink else white)
    return np.clip(bent * 32_768 * 10 ** (level_dbfs / 20) / bent.std(), -32_768, 32_767).astype(np.int16)


def talk(seconds: int) -> Samples:
    """Somebody who doesn't pause for breath."""
    one = spoken("all_busy", "technical_fault", "thank_you", before_ms=0, between_ms=60, after_ms=60)
    return np.tile(one, seconds * 8_000 // one.size + 1)[: seconds * 8_000]


Turn = tuple[Utterance | None, float]


def turns(samples: Samples, flags: int = 0) -> list[Turn]:
    """One turn of a menu after the other through the same sound: what came of each (None: nobody has spoken when the
    sound was over), and its processor time as a share of the sound's."""

    async def work() -> list[Turn]:
        Shelf().prepared(MODEL, MENU, {})
        hearers, make = Hearers(), endpointing()
        await hearers.prepare(MENU, MODEL)
        found: list[Turn] = []
        sound: Iterator[Samples] = frames(samples)
        before: Endpoint | None = None
        for _ in range(TURNS):
            wish = Listening("menu", "en")
            before = make(wish, before)
            utterance = OneUtterance(wish, before, lambda ms: None)
            utterance.serve(hearers._here(MODEL, MENU, wish))
            began, number = time.process_time(), -1
            for number, frame in enumerate(sound):
                utterance.frame(number, frame, QUIET, flags)
                if utterance.over:
                    break
            said = await utterance.conclude() if utterance.over else None
            found.append((said, (time.process_time() - began) / max(0.02, 0.02 * (number + 1))))
        await hearers.close()
        return found

    return run(work(), 120)


def bounded(samples: Samples, flags: int = 0) -> list[Turn]:
    """The same; AssertionError when it cost too much, by what a fixed piece of work costs on this machine."""
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = turns(samples, flags)
    grown_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb
    told = [(said.result, said.decided_ms, round(cost, 3)) if said else ("nothing", 0, cost) for said, cost in found]
    print(told, f"{grown_kb} kB")
    assert grown_kb < MEMORY_KB_MAX
    assert max(cost for _, cost in found) < COST_MAX * work()
    return found


def work() -> float:
    """Processor seconds of the same arithmetic, wherever it runs."""
    began, total = time.process_time(), 0
    for number in range(2_000_000):
        total += number * number % 7
    return time.process_time() - began


@pytest.fixture(scope="module", autouse=True)
def _warm() -> None:
    """What is loaded once is nobody's cost."""
    turns(spoken("goodbye"))


@pytest.mark.parametrize(("what", "sound"), [
    ("a quiet line", silence(60_000)), ("pink noise", noise(60, -45, pink=True)), ("white noise", noise(60, -45)),
])
def test_who_never_speaks_begins_nothing(what: str, sound: Samples) -> None:
    first, *_ = bounded(sound)
    assert first[0] is None  # so the step's own time-out hands him on


@pytest.mark.parametrize(("what", "sound", "results"), [
    ("talking", talk(60), ["too_long"]),
    ("talking in noise", (talk(60) // 2 + noise(60, -40, pink=True) // 2).astype(np.int16), ["too_long"]),
    # what isn't taken for speech either is left to the step's own time-out
    ("music", read_wav(MUSIC)[: 60 * 8_000], ["too_long", "no_match", "nothing"]),
    ("loud white noise", noise(60, -18), ["too_long", "no_match", "nothing"]),
])
def test_who_never_stops_is_cut_off_each_time(what: str, sound: Samples, results: list[str]) -> None:
    for said, _ in bounded(sound):
        assert (said.result if said is not None else "nothing") in results
        assert said is None or said.decided_ms - said.speech_start_ms <= Listening("menu", "en").utterance_ms_max


def test_keys_while_he_talks_are_no_words() -> None:
    """The frames of a key are not speech, whatever is said beside it: the key decides, elsewhere."""
    first, *_ = bounded(talk(10), KEY | PLAYING)
    assert first[0] is None
