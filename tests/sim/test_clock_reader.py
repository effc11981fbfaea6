"""`at:` of a test: local times, offsets, and both nights of a clock change."""

from __future__ import annotations

import pytest

from engine import marks
from engine.dialplan.findings import Report
from engine.sim.clock_reader import read_at, shown, written

LONDON = "Europe/London"
HOUR = 3_600_000


def at(text: str, zone: str = LONDON) -> tuple[int | None, list[str]]:
    report = Report()
    return read_at(report, marks.Scalar(text, "f", 1, 1), zone), [each.message for each in report.findings]


def test_a_time_is_local_to_its_zone() -> None:
    winter, summer = at("2026-03-04 10:00")[0], at("2026-07-01 10:00")[0]
    assert winter == 1_772_618_400_000  # 10:00 UTC
    assert summer == at("2026-07-01 09:00", "UTC")[0]
    assert at("2026-07-01 10:00", "Asia/Shanghai")[0] == at("2026-07-01 02:00Z")[0]


def test_the_hour_that_the_clock_skips_is_refused() -> None:
    value, messages = at("2026-03-29 01:30")
    assert value is None and "doesn't exist in Europe/London" in messages[0]
    before, after = at("2026-03-29 00:59")[0], at("2026-03-29 02:01")[0]
    assert before is not None and after is not None and after - before == 2 * 60_000


def test_the_hour_that_comes_twice_needs_its_offset() -> None:
    report = Report()
    assert read_at(report, marks.Scalar("2026-10-25 01:30", "f", 1, 1), LONDON) is None
    assert report.findings[0].code == "RD232"
    assert report.findings[0].suggestion == "say which: 2026-10-25 01:30 +01:00, or 2026-10-25 01:30 +00:00"
    first, second = at("2026-10-25 01:30 +01:00")[0], at("2026-10-25 01:30 +00:00")[0]
    assert first is not None and second == first + HOUR


@pytest.mark.parametrize("text", ["tomorrow", "2026-02-30 10:00", "2026-03-04", "2026-03-04 25:00", "10:00"])
def test_what_is_no_time_is_refused(text: str) -> None:
    value, messages = at(text)
    assert value is None and "is not a date and time" in messages[0]


def test_what_is_written_is_read_back() -> None:
    for moment in (at("2026-10-25 01:30 +01:00")[0], at("2026-10-25 01:30 +00:00")[0], at("2026-03-04 10:00")[0]):
        assert moment is not None and at(written(moment, LONDON))[0] == moment
    assert shown(1_772_618_400_000, LONDON) == "Wednesday 2026-03-04 10:00 Europe/London"


def test_an_unknown_zone_is_utc() -> None:
    assert at("2026-03-04 10:00", "Moon/Base")[0] == at("2026-03-04 10:00", "UTC")[0]
