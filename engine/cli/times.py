"""Times as operators type them: 10:40, 10:40:30, 5m, 2h, 2026-11-26 10:40."""

from __future__ import annotations

import re
import time

_RELATIVE = re.compile(r"(\d{1,6})\s*(s|sec|m|min|h|d)")
_UNIT_S = {"s": 1, "sec": 1, "m": 60, "min": 60, "h": 3_600, "d": 86_400}
_CLOCK = re.compile(r"(?:(\d{4})-(\d{1,2})-(\d{1,2})[ T])?(\d{1,2}):(\d{2})(?::(\d{2}))?")
_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")


def past(text: str, now_s: float) -> int:
    """Unix ms of `--since`: a clock time is the last one that was, `5m` is five minutes ago. Raises UsageError."""
    return _moment(text, now_s, -1)


def coming(text: str, now_s: float) -> int:
    """Unix ms of `--until`: a clock time is the next one, `5m` is in five minutes. Raises UsageError."""
    found = _moment(text, now_s, 1)
    if found <= now_s * 1000:
        from engine.errors import UsageError

        raise UsageError(f"{text!r} is over already")
    return found


def _moment(text: str, now_s: float, way: int) -> int:
    from engine.errors import UsageError

    text = text.strip()
    relative = _RELATIVE.fullmatch(text)
    if relative is not None:
        return int((now_s + way * int(relative[1]) * _UNIT_S[relative[2]]) * 1000)
    found = _CLOCK.fullmatch(text)
    day = found or _DATE.fullmatch(text)
    if day is None:
        raise UsageError(f"{text!r} is no time: say 10:40, 10:40:30, 5m, 2h, or 2026-11-26 10:40")
    hour, minute, second = (int(part or 0) for part in found.groups()[3:]) if found is not None else (0, 0, 0)
    local = time.localtime(now_s)
    year, month, date = (int(part) for part in day.groups()[:3]) if day[1] else local[:3]
    if not (1 <= month <= 12 and 1 <= date <= 31 and hour < 24 and minute < 60 and second < 60):
        raise UsageError(f"{text!r} is no time that a clock or a calendar shows")
    at = time.mktime((year, month, date, hour, minute, second, 0, 0, -1))
    if not day[1] and (at - now_s) * way < 0:  # yesterday's for `since`, tomorrow's for `until`
        at = time.mktime((year, month, date + way, hour, minute, second, 0, 0, -1))
    return int(at * 1000)
