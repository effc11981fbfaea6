"""Decodes what models are judged on by the engine's own recogniser, and fills in the table."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from engine.runtime.graph_shelf import Shelf
from engine.runtime.vosk_library import Decoder

from engine.speech.grammar import Grammar, Line, Slot
from engine.speech.words import GARBAGE
from tools.train import judged
from tools.train.judged import CLEAN, Case, Held
from tools.train.speakers import HELD_OUT

ALTERNATIVES = 10
BEYOND = 7.0  # the margin taken where the garbage path is not among the alternatives


@dataclass(frozen=True)
class Outcome:
    """What was heard (best phrase of the grammar, "" for none) and how far the garbage path is behind it."""

    said: str
    heard: str
    margin: float
    runner_up: float = BEYOND  # how far the next phrase is behind

    @property
    def right(self) -> bool:
        return self.heard == self.said


def grammar_of(case: Case) -> Grammar:
    if case.digits:
        return Grammar(
            "en", (Line("$digits", "digits"),), {"digits": Slot("digits", case.digits, case.digits)}, fillers=False
        )
    return Grammar("en", tuple(Line(phrase, phrase) for phrase in case.phrases), fillers=False)


class Judge:
    """Decodes cases with the model in `folder`; compiled graphs are kept in `cache`."""

    def __init__(self, folder: Path, cache: Path) -> None:
        self.folder, self.shelf = str(folder), Shelf(cache)

    def outcome(self, case: Case) -> Outcome:
        prepared = self.shelf.prepared(self.folder, grammar_of(case), {})
        decoder = Decoder(prepared.model, prepared.phrases, ALTERNATIVES)
        decoder.feed(case.sound)
        best, others, garbage = "", list[float](), -math.inf
        for reading in decoder.final():
            if GARBAGE in reading.words.split():
                garbage = max(garbage, reading.score)
            elif reading.words:
                best = best or (reading.words.replace("oh", "zero") if case.digits else reading.words)
                others.append(reading.score)
        if not others:
            return Outcome(case.said, "", -BEYOND)
        margin = others[0] - garbage if garbage > -math.inf else BEYOND
        return Outcome(case.said, best, margin, others[0] - others[1] if len(others) > 1 else BEYOND)

    def outcomes(self, cases: Sequence[Case]) -> list[Outcome]:
        return [self.outcome(case) for case in cases]


def accepted_right(outcomes: Sequence[Outcome], least: float) -> float:
    """The share that was understood and accepted, per cent."""
    return 100 * sum(each.right and each.margin >= least for each in outcomes) / len(outcomes)


def rejected(outcomes: Sequence[Outcome], least: float) -> float:
    return 100 * sum(not each.heard or each.margin < least for each in outcomes) / len(outcomes)


def threshold(foreign: Sequence[Outcome], share: float) -> float:
    """The least margin that rejects `share` per cent of `foreign`."""
    margins = sorted((each.margin if each.heard else -BEYOND) for each in foreign)
    return margins[min(len(margins) - 1, math.ceil(share / 100 * len(margins)) - 1)] + 1e-3


def steepness(right: Sequence[Outcome], wrong: Sequence[Outcome], even: float) -> float:
    """The slope of a logistic through `even` that makes the margins of both the likeliest, by search."""
    margins = np.asarray([each.margin for each in right if each.right] + [each.margin for each in wrong if each.heard])
    truth = np.asarray([1.0] * sum(each.right for each in right) + [0.0] * sum(bool(each.heard) for each in wrong))
    weight = np.where(truth > 0, 1 / max(1.0, truth.sum()), 1 / max(1.0, (1 - truth).sum()))

    def cost(steep: float) -> float:
        push = np.clip(steep * (margins - even), -60, 60)
        return float((weight * np.logaddexp(0, np.where(truth > 0, -push, push))).sum())

    return min((step / 20 for step in range(2, 101)), key=cost)


@dataclass(frozen=True)
class Row:
    name: str
    goal: str
    cases: Callable[[tuple[str, int]], list[Case]]
    conditions: tuple[tuple[str, int], ...]
    foreign: bool = False


def rows(held: Held, stamps: Path | None, known: Callable[[str], bool]) -> list[Row]:
    """The table of the speech issue, as far as it can be measured with what anyone can install."""
    babble = held.babble()
    pink = (CLEAN, ("pink", 20), ("pink", 10))
    around = tuple((kind, level) for level in (25, 15) for kind in ("household", "street", "music", "engine"))
    four = HELD_OUT[1], HELD_OUT[4], HELD_OUT[9], HELD_OUT[11]
    table = [
        Row("menu phrases, held-out voices", "99.5 99.5 98 88", lambda at: judged.menu_cases(held, at, babble),
            (*pink, ("babble", 10))),
        Row("digit strings of length 4", "98 97 92", lambda at: judged.digit_cases(held, at, babble), pink),
        Row("human voice, menus of 8", "98 98 95", lambda at: judged.person_cases(at, 8), pink),
        Row("human voice, all words at once", "94 90 80", lambda at: judged.person_cases(at, 0), pink),
        Row("foreign sentences rejected", "98", lambda at: judged.foreign_cases(held, at, babble),
            (*pink, ("babble", 10)), True),
        Row("human foreign sentences rejected", "98", judged.person_foreign_cases, pink, True),
        Row("menu phrases in noise", "clean −3 at 25, −12 at 15", lambda at: judged.menu_cases(held, at, babble, four),
            (CLEAN, *around)),
        Row("human, menus of 8, in noise", "clean −3 at 25, −12 at 15", lambda at: judged.person_cases(at, 8),
            (CLEAN, *around)),
    ]  # fmt: skip
    if stamps is not None:
        table.append(Row("amateurs, menus of 8", "(no goal)", lambda at: judged.amateur_cases(stamps, at, 8, known),
                         (*pink, ("household", 25))))  # fmt: skip
        table.append(
            Row("amateurs, all words at once", "(no goal)", lambda at: judged.amateur_cases(stamps, at, 0, known), pink)
        )
    return table


def label(condition: tuple[str, int]) -> str:
    return f"{condition[0]} {condition[1]}" if condition[0] else "clean"
