"""Shifts and special days as a site writes them, and agents against need in sentences (pure; the bytes come in).

```yaml
shifts:
  - {name: early, start: "08:00", end: "16:30", days: mon-fri, agents: 6}
days:
  - {date: 2026-12-25, name: christmas, calls: 20%}
```
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

import msgspec

from engine import marks
from engine.acd.demand import WEEKDAYS, Special, weekday
from engine.errors import LocalError, UsageError

DAY_S = 86_400
agents_per_shift_max = 10_000
_CLOCK = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)")
_COUNT = re.compile(r"[0-9]{1,9}")
_PERCENT = re.compile(r"(\d{1,4}(?:\.\d+)?)\s*%")
_EPOCH = date(1970, 1, 1).toordinal()


class Shift(msgspec.Struct, frozen=True):
    """`agents` people from `start_s` to `end_s` of local time on these weekdays (0: Monday); an end that isn't after
    the start lies on the next day."""

    name: str
    start_s: int
    end_s: int
    days: tuple[int, ...]
    agents: int


class Gap(msgspec.Struct, frozen=True):
    """One interval: local seconds since 1970 from which and until which, and agents minus need (negative: short)."""

    from_s: int
    until_s: int
    agents: int


def day_of(text: str) -> int:
    """Days since 1970-01-01 of a date as 2026-03-01, from 1970 to 2999. Raises UsageError."""
    try:
        found = date.fromisoformat(text.strip())
    except ValueError as error:
        raise UsageError(f"{text!r} is no date: as in 2026-03-01") from error
    if not 1970 <= found.year <= 2999:
        raise UsageError(f"{text!r} lies outside the years 1970 to 2999")
    return found.toordinal() - _EPOCH


def date_of(day: int) -> str:
    """The date, as 2026-03-01, of a day since 1970-01-01."""
    return date.fromordinal(day + _EPOCH).isoformat()


# --- reading --------------------------------------------------------------------------------------------------------
def read_shifts(data: bytes, file: str) -> list[Shift]:
    """The shifts of a file. Raises UsageError with file:line:column and what was meant."""
    found = []
    for entry in _entries(data, file, "shifts", ("name", "start", "end", "days", "agents")):
        start_s, end_s = (_clock(_scalar(entry, key)) for key in ("start", "end"))
        agents = _scalar(entry, "agents")
        if not _COUNT.fullmatch(agents.text) or not 1 <= int(agents.text) <= agents_per_shift_max:
            raise _wrong(agents, f"agents: a whole number from 1 to {agents_per_shift_max}, not {agents.text!r}")
        if start_s >= DAY_S:
            raise _wrong(_scalar(entry, "start"), "a shift starts before 24:00")
        if end_s <= start_s:
            end_s += DAY_S
        name = _scalar(entry, "name").text
        found.append(Shift(name, start_s, end_s, _weekdays(entry.entries["days"]), int(agents.text)))
    return found


def read_days(data: bytes, file: str) -> dict[int, Special]:
    """The special days of a file, by day. Raises UsageError with file:line:column and what was meant."""
    found: dict[int, Special] = {}
    for entry in _entries(data, file, "days", ("date", "name"), ("calls",)):
        at = _scalar(entry, "date")
        try:
            day = day_of(at.text)
        except UsageError as error:
            raise _wrong(at, str(error)) from error
        if day in found:
            raise _wrong(at, f"{at.text} stands here twice")
        factor = None
        if "calls" in entry.entries:
            calls = _scalar(entry, "calls")
            share = _PERCENT.fullmatch(calls.text)
            if share is None:
                raise _wrong(calls, f"calls: a share of a usual day, as in 20%, not {calls.text!r}")
            factor = float(share[1]) / 100
        found[day] = Special(_scalar(entry, "name").text, factor)
    return found


def _entries(
    data: bytes, file: str, key: str, needed: Sequence[str], allowed: Sequence[str] = ()
) -> list[marks.Mapping]:
    root, faults = marks.load(data, file)
    if faults:
        fault = faults[0]
        more = f"; {fault.suggestion}" if fault.suggestion else ""
        raise UsageError(f"{fault.file}:{fault.line}:{fault.column}: {fault.message}{more}")
    if not isinstance(root, marks.Mapping) or list(root.entries) != [key]:
        raise UsageError(f"{file}:1:1: the file holds one key, `{key}:`, with a list")
    rows = root.entries[key]
    if not isinstance(rows, marks.Sequence) or not rows.items:
        raise _wrong(rows, f"{key}: a list with at least one entry")
    found = []
    for row in rows.items:
        if not isinstance(row, marks.Mapping):
            raise _wrong(row, f"an entry of {key} has the keys {', '.join(needed)}")
        for name, scalar in row.keys.items():
            if name not in (*needed, *allowed):
                raise _wrong(scalar, f"unknown key {name!r}; an entry has {', '.join((*needed, *allowed))}")
        missing = [name for name in needed if name not in row.entries]
        if missing:
            raise _wrong(row, f"{' and '.join(missing)} missing; an entry has {', '.join(needed)}")
        found.append(row)
    return found


def _scalar(entry: marks.Mapping, key: str) -> marks.Scalar:
    node = entry.entries[key]
    if not isinstance(node, marks.Scalar) or not node.text.strip():
        raise _wrong(node, f"{key}: one word or number")
    return node


def _clock(node: marks.Scalar) -> int:
    found = _CLOCK.fullmatch(node.text.strip())
    if found is None or (found[1] == "24" and found[2] != "00"):
        raise _wrong(node, f"{node.text!r} is no time of day: as in 08:00")
    return int(found[1]) * 3600 + int(found[2]) * 60


def _weekdays(node: marks.Node) -> tuple[int, ...]:
    """`mon-fri`, `sat`, or a list of them."""
    parts = node.items if isinstance(node, marks.Sequence) else [node]
    found: list[int] = []
    for part in parts:
        if not isinstance(part, marks.Scalar):
            raise _wrong(part, "days: as in mon-fri, or [mon, wed]")
        first, _, last = part.text.strip().lower().partition("-")
        last = last or first
        if first not in WEEKDAYS or last not in WEEKDAYS:
            raise _wrong(part, f"{part.text!r} are no days: as in mon-fri, of {' '.join(WEEKDAYS)}")
        begin = WEEKDAYS.index(first)
        found += [(begin + step) % 7 for step in range((WEEKDAYS.index(last) - begin) % 7 + 1)]
    if not found:
        raise _wrong(node, "days: at least one")
    return tuple(sorted(dict.fromkeys(found)))


def _wrong(node: marks.Node, message: str) -> UsageError:
    return UsageError(f"{node.file}:{node.line}:{node.column}: {message}")


# --- agents against need ----------------------------------------------------------------------------------------------
def planned(shifts: Sequence[Shift], from_s: int, until_s: int) -> float:
    """Agents that the shifts have at work in an interval, on average over it; local seconds since 1970."""
    if until_s <= from_s:
        raise LocalError("an interval ends after it begins")
    total = 0.0
    for shift in shifts:
        for day in range(from_s // DAY_S - 1, (until_s - 1) // DAY_S + 1):
            if weekday(day) in shift.days:
                begin, end = day * DAY_S + shift.start_s, day * DAY_S + shift.end_s
                total += shift.agents * max(0, min(end, until_s) - max(begin, from_s)) / (until_s - from_s)
    return total


def sentences(gaps: Sequence[Gap], *, over: bool = False) -> list[str]:
    """ "short 3 agents from 10:00 until 11:30": one for each stretch of touching intervals that are short, and with
    `over` one for each stretch with more than are needed. A day is named when there are several."""
    several = len({gap.from_s // DAY_S for gap in gaps}) > 1
    found: list[str] = []
    stretch: list[Gap] = []
    for gap in [*gaps, None]:
        goes_on = gap is not None and stretch and gap.from_s == stretch[-1].until_s and _sign(gap) == _sign(stretch[-1])
        if gap is None or not goes_on:
            if stretch and (_sign(stretch[0]) < 0 or (over and _sign(stretch[0]) > 0)):
                found.append(_sentence(stretch, several))
            stretch = []
        if gap is not None:
            stretch.append(gap)
    return found


def _sign(gap: Gap) -> int:
    return (gap.agents > 0) - (gap.agents < 0)


def _sentence(stretch: Sequence[Gap], named: bool) -> str:
    counts = [abs(gap.agents) for gap in stretch]
    few, many = min(counts), max(counts)
    number = f"{few}" if few == many else f"{few} to {many}"
    noun = "agent" if many == 1 else "agents"
    begin, end = stretch[0].from_s, stretch[-1].until_s
    day = f"{date_of(begin // DAY_S)}: " if named else ""
    until = "24:00" if end % DAY_S == 0 else clock(end)
    span = f"from {clock(begin)} until {until}"
    return f"{day}short {number} {noun} {span}" if stretch[0].agents < 0 else f"{day}{number} {noun} over {span}"


def clock(at_s: int) -> str:
    """Local time of day as 08:30."""
    return f"{at_s % DAY_S // 3600:02}:{at_s % 3600 // 60:02}"
