"""`at:` of a test: a local date and time -> Unix ms, with both nights of a clock change told apart."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from engine import marks
from engine.dialplan.findings import Report

_AT = re.compile(
    r"(?P<day>\d{4}-\d{2}-\d{2})[ T](?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?"
    r"\s*(?P<offset>Z|[+-]\d{2}:?\d{2})?"
)


def zone_of(name: str) -> ZoneInfo:
    """The zone, or UTC for a name that this machine's tz data doesn't know (the site's check has told that)."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")


def read_at(report: Report, node: marks.Scalar, zone: str) -> int | None:
    """`2026-03-04 10:00` in `zone`, or with an offset (`2026-10-25 01:30 +01:00`), as Unix ms.

    A time that the clock skips in that zone, or shows twice, is refused with the offsets that say which is meant.
    """
    match = _AT.fullmatch(node.text.strip())
    try:
        if match is None:
            raise ValueError
        year, month, day = (int(part) for part in match["day"].split("-"))
        there = datetime(year, month, day, int(match["hour"]), int(match["minute"]), int(match["second"] or 0))
    except ValueError:
        hint = "a day and a time such as 2026-03-04 10:00, with an offset (+01:00) where the time comes twice"
        report.add("RD024", node, f"at: {node.text!r} is not a date and time", hint)
        return None
    if match["offset"]:
        return _unix_ms(there.replace(tzinfo=_offset(match["offset"])))
    local = zone_of(zone)
    first, second = there.replace(tzinfo=local), there.replace(tzinfo=local, fold=1)
    if first.utcoffset() == second.utcoffset():
        return _unix_ms(first)
    offsets = sorted({_spell(first.utcoffset()), _spell(second.utcoffset())})
    back = first.astimezone(UTC).astimezone(local).replace(tzinfo=None)
    if back != there:
        message = f"{node.text} doesn't exist in {zone}: the clock is put forward over it"
        report.add("RD232", node, message, "choose a time before or after the change")
    else:
        message = f"{node.text} comes twice in {zone}: the clock is put back"
        report.add("RD232", node, message, f"say which: {node.text} {offsets[1]}, or {node.text} {offsets[0]}")
    return None


def shown(wall_ms: int, zone: str) -> str:
    """`Wednesday 2026-03-04 10:00 Europe/London`."""
    there = datetime.fromtimestamp(wall_ms / 1_000, zone_of(zone))
    return f"{there:%A %Y-%m-%d %H:%M} {zone}"


def written(wall_ms: int, zone: str) -> str:
    """As `at:` reads it back, to the second, with the offset: `2026-03-04 10:00:00 +00:00`."""
    there = datetime.fromtimestamp(wall_ms // 1_000, zone_of(zone))
    return f"{there:%Y-%m-%d %H:%M:%S} {_spell(there.utcoffset())}"


def _offset(text: str) -> timezone:
    if text == "Z":
        return UTC
    hours, minutes = int(text[1:3]), int(text[-2:])
    return timezone((-1 if text[0] == "-" else 1) * timedelta(hours=hours, minutes=minutes))


def _spell(offset: timedelta | None) -> str:
    minutes = int((offset or timedelta()).total_seconds()) // 60
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def _unix_ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000)
