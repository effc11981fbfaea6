"""The E-model against figures that the recommendations print, and the shape that any estimate must have."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.rtp import emodel


def test_the_defaults_give_what_the_recommendation_says() -> None:
    """G.107 §7.7: with all parameters at their defaults R is 93.2, and the opinion 4.41 (annex B)."""
    assert emodel.rating() == pytest.approx(93.2, abs=0.05)
    assert emodel.opinion(emodel.rating()) == pytest.approx(4.41, abs=0.005)


@pytest.mark.parametrize(
    ("rating", "opinion"),
    [(90, 4.34), (80, 4.03), (70, 3.60), (60, 3.10), (50, 2.58), (0, 1.0), (-20, 1.0), (100, 4.5), (130, 4.5)],
)
def test_opinions_of_annex_b(rating: float, opinion: float) -> None:
    assert emodel.opinion(rating) == pytest.approx(opinion, abs=0.01)


def test_equipment_impairment_by_hand() -> None:
    """§7.5 with the robustness of G.113 appendix I: 1 % costs 3.6 with concealment and 17.9 without."""
    assert emodel.lost(1.0) == pytest.approx(95 / 26.1)
    assert emodel.lost(1.0, robustness=emodel.ROBUSTNESS_BARE) == pytest.approx(95 / 5.3)
    assert emodel.lost(4.0, 2.0) == pytest.approx(95 * 4 / (2 + 25.1))
    assert emodel.lost(0.0) == 0.0
    assert emodel.lost(500.0) == emodel.lost(100.0)


def test_delay_hurts_beyond_what_the_ear_forgives() -> None:
    """G.114: up to 150 ms nearly nothing, at 400 ms clearly; with perfect echo control."""
    assert emodel.rating(one_way_ms=0) - emodel.rating(one_way_ms=100) < 4
    assert emodel.rating(one_way_ms=400) < 65
    assert emodel.rating(one_way_ms=1e9) == emodel.rating(one_way_ms=5_000)


def test_bursts() -> None:
    assert emodel.burst_ratio(0, 0, 0.0) == 1.0
    assert emodel.burst_ratio(40, 40, 4.0) == 1.0  # each alone: no burst
    assert emodel.burst_ratio(40, 10, 4.0) == pytest.approx(4 * 0.96)
    assert emodel.burst_ratio(40, 10, 100.0) == 1.0


@given(loss=st.floats(0, 99), more=st.floats(0, 20), delay=st.floats(0, 800), burst=st.floats(1, 8))
def test_worse_is_never_better(loss: float, more: float, delay: float, burst: float) -> None:
    here = emodel.rating(loss, delay, burst_ratio=burst)
    assert emodel.rating(loss + more, delay, burst_ratio=burst) <= here + 1e-9
    assert emodel.rating(loss, delay, burst_ratio=burst + 1) <= here + 1e-9
    assert 1.0 <= emodel.opinion(here) <= 4.5


@given(st.integers(0, 1_000), st.integers(0, 300))
def test_longer_is_never_better(delay: int, more: int) -> None:
    assert emodel.rating(one_way_ms=delay + more) <= emodel.rating(one_way_ms=delay) + 0.5  # sidetone dips at 0–10 ms


@given(st.floats(0, 100), st.floats(0, 30))
def test_the_curve_rises(value: float, more: float) -> None:
    assert emodel.opinion(value + more) >= emodel.opinion(value) - 1e-9
