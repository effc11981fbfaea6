"""Kept promises: what counts as kept, and how sure the share is."""

from __future__ import annotations

import numpy as np
import pytest

from engine.records import kpi_promises
from engine.records.kpi_promises import Promises, outcome


@pytest.mark.parametrize(("waited_ms", "connected", "found"), [
    (9_999, True, "sooner"), (10_000, True, "kept"), (60_000, True, "kept"), (60_001, True, "later"),
    (9_999, False, "open"), (60_000, False, "open"), (60_001, False, "later"),
])  # fmt: skip
def test_outcomes(waited_ms: int, connected: bool, found: str) -> None:
    assert outcome(10_000, 60_000, waited_ms, connected) == found


def test_without_an_upper_bound_nobody_waits_too_long() -> None:
    assert outcome(600_000, 0, 7_200_000, True) == "kept" and outcome(600_000, 0, 7_200_000, False) == "open"


def test_shares_leave_the_open_ones_out() -> None:
    counts = Promises(kept=80, sooner=12, later=8, open=50, bounded=120, width_ms=2_400_000)
    assert (kpi_promises.made(counts), kpi_promises.judged(counts)) == (150, 100)
    assert kpi_promises.kept_share(counts) == 80.0 and kpi_promises.mean_width(counts) == 20_000
    low, high = kpi_promises.kept_interval(counts) or (0.0, 0.0)
    assert (round(low, 2), round(high, 2)) == (71.12, 86.66)  # Wilson's interval of 80 in 100
    none = Promises(open=3)
    assert kpi_promises.kept_share(none) is kpi_promises.kept_interval(none) is kpi_promises.mean_width(none) is None
    counts.merge(counts)
    assert kpi_promises.made(counts) == 300 and counts.width_ms == 4_800_000


@pytest.mark.parametrize("share", [0.8, 0.9, 0.98])
def test_the_interval_covers_the_truth_as_often_as_it_says(share: float) -> None:
    kept = np.random.default_rng(3).binomial(200, share, 4_000).tolist()
    bounds = [kpi_promises.kept_interval(Promises(kept=each, later=200 - each)) or (0.0, 0.0) for each in kept]
    covered = sum(low <= 100 * share <= high for low, high in bounds) / len(bounds)
    assert 0.93 <= covered <= 0.975


def test_bounds_stay_shares() -> None:
    assert kpi_promises.kept_interval(Promises(kept=4)) == pytest.approx((51.01, 100.0), abs=0.01)
    assert kpi_promises.kept_interval(Promises(later=4)) == pytest.approx((0.0, 48.99), abs=0.01)
