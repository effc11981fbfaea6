"""Decodes what models are judged on by the engine's own recogniser, and chooses the costs that a model ships with."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import yaml

from engine.runtime import vosk_library
from engine.runtime.embedded_recognizer import alternatives_max
from engine.runtime.graph_shelf import Shelf
from engine.speech import confidence
from engine.speech import words as spelling
from engine.speech.confidence import Calibration
from tools.train import judged
from tools.train.judged import CLEAN, Case, Condition, Held, Meaning
from tools.train.speakers import HELD_OUT, MANDARIN_HELD_OUT

BEYOND = Calibration().beyond  # the margin taken where the garbage path is not among the alternatives
ACCEPTED = 0.5  # what a dialplan's `accept` is where it says nothing


@dataclass(frozen=True)
class Outcome:
    """The scores of what was heard, by meaning, best first, and of the garbage path (None: not told)."""

    meant: Meaning | None
    heard: tuple[Meaning, ...]
    scores: tuple[float, ...]
    garbage: float | None

    @property
    def right(self) -> bool:
        """Is the best reading, however sure, what was said?"""
        return self.heard[:1] == ((self.meant,) if self.meant is not None else ())

    @property
    def margin(self) -> float:
        """How far the garbage path is behind the best reading."""
        if not self.scores:
            return -BEYOND
        return self.scores[0] - self.garbage if self.garbage is not None else BEYOND

    def sure(self, calibration: Calibration) -> float:
        """The engine's confidence in the best reading, 0 where there is none."""
        return next(iter(confidence.confidences(self.scores, self.garbage, calibration)), 0.0)


class Judge:
    """Decodes cases with the model in `folder` by graphs that the engine compiles into `cache`."""

    def __init__(self, folder: Path, cache: Path) -> None:
        self.folder, self.shelf = str(folder), Shelf(cache)
        self.calibration = self.shelf.own(self.folder).manifest.confidence

    def outcome(self, case: Case) -> Outcome:
        """As `EmbeddedRecognizer` reads an utterance, with the scores that it doesn't tell."""
        prepared = self.shelf.prepared(self.folder, case.grammar, {})
        decoder = vosk_library.Decoder(prepared.model, (), alternatives_max)
        decoder.feed(case.sound)
        garbage: float | None = None
        scores: dict[Meaning, float] = {}
        for reading in decoder.final():
            said = spelling.split(reading.words, case.grammar.language)
            if spelling.GARBAGE in said:
                garbage = reading.score if garbage is None else max(garbage, reading.score)
                continue
            for heard in prepared.matcher.read(said, "") if said else ():
                meaning = heard.intent, tuple(sorted(heard.slots.items()))
                scores[meaning] = max(reading.score, scores.get(meaning, -math.inf))
        best = sorted(scores, key=lambda meaning: -scores[meaning])
        return Outcome(case.meant, tuple(best), tuple(scores[meaning] for meaning in best), garbage)

    def outcomes(self, cases: Sequence[Case]) -> list[Outcome]:
        return [self.outcome(case) for case in cases]


def wilson(hits: int, count: int) -> tuple[float, float]:
    """The 95 % interval of a share, per cent."""
    if not count:
        return 0.0, 100.0
    z, share = 1.96, hits / count
    middle = share + z * z / (2 * count)
    half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    below = 1 + z * z / count
    return 100 * (middle - half) / below, 100 * (middle + half) / below


@dataclass(frozen=True)
class Row:
    """`cases` of every condition; `foreign`: they are to be rejected; `least`: the goal of each condition, per cent.
    Where `loss` is set, the goals are counted from what is understood of the first condition, the clean one."""

    name: str
    cases: Callable[[Condition], list[Case]]
    conditions: tuple[Condition, ...]
    least: tuple[float, ...]
    foreign: bool = False
    loss: bool = False


def rows(held: Held, stamps: Path | None, known: Callable[[str], bool], abroad: bool) -> list[Row]:
    """The table of the speech issue, as far as it can be measured with what anyone can install.

    `stamps`: the folder of an amateur's words; `abroad`: the voices from abroad can be made to speak.
    """
    babble = held.babble()
    pink: tuple[Condition, ...] = (CLEAN, ("pink", 20), ("pink", 10))
    kinds = ("household", "street", "music", "engine")
    around: tuple[Condition, ...] = (CLEAN, *((kind, level) for level in (25, 15) for kind in kinds))
    loss = (0.0, *[3.0] * 4, *[12.0] * 4)
    four = HELD_OUT[1], HELD_OUT[4], HELD_OUT[9], HELD_OUT[11]
    none = (0.0, 0.0, 0.0)
    home: tuple[Condition, ...] = (CLEAN, ("household", 25))
    table = [
        Row("menu phrases, held-out voices", lambda at: judged.menu_cases(held, at, babble), (*pink, ("babble", 10)),
            (99.5, 99.5, 98, 88)),
        Row("digit strings of length 4", lambda at: judged.digit_cases(held, at), pink, (98, 97, 92)),
        Row("human voice, menus of 8", lambda at: judged.person_cases(at, 8), pink, (98, 98, 95)),
        Row("human voice, 116 words at once", lambda at: judged.person_cases(at, 0), pink, (94, 90, 80)),
        Row("foreign sentences rejected", lambda at: judged.foreign_cases(held, at, babble), (*pink, ("babble", 10)),
            (98, 98, 98, 98), foreign=True),
        Row("human foreign sentences rejected", judged.person_foreign_cases, pink, (98, 98, 98), foreign=True),
        Row("menu phrases in noise", lambda at: judged.menu_cases(held, at, babble, four), around, loss, loss=True),
        Row("human voice, menus of 8, in noise", lambda at: judged.person_cases(at, 8, 2), around, loss, loss=True),
    ]  # fmt: skip
    if abroad:
        table += [
            Row("synthetic accents, single digits", lambda at: judged.single_digit_cases(held, at), home, (95, 0)),
            Row("synthetic accents, orders of 5 slots", lambda at: judged.order_cases(held, at), home, (88, 80)),
        ]
    if stamps is not None:
        table += [
            Row("an amateur, menus of 8", lambda at: judged.amateur_cases(stamps, at, 8, known), pink, none),
            Row("an amateur, all words at once", lambda at: judged.amateur_cases(stamps, at, 0, known), pink, none),
        ]
    return table


def mandarin_rows(held: Held) -> list[Row]:
    """The same for Mandarin, as far as voices that never train go: two of Kokoro's, four of espeak-ng's."""
    pink: tuple[Condition, ...] = (CLEAN, ("pink", 20), ("pink", 10))
    table = []
    for kind, voices in (("Kokoro's", MANDARIN_HELD_OUT[:2]), ("espeak-ng's", MANDARIN_HELD_OUT[2:])):
        menu, digits, foreign = (
            partial(cases, held, voices=voices)
            for cases in (judged.mandarin_menu, judged.mandarin_digits, judged.mandarin_foreign)
        )
        table += [
            Row(f"menu phrases, {kind} voices", menu, pink, (99.5, 99.5, 98)),
            Row(f"digit strings of length 4, {kind} voices", digits, pink, (98, 97, 92)),
            Row(f"foreign sentences rejected, {kind} voices", foreign, pink, (98, 98, 98), foreign=True),
        ]
    return table


def label(condition: Condition) -> str:
    return f"{condition[0]} {condition[1]}" if condition[0] else "clean"


@dataclass(frozen=True)
class Choice:
    """What development found: costs, calibration, and how much of words and of foreign sentences was taken rightly."""

    garbage_phone_cost: float
    calibration: Calibration
    understood: float
    rejected: float


def calibrate(words: Sequence[Outcome], foreign: Sequence[Outcome], share: float) -> Calibration:
    """`steep` and `spread` by likelihood, then the least `even` with which the engine would reject `share` per cent of
    the foreign sentences."""
    margins = sorted(each.margin for each in foreign)
    even = margins[min(len(margins) - 1, math.ceil(share / 100 * len(margins)) - 1)] + 1e-3
    even = min(even, BEYOND - 0.5)
    inside = np.asarray([each.margin for each in words if each.right])
    outside = np.asarray([each.margin for each in foreign if each.heard])

    def doubt(steep: float) -> float:
        missed, taken = np.logaddexp(0, -steep * (inside - even)), np.logaddexp(0, steep * (outside - even))
        return float(missed.mean() + taken.mean())

    def surprise(spread: float) -> float:
        chances = [
            sum(math.exp((score - each.scores[0]) / spread) for score in each.scores)
            / math.exp((each.scores[each.heard.index(each.meant)] - each.scores[0]) / spread)
            for each in words
            if each.meant is not None and each.meant in each.heard
        ]
        return float(np.log(chances).mean())

    steep = min((step / 20 for step in range(2, 61)), key=doubt)
    spread = min((step / 4 for step in range(1, 25)), key=surprise)
    for quarters in range(round(-4 * BEYOND), round(4 * BEYOND)):
        found = Calibration(quarters / 4, steep, spread)
        if shares(words, foreign, found)[1] >= share:
            return found
    return Calibration(BEYOND, steep, spread)


def tuned(folder: Path, costs: Sequence[float], share: float, cache: Path) -> list[Choice]:
    """Every cost with the calibration that rejects `share` per cent of the development set's foreign sentences."""
    held, found = Held(cache / "voices"), []
    words, foreign = judged.development_words(held), judged.development_foreign(held)
    for cost in costs:
        trial = cache / f"trial-{cost}"
        shutil.rmtree(trial, ignore_errors=True)
        shutil.copytree(folder, trial)
        told = yaml.safe_load((trial / "manifest.yaml").read_text("utf-8"))
        told["tuning"] = {**told.get("tuning", {}), "garbage_phone_cost": cost}
        (trial / "manifest.yaml").write_text(yaml.safe_dump(told), "utf-8")
        judge = Judge(trial, cache / "graphs")
        heard, others = judge.outcomes(words), judge.outcomes(foreign)
        calibration = calibrate(heard, others, share)
        found.append(Choice(cost, calibration, *shares(heard, others, calibration)))
        shutil.rmtree(trial, ignore_errors=True)
    return found


def shares(words: Sequence[Outcome], foreign: Sequence[Outcome], calibration: Calibration) -> tuple[float, float]:
    """(understood and accepted, rejected), per cent."""
    understood = sum(each.right and each.sure(calibration) >= ACCEPTED for each in words)
    rejected = sum(each.sure(calibration) < ACCEPTED for each in foreign)
    return 100 * understood / max(1, len(words)), 100 * rejected / max(1, len(foreign))
