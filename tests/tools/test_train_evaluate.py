"""How a model is judged, and how its costs are chosen: the arithmetic, on scores made up for it."""

from __future__ import annotations

import numpy as np
import pytest

from engine.speech.confidence import Calibration
from tools.train import evaluate
from tools.train.evaluate import BEYOND, Outcome

SALES, BILLING = ("sales", ()), ("billing", ())


def outcome(meant: tuple[str, tuple[()]] | None, margin: float, behind: float = 5.0) -> Outcome:
    """"sales" was heard, `margin` before the garbage path and `behind` before "billing"."""
    return Outcome(meant, (SALES, BILLING), (0.0, -behind), -margin)


def test_an_outcome_is_right_when_its_best_reading_is_what_was_said() -> None:
    assert outcome(SALES, 3).right
    assert not outcome(BILLING, 3).right
    assert not outcome(None, 3).right
    assert Outcome(None, (), (), 0.0).right


def test_without_readings_the_margin_is_the_least_and_without_garbage_the_greatest() -> None:
    assert Outcome(SALES, (), (), 0.0).margin == -BEYOND
    assert Outcome(SALES, (SALES,), (0.0,), None).margin == BEYOND
    assert Outcome(SALES, (SALES,), (0.0,), -2.5).margin == 2.5


def test_sureness_is_the_engines_confidence_and_nothing_heard_is_not_sure() -> None:
    calibration = Calibration(even=1.0, steep=1.0, spread=0.5)
    assert outcome(SALES, 4).sure(calibration) > 0.9
    assert outcome(SALES, -2).sure(calibration) < 0.1
    assert Outcome(SALES, (), (), 0.0).sure(calibration) == 0.0


@pytest.mark.parametrize(
    ("hits", "count", "low", "high"), [(0, 10, 0.0, 27.8), (5, 10, 23.7, 76.3), (96, 100, 90.2, 98.4)]
)
def test_the_interval_of_a_share(hits: int, count: int, low: float, high: float) -> None:
    assert evaluate.wilson(hits, count) == pytest.approx((low, high), abs=0.1)


def test_of_nothing_nothing_is_known() -> None:
    assert evaluate.wilson(0, 0) == (0.0, 100.0)


def test_the_calibration_rejects_the_share_that_was_asked_for_and_separates() -> None:
    chance = np.random.default_rng(1)
    words = [outcome(SALES, float(margin)) for margin in chance.normal(5, 1, 400)]
    foreign = [outcome(None, float(margin)) for margin in chance.normal(-1, 1, 400)]
    calibration = evaluate.calibrate(words, foreign, 98)
    understood, rejected = evaluate.shares(words, foreign, calibration)
    assert rejected >= 98
    assert understood > 95
    assert 0.5 < calibration.even < 2
    stricter = evaluate.calibrate(words, foreign, 100)
    assert stricter.even > calibration.even


def test_readings_that_are_often_confused_need_more_between_them() -> None:
    foreign = [outcome(None, -3)]
    sharp = [outcome(SALES, 5, behind) for behind in (2.0, 3.0, 4.0)]
    confused = [outcome(meant, 5, behind) for behind in (2.0, 3.0, 4.0) for meant in (SALES, BILLING)]
    assert evaluate.calibrate(confused, foreign, 98).spread > evaluate.calibrate(sharp, foreign, 98).spread
