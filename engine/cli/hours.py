"""`ringdown hours [CALENDAR] [--at DATE]`: what is open, why, and when that changes; which seasons are there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.options import Data, Json

if TYPE_CHECKING:
    from engine.dialplan.calendars import CalendarModel, Zone
    from engine.dialplan.model import Site


def hours(
    calendar: Annotated[str, typer.Argument(help="One calendar, as office or press/office (default: all).")] = "",
    state: Annotated[str, typer.Argument(metavar="[open|closed|auto]", help="What holds instead of its hours, in the "
                                         "running engine, until the next midnight; auto: its hours again.")] = "",
    site: Annotated[Path | None, typer.Option("--site", help="The site's folder (default: the demo site).")] = None,
    at: Annotated[str, typer.Option("--at", help="A day, as 2026-12-25, or a moment, as '2026-12-25 10:00', by each "
                                    "calendar's own clock (default: now).")] = "",
    until: Annotated[str, typer.Option("--until", help="With open or closed: 14:00, 3h, 2026-12-24 12:00.")] = "",
    by: Annotated[str, typer.Option("--by", help="Who wants it, beside the user who types it.")] = "",
    data: Data = None, json: Json = False,
) -> None:  # fmt: skip
    """Print what every calendar says at one moment, and which dialplan answers the numbers that have seasons; or switch
    a calendar. A day without a time shows the whole day's hours.

    Printed as the site's files say it: what an operator has switched is shown by `ringdown status`.
    """
    from engine.cli import show

    if state:
        from engine.cli import notice

        notice.switch("hours.set", {"calendar": calendar, "state": state}, until, by, data, json=json)
        return
    found = read(site)
    rows = [row(model, found.zones.get(model.zone, ()), at) for model in chosen(found, calendar)]
    numbers = [] if calendar else seasonal(found, at)
    if json:
        print(show.as_json({"calendars": rows, "seasons": numbers}))
        return
    print(show.table(rows, COLUMNS))
    if numbers:
        print("\n" + show.table(numbers, NUMBER_COLUMNS))


COLUMNS = (
    ("calendar", "CALENDAR"), ("at", "AT"), ("state", "STATE"), ("hours", "HOURS"), ("why", "WHY"), ("until", "UNTIL"),
    ("zone", "ZONE"),
)  # fmt: skip
NUMBER_COLUMNS = (("number", "NUMBER"), ("at", "AT"), ("dialplan", "DIALPLAN"), ("until", "UNTIL"))


def seasonal(site: Site, at: str) -> list[dict[str, Any]]:
    """The numbers that have seasons, and what answers them that day; `until` is its last day."""
    from engine.dialplan import calendars, seasons

    found = []
    for number in site.numbers.values():
        tenant = site.tenants[number.tenant]
        zone = site.zones.get(tenant.time_zone, ())
        wall_ms = moment(zone, at)
        day, _ = calendars.local(zone, wall_ms)
        dialplan, entry = seasons.entered(number, zone, wall_ms)
        ends = [last for season in number.seasons for first, last in season.days if first <= day <= last]
        begins = [first - 1 for season in number.seasons for first, _ in season.days if first > day]
        until = min(ends or begins, default=None)
        if number.seasons:
            found.append({
                "number": number.number, "at": calendars.written(day), "dialplan": f"{dialplan}.{entry}" if entry
                else dialplan, "until": "" if until is None else calendars.written(until),
            })  # fmt: skip
    return found


def read(folder: Path | None) -> Site:
    """The site, checked. Raises SiteError with its first finding when it is refused."""
    from engine.dialplan.findings import render
    from engine.errors import SiteError
    from engine.runtime.site_files import demo_site, read_folder

    reading = read_folder(folder if folder is not None else demo_site())
    if reading.site is None:
        raise SiteError("the site is refused (see ringdown check):\n" + render(reading.errors()[0]))
    return reading.site


def chosen(site: Site, name: str) -> list[CalendarModel]:
    """The calendars called so, in any tenant when no tenant is named. Raises UsageError."""
    from engine.dialplan.findings import did_you_mean
    from engine.errors import UsageError

    found = [model for full, model in site.calendars.items() if name in ("", full, model.name)]
    if name and not found:
        known = [*site.calendars, *dict.fromkeys(model.name for model in site.calendars.values())]
        hint = did_you_mean(name, known) or "this site has no calendars.yaml"
        raise UsageError(f"no calendar {name!r}: {hint}")
    return found


def row(calendar: CalendarModel, zone: Zone, at: str) -> dict[str, Any]:
    """One calendar at one moment."""
    from engine.dialplan import calendars

    wall_ms = moment(zone, at)
    day, minute = calendars.local(zone, wall_ms)
    whole = len(at.strip()) == 10
    change = calendars.next_change(calendar, zone, wall_ms)
    hours = calendars.hours_of(calendar, day)
    return {
        "calendar": f"{calendar.tenant}/{calendar.name}",
        "at": calendars.written(day) + ("" if whole else f" {clock(minute)}"),
        "state": _of_day(calendar, day) if whole else calendars.state(calendar, zone, wall_ms),
        "hours": " ".join(f"{clock(begin)}-{clock(end)}" for begin, end in hours) or "none",
        "why": why(calendar, day),
        "until": "" if whole or change is None else _shown(zone, *change),
        "zone": calendar.zone,
    }


def _of_day(calendar: CalendarModel, day: int) -> str:
    from engine.dialplan import calendars

    if calendars.hours_of(calendar, day):
        return "open"
    special = calendar.special.get(day)
    return "holiday" if day in calendar.holidays or (special is not None and special.holiday) else "closed"


def why(calendar: CalendarModel, day: int) -> str:
    """Which of the calendar's lines decides this day."""
    from engine.dialplan import calendars

    name = calendar.holidays.get(day, "")
    running = [each for each, spans in calendar.periods.items() if any(a <= day <= b for a, b in spans)]
    reason = calendars.DAYS[calendars.weekday(day)]
    if day in calendar.special:
        reason = "special day" + (f" ({name})" if name else "")
    elif name:
        reason = name
    return ", ".join([reason, *running])


def clock(minute: int) -> str:
    """08:00; the end of a day is 24:00, hours of the next day begin again at 00:00."""
    from engine.dialplan.calendars import DAY_MINUTES

    minute = minute if minute <= DAY_MINUTES else minute - DAY_MINUTES
    return f"{minute // 60:02}:{minute % 60:02}"


def moment(zone: Zone, at: str) -> int:
    """Unix ms of what a clock there shows; of two, the first; one that is left out is the jump. Raises UsageError."""
    import re
    import time

    from engine.dialplan import calendars
    from engine.errors import UsageError

    if not at.strip():
        return int(time.time() * 1_000)
    match = re.fullmatch(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[ T]([0-9]{2}):([0-9]{2}))?", at.strip())
    day = calendars.day_of(match.group(1)) if match is not None else None
    if match is None or day is None:
        raise UsageError(f"--at {at!r} is no moment; write 2026-12-25 or '2026-12-25 10:00'")
    hour, minute = int(match.group(2) or 0), int(match.group(3) or 0)
    if hour > 23 or minute > 59:
        raise UsageError(f"--at {at!r}: there is no time {hour:02}:{minute:02}")
    for later in range(hour * 60 + minute, hour * 60 + minute + 180):
        found = calendars.moments(zone, day, later)
        if found:
            return found[0]
    raise UsageError(f"--at {at!r}: no clock shows that")


def _shown(zone: Zone, wall_ms: int, state: str) -> str:
    from engine.dialplan import calendars

    day, minute = calendars.local(zone, wall_ms)
    return f"{calendars.written(day)} {clock(minute)} ({state})"
