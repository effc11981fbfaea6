"""Hours at one moment: over midnight, both nights of a clock change, holidays, special days, other zones, overrides."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import msgspec
import pytest

from engine.dialplan import calendars, zones
from engine.dialplan.calendars import CalendarModel, Special, day_of, state

LONDON, SHANGHAI = "Europe/London", "Asia/Shanghai"
NONE: calendars.Hours = ()


def zone(name: str = LONDON) -> calendars.Zone:
    found = zones.table(name)
    assert found is not None
    return found


def at(text: str, name: str = LONDON, fold: int = 0) -> int:
    """Unix ms of a wall clock's time, by the standard library and not by ours."""
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(name), fold=fold).timestamp()) * 1_000


def day(text: str) -> int:
    found = day_of(text)
    assert found is not None
    return found


def office(**changes: object) -> CalendarModel:
    week = (((8 * 60, 20 * 60),),) * 5 + (((9 * 60, 13 * 60),), NONE)
    return msgspec.structs.replace(CalendarModel("default", "office", LONDON, week), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-03-04 07:59:59", "closed"), ("2026-03-04 08:00:00", "open"), ("2026-03-04 19:59:59", "open"),
        ("2026-03-04 20:00:00", "closed"), ("2026-03-07 12:59", "open"), ("2026-03-07 13:00", "closed"),
        ("2026-03-08 10:00", "closed"), ("2026-07-01 08:00", "open"), ("2026-07-01 07:59", "closed"),
    ],
)  # fmt: skip
def test_a_week_by_the_clock_on_the_wall(moment: str, expected: str) -> None:
    assert state(office(), zone(), at(moment)) == expected


def test_hours_across_midnight_belong_to_the_day_on_which_they_begin() -> None:
    night = office(
        weekly=(NONE, NONE, NONE, ((18 * 60, 26 * 60),), ((18 * 60, 26 * 60),), NONE, NONE),  # Thursday and Friday
        special={day("2026-03-06"): Special()},  # a Friday that is closed
    )
    assert state(night, zone(), at("2026-03-05 23:59")) == "open"
    assert state(night, zone(), at("2026-03-06 01:59")) == "open"  # Thursday's hours
    assert state(night, zone(), at("2026-03-06 02:00")) == "closed"
    assert state(night, zone(), at("2026-03-06 19:00")) == "closed"  # Friday has none
    assert state(night, zone(), at("2026-03-07 01:00")) == "closed"
    assert state(night, zone(), at("2026-03-14 01:00")) == "open"  # the next Friday has


def test_the_night_in_which_an_hour_comes_twice() -> None:
    """London, 25 October 2026: 01:59 BST is followed by 01:00 GMT."""
    late = office(weekly=(NONE,) * 6 + (((60, 120),),))  # Sundays 01:00-02:00
    for fold in (0, 1):
        assert state(late, zone(), at("2026-10-25 01:30", fold=fold)) == "open"
    assert state(late, zone(), at("2026-10-25 00:59")) == "closed"
    assert state(late, zone(), at("2026-10-25 02:00")) == "closed"
    opened, closed = at("2026-10-25 01:00"), at("2026-10-25 02:00")
    assert closed - opened == 2 * 3_600_000
    assert calendars.next_change(late, zone(), opened - 1) == (opened, "open")
    assert calendars.next_change(late, zone(), opened) == (closed, "closed")
    spilt = office(weekly=(NONE,) * 5 + (((1_320, 1_500),), ((10, 20),)))  # Saturday's end, in Sunday's first hour
    assert calendars.next_change(spilt, zone(), opened - 1) == (opened, "closed")
    # hours that end at 01:30 end twice
    split = office(weekly=(NONE,) * 6 + (((0, 90),),))
    edges = []
    moment = at("2026-10-24 12:00")
    for _ in range(4):
        change = calendars.next_change(split, zone(), moment)
        assert change is not None
        edges.append(change)
        moment = change[0]
    assert edges == [
        (at("2026-10-25 00:00"), "open"), (at("2026-10-25 01:30"), "closed"),
        (at("2026-10-25 01:00", fold=1), "open"), (at("2026-10-25 01:30", fold=1), "closed"),
    ]  # fmt: skip


def test_the_night_in_which_an_hour_is_left_out() -> None:
    """London, 29 March 2026: 00:59 GMT is followed by 02:00 BST."""
    jump = at("2026-03-29 02:00")
    early = office(weekly=(NONE,) * 6 + (((0, 90),),))  # Sundays until 01:30, which no clock shows
    assert state(early, zone(), jump - 1) == "open"
    assert state(early, zone(), jump) == "closed"
    assert calendars.next_change(early, zone(), jump - 60_000) == (jump, "closed")
    unseen = office(weekly=(NONE,) * 6 + (((65, 115),),))  # 01:05-01:55
    assert all(state(unseen, zone(), jump + minute * 60_000) == "closed" for minute in range(-120, 120))
    assert calendars.moments(zone(), day("2026-03-29"), 90) == []
    # a night shift is an hour shorter
    night = office(weekly=(NONE,) * 5 + (((22 * 60, 30 * 60),), NONE))
    assert calendars.next_change(night, zone(), at("2026-03-28 22:00")) == (at("2026-03-29 06:00"), "closed")
    assert at("2026-03-29 06:00") - at("2026-03-28 22:00") == 7 * 3_600_000


def test_holidays_special_days_and_what_wins() -> None:
    held = office(
        holidays={day("2026-12-25"): "Christmas Day", day("2026-12-28"): "Boxing Day"},
        special={
            day("2026-12-24"): Special(((8 * 60, 12 * 60),)),
            day("2026-12-28"): Special(((10 * 60, 11 * 60),)),
            day("2026-12-29"): Special((), True),
            day("2026-12-30"): Special(),
        },
    )
    assert state(held, zone(), at("2026-12-24 11:59")) == "open"
    assert state(held, zone(), at("2026-12-24 12:00")) == "closed"
    assert state(held, zone(), at("2026-12-25 10:00")) == "holiday"
    assert state(held, zone(), at("2026-12-28 10:30")) == "open"  # its own hours on a holiday …
    assert state(held, zone(), at("2026-12-28 12:00")) == "holiday"  # … and outside of them
    assert state(held, zone(), at("2026-12-29 10:00")) == "holiday"
    assert state(held, zone(), at("2026-12-30 10:00")) == "closed"
    assert state(held, zone(), at("2026-12-31 10:00")) == "open"


def test_the_same_moment_is_another_day_elsewhere() -> None:
    moment = at("2026-12-24 18:00")
    there = office(zone=SHANGHAI, holidays={day("2026-12-25"): "here already"})
    assert state(there, zone(SHANGHAI), moment) == "holiday"  # 02:00 on the 25th in Shanghai
    assert state(office(), zone(), moment) == "open"
    assert calendars.local(zone(SHANGHAI), moment) == (day("2026-12-25"), 120)


def test_an_operator_wins_and_auto_is_the_calendar() -> None:
    moment = at("2026-03-04 10:00")
    assert state(office(), zone(), moment, "closed") == "closed"
    assert state(office(), zone(), at("2026-03-08 03:00"), "open") == "open"
    assert state(office(), zone(), moment, "auto") == "open"


def test_periods_hold_on_their_last_day_too() -> None:
    held = office(periods={"storm": ((day("2026-10-01"), day("2027-03-31")),)})
    assert not calendars.within(held, zone(), at("2026-09-30 23:59"), "storm")
    assert calendars.within(held, zone(), at("2026-10-01 00:00"), "storm")
    assert calendars.within(held, zone(), at("2027-03-31 23:59"), "storm")
    assert not calendars.within(held, zone(), at("2027-04-01 00:00"), "storm")
    assert not calendars.within(held, zone(), at("2026-11-01 00:00"), "calm")


def test_a_state_that_never_changes_and_what_has_no_table() -> None:
    always = office(weekly=(((0, 1_440),),) * 7)
    assert calendars.next_change(always, zone(), at("2026-03-04 10:00")) is None
    assert calendars.next_change(office(weekly=(NONE,) * 7), zone(), at("2026-03-04 10:00")) is None
    assert calendars.local((), 0) == (0, 0)
    assert day_of("2026-2-1") is day_of("2026-02-30") is day_of("yesterday!") is None
    assert calendars.written(day("2026-02-28")) == "2026-02-28"


def test_a_calendar_survives_being_written_and_read() -> None:
    held = office(holidays={day("2026-12-25"): "Christmas"}, special={day("2026-12-24"): Special(((1, 2),), True)})
    for codec in (msgspec.msgpack, msgspec.json):
        assert codec.decode(codec.encode(held), type=CalendarModel) == held


def oracle(held: CalendarModel, moment: int) -> bool:
    """Is it open? By the standard library's clock and dates, and by trying every row of hours."""
    there = datetime.fromtimestamp(moment / 1_000, ZoneInfo(held.zone))
    for back in (0, 1):
        begun = there.date() - timedelta(days=back)
        number = (begun - date(1970, 1, 1)).days
        special = held.special.get(number)
        rows = special.hours if special is not None else () if number in held.holidays else held.weekly[begun.weekday()]
        minute = there.hour * 60 + there.minute + 1_440 * back
        if any(begin <= minute < end for begin, end in rows):
            return True
    return False


@pytest.mark.parametrize("name", [LONDON, SHANGHAI, "Australia/Lord_Howe", "America/Santiago"])
def test_random_weeks_agree_with_the_standard_library_around_every_change_of_the_clock(name: str) -> None:
    chance, table = Random(name), zone(name)
    changes = [edge for edge, _ in table[1:]] or [at("2026-06-01 00:00", name)]
    for _ in range(60):
        begins = [(chance.randrange(1_440), chance.randrange(1, 1_440)) for _ in range(7)]
        week = tuple(((begin, begin + length),) if chance.random() < 0.8 else NONE for begin, length in begins)
        edge = chance.choice(changes)
        near, _ = calendars.local(table, edge)
        held = CalendarModel("default", "x", name, week, {near: Special(((30, 150),))}, {near + 1: "a holiday"})
        for _ in range(40):
            moment = edge + chance.randrange(-3 * 86_400_000, 3 * 86_400_000)
            assert (state(held, table, moment) == "open") == oracle(held, moment), (held, moment)
        change = calendars.next_change(held, table, edge - 86_400_000)
        if change is not None:
            then, said = change
            before = state(held, table, edge - 86_400_000)
            assert state(held, table, then) == said != before == state(held, table, then - 1)
            between = range(edge - 86_400_000, min(then, edge + 3 * 86_400_000), 7 * 60_000)
            assert all(state(held, table, moment) == before for moment in between), (held, edge)


def test_daily_hours_are_those_of_every_day() -> None:
    night = calendars.daily(((22 * 60, 30 * 60),))
    assert [state(night, zone(), at(f"2026-03-{day:02} 05:59")) for day in range(2, 9)] == ["open"] * 7
    assert calendars.next_change(night, zone(), at("2026-03-08 12:00")) == (at("2026-03-08 22:00"), "open")
    assert calendars.next_change(calendars.daily(((0, 24 * 60),)), zone(), at("2026-03-08 12:00")) is None
