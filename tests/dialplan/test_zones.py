"""Tables of time zones agree with the tz database at every moment that is tried."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random
from zoneinfo import ZoneInfo

import pytest

from engine.dialplan import calendars, zones

NAMES = (
    "UTC", "Europe/London", "America/New_York", "Asia/Shanghai", "Asia/Kathmandu", "Australia/Lord_Howe",
    "Africa/Casablanca", "America/Santiago", "Pacific/Chatham", "Asia/Tehran",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_table_says_what_the_database_says(name: str) -> None:
    table, zone, chance = zones.table(name), ZoneInfo(name), Random(6)
    assert table is not None
    first, last = datetime(2020, 1, 1, tzinfo=UTC), datetime(2046, 1, 1, tzinfo=UTC)
    moments = [chance.randrange(int(first.timestamp()), int(last.timestamp())) for _ in range(500)]
    # and around every change
    moments += [edge // 1_000 + shift for edge, _ in table[1:] for shift in (-1, 0, 1)]
    for moment in moments:
        there = datetime.fromtimestamp(moment, zone).utcoffset()
        assert there is not None
        assert calendars.offset_ms(table, moment * 1_000) == there.total_seconds() * 1_000, (name, moment)


def test_an_unknown_zone_and_the_years_that_are_worked_out() -> None:
    assert zones.table("Europe/Lodnon") is zones.table("../etc/passwd") is zones.table("") is None
    assert zones.years(0) == (2020, 2045)
    assert zones.years(int(datetime(2041, 5, 1, tzinfo=UTC).timestamp()) * 1_000) == (2020, 2051)
