"""Forecasts from history: outliers, special days, intervals that hold, handle times."""

from __future__ import annotations

import math
import random
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.acd import demand
from engine.acd.demand import Counted, Special, handle_time, middle, outlook, patience_s, spread, weekday
from engine.errors import LocalError

MONDAY = date(2026, 3, 2).toordinal() - date(1970, 1, 1).toordinal()


def mondays(*counts: int) -> list[Counted]:
    """One slot on the Mondays before MONDAY, the oldest first."""
    first = MONDAY - 7 * len(counts)
    return [Counted(first + 7 * week, 20, count, count, count * 180.0) for week, count in enumerate(counts)]


def test_weekdays() -> None:
    assert [weekday(MONDAY + step) for step in range(8)] == [0, 1, 2, 3, 4, 5, 6, 0] and weekday(0) == 3


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=12))
def test_the_middle_lies_between(values: list[float]) -> None:
    assert min(values) - 1e-6 <= middle(values) <= max(values) + 1e-6
    assert middle([each + 5 for each in values]) == pytest.approx(middle(values) + 5, abs=1e-6)


def test_the_middle_and_the_spread_by_hand() -> None:
    assert middle([1.0, 2.0, 9.0]) == 3.5  # of 1, 1.5, 5, 2, 5.5, 9
    assert spread([1.0, 2.0, 9.0], 2.0) == pytest.approx(1.4826)
    assert spread([], 0.0) == 0.0
    with pytest.raises(LocalError):
        middle([])


def test_a_broadcast_among_the_weeks_barely_moves_it() -> None:
    calm = outlook(mondays(100, 98, 104, 101, 97, 100, 103, 99), MONDAY).rows[0]
    wild = outlook(mondays(100, 98, 104, 900, 97, 100, 103, 99), MONDAY).rows[0]
    assert calm.calls == pytest.approx(100, abs=1) and wild.calls == pytest.approx(100, abs=2.5)
    assert (calm.day, calm.slot, calm.days, calm.handle_s) == (MONDAY, 20, 8, 180.0)
    assert calm.low < 90 < 110 < calm.high  # Poisson's own spread, however even the weeks were


def test_the_interval_holds_its_share() -> None:
    """Of Poisson Mondays to come, about 80 % lie inside; with and without a random level of the day."""
    chance = random.Random(5)

    def count(mean: float) -> int:
        return sum(chance.random() < mean / 2000 for _ in range(2000))  # binomial, as good as Poisson

    inside = 0
    for _ in range(300):
        row = outlook(mondays(*(count(60) for _ in range(10))), MONDAY).rows[0]
        inside += row.low <= count(60) <= row.high
    assert 0.74 <= inside / 300 <= 0.93


def test_days_behind_and_other_weekdays_teach_nothing() -> None:
    history = [*mondays(50, 50, 50), *(Counted(MONDAY + day, 20, 999) for day in (-1, 0, 7))]
    assert outlook(history, MONDAY).rows[0].calls == pytest.approx(50) and outlook(history, MONDAY).rows[0].days == 3
    assert outlook(history, MONDAY + 2).rows == ()
    assert outlook(mondays(900, 900, 10, 10, 10), MONDAY, weeks=3).rows[0].calls == pytest.approx(10)


def test_a_slot_without_a_row_had_no_call() -> None:
    history = [*mondays(40, 40, 40), Counted(MONDAY - 7, 21, 6)]
    assert [row.slot for row in outlook(history, MONDAY).rows] == [20, 21]
    assert outlook(history, MONDAY).rows[1].calls == pytest.approx(middle([0.5, 0.5, 2.5]) ** 2 - 0.25)
    silent = outlook(mondays(0, 0), MONDAY).rows[0]
    assert (silent.calls, silent.low, silent.high) == (0.0, 0.0, 0.0)


def test_special_days() -> None:
    past = MONDAY - 14
    history = [row if row.day != past else Counted(past, 20, 25) for row in mondays(100, 100, 100, 100, 100)]
    specials = {past: Special("holiday"), MONDAY: Special("holiday")}
    learnt = outlook(history, MONDAY, specials=specials)
    assert learnt.rows[0].calls == pytest.approx(25) and learnt.rows[0].days == 4
    assert learnt.note == "holiday: 25% of a usual day, from 1 day in the records"
    told = outlook(history, MONDAY, specials={**specials, MONDAY: Special("holiday", 0.5)})
    assert told.rows[0].calls == pytest.approx(50) and told.note == "holiday: 50% of a usual day, as told"
    assert told.rows[0].low < 50 < told.rows[0].high
    closed = outlook(history, MONDAY, specials={MONDAY: Special("closed", 0.0)}).rows[0]
    assert (closed.calls, closed.low, closed.high) == (0.0, 0.0, 0.0)
    new = outlook(history, MONDAY, specials={past: Special("holiday"), MONDAY: Special("fair")})
    assert new.rows[0].calls == pytest.approx(100) and "no such day" in new.note


def test_handle_times_fall_back_and_leave_out_the_call_left_open() -> None:
    even = [Counted(day, 1, 10, 10, 10 * 200.0 + day) for day in range(5)]
    found, calls = handle_time([*even, Counted(9, 1, 1, 1, 40_000.0)])
    assert found == pytest.approx(200, abs=1) and calls == 50
    assert handle_time([Counted(1, 1, 4)]) == (None, 0)
    few = [Counted(MONDAY - 7, 3, 2, 2, 2000.0), *(Counted(MONDAY - 7 + day, 3, 30, 30, 30 * 240.0) for day in (1, 2))]
    assert outlook(few, MONDAY).rows[0].handle_s == pytest.approx(240, rel=1e-9)  # two Mondays' calls are too few
    assert outlook([Counted(MONDAY - 7, 3, 2)], MONDAY).rows[0].handle_s is None


def test_patience_is_censored() -> None:
    """The answered tell that they would have waited longer: patience is more than the mean wait of who left."""
    assert patience_s(1200.0, 10) == 120.0 and patience_s(50.0, 0) == math.inf
    chance = random.Random(3)
    pairs = [(chance.expovariate(1 / 120), chance.expovariate(1 / 40)) for _ in range(20_000)]
    waited, left = sum(min(pair) for pair in pairs), sum(patience < offered for patience, offered in pairs)
    assert patience_s(waited, left) == pytest.approx(120, rel=0.04)


@pytest.mark.parametrize("wrong", [{"share": 1.0}, {"weeks": 0}, {"weeks": demand.weeks_max + 1}])
def test_numbers_out_of_range(wrong: dict[str, int]) -> None:
    with pytest.raises(LocalError, match="weeks"):
        outlook([], MONDAY, **wrong)
