"""The formulas, on stays small enough to reckon by hand."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.records import kpi
from engine.records.kpi import Contact

STAYS = [
    Contact("q", "connected", 5_000, 60_000), Contact("q", "connected", 15_000, 120_000),
    Contact("q", "connected", 40_000, 30_000), Contact("q", "abandoned", 2_000), Contact("q", "abandoned", 50_000),
    Contact("q", "timeout", 60_000), Contact("q", "full", 0),
]


def test_service_level() -> None:
    assert kpi.offered(STAYS) == 6
    assert kpi.service_level(STAYS, 20_000) == pytest.approx(100 * 2 / 6)
    assert kpi.service_level(STAYS, 20_000, short_abandon_ms=5_000) == pytest.approx(100 * 2 / 5)


def test_abandonment() -> None:
    assert kpi.abandonment(STAYS) == pytest.approx(100 * 2 / 6)
    assert kpi.abandonment(STAYS, short_abandon_ms=5_000) == pytest.approx(100 * 1 / 5)


def test_waits_and_talk() -> None:
    assert kpi.average_speed_of_answer(STAYS) == 20_000
    assert kpi.average_talk(STAYS) == 70_000
    assert kpi.wait_percentile(STAYS, 50) == 15_000
    assert kpi.wait_percentile(STAYS, 100) == 60_000


def test_nothing_offered_is_not_zero_percent() -> None:
    empty: list[Contact] = []
    assert kpi.service_level(empty, 20_000) is None and kpi.abandonment(empty) is None
    assert kpi.average_speed_of_answer(empty) is None and kpi.wait_percentile(empty, 90) is None
    assert kpi.average_talk(empty) is None


def test_contacts_from_queue_events() -> None:
    rows = [
        ("q", "a", "joined", "", 0, 0), ("q", "a", "connected", "", 3_000, 0), ("q", "b", "abandoned", "", 9_000, 0),
        ("q", "a", "completed", "agent", 3_000, 44_000), ("q", "c", "left", "timeout", 30_000, 0),
        ("q", "z", "completed", "agent", 1, 1),
    ]
    assert kpi.contacts(rows) == [
        Contact("q", "connected", 3_000, 44_000), Contact("q", "abandoned", 9_000), Contact("q", "timeout", 30_000),
    ]


stays = st.lists(st.builds(Contact, st.just("q"), st.sampled_from(["connected", "abandoned", "timeout", "full"]),
                           st.integers(0, 10**6), st.integers(0, 10**6)))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(stays, st.integers(0, 10**6))
def test_percentages_stay_in_range(found: list[Contact], within_ms: int) -> None:
    level, lost = kpi.service_level(found, within_ms), kpi.abandonment(found)
    if level is not None and lost is not None:
        assert 0 <= level <= 100 and 0 <= lost <= 100 and level + lost <= 100 + 1e-9


def test_sums_of_parts_are_the_sum_of_the_whole() -> None:
    whole, parts = kpi.add_up(STAYS, 20_000, short_abandon_ms=5_000), kpi.Sums()
    for stay in STAYS:
        parts.merge(kpi.add_up([stay], 20_000, short_abandon_ms=5_000))
    assert parts == whole
    assert (whole.offered, whole.refused, whole.in_time, whole.short) == (6, 1, 2, 1)
    assert kpi.percentile(whole, 50) == 16_000 and kpi.percentile(whole, 100) == 61_000
    assert kpi.percentile(kpi.Sums(), 90) is None


def test_handle_time_and_transfers() -> None:
    sums = kpi.add_up([Contact("q", "connected", 0, 60_000, 20_000, 1), Contact("q", "connected", 0, 40_000)], 1)
    sums.wrap_up_ms = 20_000
    assert kpi.handle_time(sums) == 60_000 and kpi.transfers_per_call(sums) == 0.5 and sums.held_ms == 20_000


def test_resolution_counts_who_does_not_come_back() -> None:
    day = kpi.DAY_MS
    stays = [(0, 1, True), (0, 2, True), (5, 0, True), (5, day, True), (5, 9 * day, True), (6, 0, False), (7, 3, True)]
    assert kpi.resolution(stays, 7 * day) == 75.0  # caller 5 came back once within a week; 7 and his last two didn't
    assert kpi.resolution([], day) is None and kpi.resolution([(0, 1, True)], day) is None
