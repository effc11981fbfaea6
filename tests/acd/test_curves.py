"""Curves against renewal theory and against draws from the same law."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from engine.acd.curves import AGE_BINS, AGES, GRID, Curves
from engine.acd.learning import GAVE_UP, OVER, TALK, WRAP, Learnt


def learnt_from(talk: list[float], wrap: list[float] | None = None) -> Learnt:
    learnt = Learnt()
    for ms in talk:
        learnt.note(TALK, round(ms))
    for ms in wrap or []:
        learnt.note(WRAP, round(ms))
    learnt._fold()
    return learnt


def exponential(mean: float, count: int = 2_000) -> list[float]:
    """Quantiles of the law: a sample without chance."""
    return [-mean * float(np.log1p(-(i + 0.5) / count)) for i in range(count)]


def at(ms: float) -> int:
    return int(np.argmin(np.abs(GRID - ms)))


def test_exponential_handling_is_a_poisson_process_at_any_age() -> None:
    curves = Curves(learnt_from(exponential(60_000)))
    assert curves.handling_ms == pytest.approx(60_000, rel=0.01)
    assert curves.variation == pytest.approx(1.0, abs=0.05)
    for row in (0, 5, 12):  # below 1 s, 5 s, 50 s
        for ms in (5_000, 60_000, 300_000, 3_000_000):
            point = at(ms)
            assert curves.mean[row, point] == pytest.approx(GRID[point] / 60_000, rel=0.06)
            assert curves.variance[row, point] == pytest.approx(GRID[point] / 60_000, rel=0.12)


def test_a_constant_handling_time_is_a_clock() -> None:
    curves = Curves(learnt_from([64_000.0] * 2_000))
    row = int(np.searchsorted(AGES, 40_000, side="right"))  # busy for about 38 s: about 26 s are left
    assert curves.mean[row, at(8_000)] < 0.1
    assert curves.mean[row, at(50_000)] == pytest.approx(1.0, abs=0.1)
    assert curves.variance[row, at(50_000)] < 0.1


def test_a_wrap_up_follows_the_talk_and_is_waited_for_by_its_own_age() -> None:
    curves = Curves(learnt_from(exponential(40_000), [20_000.0] * 2_000))
    assert curves.handling_ms == pytest.approx(60_000, rel=0.03)
    wrapping_long = AGE_BINS + int(np.searchsorted(AGES, 15_000, side="right"))
    wrapping_now = AGE_BINS
    assert curves.mean[wrapping_long, at(10_000)] > 0.9 > 0.2 > curves.mean[wrapping_now, at(10_000)]
    assert curves.mean[0, at(12_000)] < 0.05, "talk and wrap-up are never shorter than the wrap-up"


def test_lognormal_against_draws() -> None:
    chance = Random(3)
    sigma = float(np.sqrt(np.log1p(1.2**2)))
    mu = float(np.log(60_000) - sigma**2 / 2)
    draw = [chance.lognormvariate(mu, sigma) for _ in range(40_000)]
    curves = Curves(learnt_from(draw[:1_900]))
    age = float(AGES[9] * 2**0.25)  # a middle
    row = 10
    counts: list[list[int]] = [[], [], []]
    horizon = (20_000.0, 90_000.0, 240_000.0)
    source = iter(draw[1_900:])
    for first in source:
        if first <= age:
            continue
        ends, elapsed = [], first - age
        while elapsed <= horizon[-1]:
            ends.append(elapsed)
            elapsed += next(source, 1e9)
        for index, limit in enumerate(horizon):
            counts[index].append(sum(end <= limit for end in ends))
    for index, limit in enumerate(horizon):
        mean, variance = float(np.mean(counts[index])), float(np.var(counts[index]))
        assert np.interp(limit, GRID, curves.mean[row]) == pytest.approx(mean, rel=0.12)
        assert np.interp(limit, GRID, curves.variance[row]) == pytest.approx(variance, rel=0.2)


def test_everything_rises_and_is_finite() -> None:
    for learnt in (learnt_from(exponential(60_000)), learnt_from([64_000.0] * 100, [500.0] * 30), learnt_from([250.0])):
        curves = Curves(learnt)
        assert np.isfinite(curves.mean).all() and np.isfinite(curves.variance).all()
        assert (np.diff(curves.mean, axis=1) >= -1e-9).all() and (curves.variance >= 0).all()
        assert curves.mean.shape == (2 * AGE_BINS, len(GRID))


def test_nobody_who_gives_up_no_hazard() -> None:
    learnt = learnt_from(exponential(60_000))
    for _ in range(300):
        learnt.note(OVER, 30_000)
    assert Curves(learnt).quit_hazard(0) is None


def test_patience_is_learnt_through_censoring() -> None:
    """Exponential patience of 2 min, of which only what ends before an answer is seen."""
    chance = Random(11)
    learnt = learnt_from(exponential(60_000))
    for _ in range(4_000):
        patience, answer = chance.expovariate(1 / 120_000), chance.expovariate(1 / 40_000)
        if patience < answer:
            learnt.note(GAVE_UP, round(patience))
        learnt.note(OVER, round(min(patience, answer)))
    learnt._fold()
    for age in (0, 30_000):
        hazard = Curves(learnt).quit_hazard(age)
        assert hazard is not None
        for ms in (10_000, 60_000):
            assert np.interp(ms, GRID, hazard) == pytest.approx(ms / 120_000, rel=0.2)


def test_equal_knowledge_gives_equal_curves() -> None:
    learnt = learnt_from(exponential(60_000), [5_000.0] * 50)
    one, other = Curves(learnt), Curves(learnt)
    assert (one.mean == other.mean).all() and (one.variance == other.variance).all()
