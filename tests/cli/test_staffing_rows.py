"""Intervals of local time, needs and gaps."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from engine.acd.forecast import Load, Target
from engine.acd.roster import DAY_S, day_of
from engine.cli import staffing_rows
from engine.cli.staffing_rows import Need, Row, Table, Wish
from engine.errors import SiteError, UsageError
from engine.records.staffing import Quarter
from tests.cli.staffing_store import make

NEED = Need(Target(service_level=0.8))


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def wish(first: str, last: str, *, step_s: int = 1_800, zone: str = "UTC", now: str = "2025-06-01") -> Wish:
    return Wish("default/support", day_of(first), day_of(last), None, step_s, ZoneInfo(zone), ms(now))


def test_days_are_the_zones(tmp_path: Path) -> None:
    """Nine o'clock UTC is six in the evening in Tokyo; its Tuesday begins at 15:00 UTC on Monday."""
    store = make(tmp_path, ("2025-03-03",))
    found = staffing_rows.table(store / "ringdown.db", wish("2025-03-03", "2025-03-03", zone="Asia/Tokyo"), NEED)
    assert found.rows[0].from_s % DAY_S == 18 * 3600 and len(found.rows) == 6
    with pytest.raises(SiteError, match="no calls"):
        staffing_rows.table(store / "ringdown.db", wish("2025-03-04", "2025-03-04", zone="Asia/Tokyo"), NEED)


def test_zones_off_the_half_hour(tmp_path: Path) -> None:
    """In Kathmandu (5:45 ahead) half hours of local time begin at a quarter of UTC's: nothing is lost in between."""
    store = make(tmp_path, ("2025-03-03",))
    found = staffing_rows.table(store / "ringdown.db", wish("2025-03-03", "2025-03-03", zone="Asia/Kathmandu"), NEED)
    assert sum(row.offered for row in found.rows) == 360 and all(row.from_s % 1800 == 0 for row in found.rows)


def test_the_hour_that_autumn_repeats_is_two_hours() -> None:
    asked = wish("2025-10-26", "2025-10-26", step_s=3_600, zone="Europe/London", now="2025-12-01")
    since, until = ms("2025-10-25T23:00"), ms("2025-10-27T00:00")
    quarters = {ms("2025-10-26T00:15"): Quarter(5), ms("2025-10-26T01:30"): Quarter(7)}  # 01:15 BST, 01:30 GMT
    found = staffing_rows._intervals(quarters, asked, since, until)
    assert [(begin_s % DAY_S, part.offered) for (begin_s, _), part in found.items()] == [(3600, 5), (3600, 7)]


def test_what_is_not_over_is_left_out(tmp_path: Path) -> None:
    store = make(tmp_path, ("2025-03-03",))
    found = staffing_rows.table(store / "ringdown.db", wish("2025-03-03", "2025-03-03", now="2025-03-03T10:20"), NEED)
    assert [row.from_s % DAY_S / 3600 for row in found.rows] == [9.0, 9.5]


def test_an_hour_is_two_half_hours(tmp_path: Path) -> None:
    store = make(tmp_path, ("2025-03-03",))
    found = staffing_rows.table(store / "ringdown.db", wish("2025-03-03", "2025-03-03", step_s=3_600), NEED)
    assert [row.offered for row in found.rows] == [40, 200, 120]
    assert [(row.duty, row.aht_s) for row in found.rows] == [(11.0, 180.0)] * 3


def test_a_told_handle_time_goes_before_the_records(tmp_path: Path) -> None:
    store = make(tmp_path, ("2025-03-03",))
    told = Need(Target(service_level=0.8), aht_s=360.0)
    found = staffing_rows.table(store / "ringdown.db", wish("2025-03-03", "2025-03-03"), told)
    assert found.rows[2].aht_s == 360.0 and found.rows[2].erlang_c > 20


def test_wish() -> None:
    asked = staffing_rows.wish("default/x", "", "", "2025-03-10", "hour", "UTC")
    assert (asked.queue, asked.ahead, asked.step_s) == ("default/x", day_of("2025-03-10"), 3_600)
    assert asked.first == day_of("2025-03-10") - staffing_rows.history_days_default and asked.last == asked.ahead - 1
    today = staffing_rows.wish("x", "", "", "", "15m", "UTC")
    assert today.queue == "default/x" and today.first == today.last


def test_gaps_of_duty_and_of_shifts() -> None:
    rows = [Row(0, 1800, 5, 60.0, gap=-1, shift_gap=2), Row(1800, 3600, 5, 60.0)]
    table = Table("q", rows, None, 0, [])
    assert [gap.agents for gap in staffing_rows.gaps(table, shifts=False)] == [-1]
    assert [gap.agents for gap in staffing_rows.gaps(table, shifts=True)] == [2]


def test_out_of_reach_is_the_operators_to_know() -> None:
    assert staffing_rows.agents(Load(0.1, 240, math.inf), Target(service_level=0.84, within_s=20)) == 29
    with pytest.raises(UsageError, match="ask for less"):
        staffing_rows.agents(Load(1.0, 100.0, 60.0), Target(occupancy=1e-6))
