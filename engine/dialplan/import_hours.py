"""Asterisk's time specifications (`9:00-17:00,mon-fri,*,*`) -> a calendar of ours."""

from __future__ import annotations

import re
from typing import Any

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_TIME = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})")
WHOLE = "00:00-24:00"


def calendar(text: str) -> dict[str, Any] | None:
    """The calendar that is open at these times; None where it can't be said. `text`: times,weekdays[,days[,months]].

    Its last minute is included there and ours is not, so `9:00-16:59` becomes 09:00-17:00.
    """
    parts = [part.strip().lower() for part in re.split(r"[,|]", text)]
    parts += ["*"] * (4 - len(parts))
    times, weekdays, days, months = parts[:4]
    hours = _hours(times)
    if not hours or any(each != "*" for each in parts[4:]):
        return None
    if (days, months) == ("*", "*"):
        names = _weekdays(weekdays)
        return {"open": [f"{each} {hours}" for each in names]} if names else None
    if weekdays != "*" or not days.isdigit() or not 1 <= int(days) <= 31 or months not in _MONTHS:
        return None
    day = f"{_MONTHS.index(months) + 1:02}-{int(days):02}"
    return {"special": {day: "open" if hours == WHOLE else hours}}


def _hours(text: str) -> str:
    if text == "*":
        return WHOLE
    found = _TIME.fullmatch(text)
    if found is None:
        return ""
    begin, end = (int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4]))
    if begin >= 1_440 or end > 1_440 or int(found[2]) > 59 or int(found[4]) > 59:
        return ""
    end += end % 60 == 59  # until :59 is meant until the full hour
    return f"{begin // 60:02}:{begin % 60:02}-{end // 60:02}:{end % 60:02}" if begin != end else ""


def _weekdays(text: str) -> list[str]:
    if text == "*":
        return ["daily"]
    found = []
    for part in text.split("&"):
        first, dash, last = part.partition("-")
        if first not in _DAYS or (dash and last not in _DAYS):
            return []
        found.append(part)
    return found
