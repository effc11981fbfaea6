"""Time zones as tables: read from the tz database when a site is read, so that calls need nothing but the site.

The same site thus gives the same hours on every machine, whatever tzdata that has; a newer one counts from the next
reload on.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from engine.dialplan.calendars import Zone

FIRST_YEAR, LAST_YEAR = 2020, 2045
_YEARS_AHEAD = 10
_WEEK = timedelta(days=7)


def years(wall_ms: int) -> tuple[int, int]:
    """The first and last year that tables and holidays are worked out for. `wall_ms` 0: the day is not known."""
    now = datetime.fromtimestamp(min(wall_ms, 250_000_000_000_000) / 1_000, UTC).year if wall_ms > 0 else 0
    return FIRST_YEAR, max(LAST_YEAR, now + _YEARS_AHEAD)


@lru_cache(maxsize=1_024)
def table(name: str, first: int = FIRST_YEAR, last: int = LAST_YEAR) -> Zone | None:
    """Every change of the clock from year `first` to the end of year `last`; None for a name that nobody knows."""
    try:
        zone = ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        return None
    here = datetime(first, 1, 1, tzinfo=UTC)
    found = [(0, _offset(zone, here))]
    end = datetime(last + 1, 1, 1, tzinfo=UTC)
    while here < end:
        following = here + _WEEK
        if _offset(zone, following) != found[-1][1]:
            moment = _moment(zone, here, following, found[-1][1])
            found.append((int(moment.timestamp()) * 1_000, _offset(zone, moment)))
            here = moment
        else:
            here = following
    return tuple(found)


def _offset(zone: ZoneInfo, moment: datetime) -> int:
    ahead = moment.astimezone(zone).utcoffset()
    return 0 if ahead is None else int(ahead.total_seconds()) * 1_000


def _moment(zone: ZoneInfo, low: datetime, high: datetime, before: int) -> datetime:
    """The first second with another offset than `before`."""
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
        if _offset(zone, middle) == before:
            low = middle
        else:
            high = middle
    return high
