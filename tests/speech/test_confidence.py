"""Scores into confidences: sure when nothing competes, unsure when garbage or another phrase does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.speech.confidence import Calibration, confidences

NORMAL = Calibration(even=1.0, steep=1.0, spread=1.0, beyond=7.0)


def test_alone_and_far_before_garbage_is_sure() -> None:
    assert confidences([250.0], None, NORMAL)[0] > 0.99
    assert confidences([], 3.0, NORMAL) == []


def test_as_good_as_garbage_is_doubtful_and_behind_it_is_refused() -> None:
    assert confidences([10.0], 9.0, NORMAL) == [0.5]
    assert confidences([10.0], 14.0, NORMAL)[0] < 0.01


def test_two_that_sound_alike_share() -> None:
    first, second = confidences([100.0, 100.0], None, NORMAL)
    assert first == second and 0.49 < first < 0.51
    first, second = confidences([100.0, 97.0], None, NORMAL)
    assert first > 0.9 > 0.1 > second


@given(st.lists(st.floats(-1e5, 1e5), min_size=1, max_size=10), st.floats(-1e5, 1e5) | st.none())
def test_always_between_nothing_and_certain_in_order(scores: list[float], garbage: float | None) -> None:
    found = confidences(sorted(scores, reverse=True), garbage, NORMAL)
    assert all(0.0 <= each <= 1.0 for each in found) and sum(found) <= 1.01
    assert found == sorted(found, reverse=True)


@pytest.mark.parametrize("steep", [0.1, 1.0, 5.0])
def test_steeper_decides_quicker(steep: float) -> None:
    calibration = Calibration(even=0.0, steep=steep)
    assert confidences([2.0], 0.0, calibration)[0] >= confidences([1.0], 0.0, calibration)[0]
