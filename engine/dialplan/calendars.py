"""Calendars: when an office is open, as data, and what holds at one moment. Pure: time zones are tables, too.

A day is a number of days since 1970-01-01, a time of day is a number of minutes since its midnight, both as clocks on
the wall show them there. Hours are compared with that wall clock, so that both nights of a clock change are right by
themselves: 01:30 that comes twice is open twice when 01:00-02:00 is open, and an hour that is left out opens nothing.

Hours that reach across midnight belong to the day on which they begin, with its rules: open until 02:00 on Thursday
night is open at 01:30 on a Friday that is closed.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import date, timedelta

import msgspec

DAY_MINUTES = 1_440
_MINUTE_MS, _DAY_MS = 60_000, 86_400_000
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
STATES = ("open", "closed", "holiday")
AHEAD_DAYS = 400  # so far a change of state is looked for

Hours = tuple[tuple[int, int], ...]  # (from, until) in minutes of the day; until may lie beyond 1440, on the next day
Zone = tuple[tuple[int, int], ...]  # (from Unix ms, offset from UTC in ms), the first from the beginning of time


class Special(msgspec.Struct, frozen=True, array_like=True):
    """One day's own hours, instead of its weekday's. `holiday`: outside of them it counts as a holiday."""

    hours: Hours = ()
    holiday: bool = False


class CalendarModel(msgspec.Struct, frozen=True):
    """A calendar with everything resolved. `weekly` has seven rows, Monday first; days as in the module's text.

    `holidays`: day -> name of the public holiday; `periods`: name -> (first day, last day), both inside.
    """

    tenant: str
    name: str
    zone: str
    weekly: tuple[Hours, ...]
    special: dict[int, Special] = {}
    holidays: dict[int, str] = {}
    periods: dict[str, tuple[tuple[int, int], ...]] = {}


def offset_ms(zone: Zone, wall_ms: int) -> int:
    """What clocks there are ahead of UTC at Unix ms `wall_ms`; 0 for an empty table."""
    place = bisect_right(zone, wall_ms, key=lambda each: each[0])
    return zone[max(0, place - 1)][1] if zone else 0


def local(zone: Zone, wall_ms: int) -> tuple[int, int]:
    """(day, minute of the day) as clocks there show it."""
    there = wall_ms + offset_ms(zone, wall_ms)
    day, rest = divmod(there, _DAY_MS)
    return day, rest // _MINUTE_MS


def day_of(text: str) -> int | None:
    """The number of a day written 2026-03-04; None when there is no such day."""
    try:
        return (date.fromisoformat(text) - date(1970, 1, 1)).days if len(text) == 10 else None
    except ValueError:
        return None


def written(day: int) -> str:
    """2026-03-04."""
    return (date(1970, 1, 1) + timedelta(days=day)).isoformat()


def weekday(day: int) -> int:
    """0 for a Monday."""
    return (day + 3) % 7


def hours_of(calendar: CalendarModel, day: int) -> Hours:
    """The hours that begin on this day."""
    special = calendar.special.get(day)
    if special is not None:
        return special.hours
    return () if day in calendar.holidays else calendar.weekly[weekday(day)]


def state(calendar: CalendarModel, zone: Zone, wall_ms: int, override: str = "") -> str:
    """open | closed | holiday at Unix ms `wall_ms`. `override` open | closed: what an operator said instead."""
    if override in ("open", "closed"):
        return override
    day, minute = local(zone, wall_ms)
    if any(begin <= minute < end for begin, end in hours_of(calendar, day)):
        return "open"
    if any(minute + DAY_MINUTES < end for _, end in hours_of(calendar, day - 1)):
        return "open"
    special = calendar.special.get(day)
    return "holiday" if day in calendar.holidays or (special is not None and special.holiday) else "closed"


def within(calendar: CalendarModel, zone: Zone, wall_ms: int, period: str) -> bool:
    """Does this moment's day lie in that period of the calendar?"""
    day, _ = local(zone, wall_ms)
    return any(first <= day <= last for first, last in calendar.periods.get(period, ()))


def moments(zone: Zone, day: int, minute: int) -> list[int]:
    """Every Unix ms at which clocks there show this; none when it is left out, two when it comes twice."""
    there = day * _DAY_MS + minute * _MINUTE_MS
    offsets = dict.fromkeys(offset_ms(zone, there + shift) for shift in (-_DAY_MS, _DAY_MS))
    return sorted(there - offset for offset in offsets if offset_ms(zone, there - offset) == offset)


def daily(hours: Hours) -> CalendarModel:
    """The calendar of hours that are the same on every day."""
    return CalendarModel("", "", "", (hours,) * len(DAYS))


def next_change(calendar: CalendarModel, zone: Zone, wall_ms: int) -> tuple[int, str] | None:
    """(Unix ms, new state) of the next moment with another state, None when there is none within AHEAD_DAYS."""
    now = state(calendar, zone, wall_ms)
    first, _ = local(zone, wall_ms)
    for day in range(first, first + AHEAD_DAYS):
        before = [minute - DAY_MINUTES for hours in hours_of(calendar, day - 1) for minute in hours]
        edges = [0, *before, *(minute for hours in hours_of(calendar, day) for minute in hours)]
        found = [moment for minute in edges if 0 <= minute < DAY_MINUTES for moment in moments(zone, day, minute)]
        # a clock that jumps can end hours at the jump, where no edge is shown
        found += [moment for moment, _ in zone if local(zone, moment)[0] == day]
        for moment in sorted(found):
            if moment > wall_ms and (then := state(calendar, zone, moment)) != now:
                return moment, then
    return None
