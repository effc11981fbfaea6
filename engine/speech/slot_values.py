"""What the words of a slot mean: from the tags of `speech.slots_en` and its sisters to values, in any language.

Values as `dialplan.types` has them. A slot may mean several things ("half past three", "next Friday"): all of them are
given, the likeliest first, so that a caller who refuses one is offered the other.

Tags: `+5` adds, `^100` multiplies the digit before it, `*1000` the group before it, `-` makes negative; `.` parts an
amount, `p` is its point; `x2` doubles the sign after it; `D4` day, `M3` month, `Y2000` adds to the year, `W0` Monday,
`this` and `next` before a weekday; `h9` hour (`h109`: with a nought before it), `m30` minute, `am`, `pm`, `night`,
`noon`, `midnight`, `to`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from engine.speech.grammar import Slot

Value = str | int | bool
_PLACES = {
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
}
free_max = 999_999
_SOME_DAY = date(2024, 1, 1)  # only to see whether a day can be meant at all; a leap year


def places(currency: str) -> int:
    """How many digits stand behind the point of an amount."""
    return _PLACES.get(currency, 2)


def bounds(slot: Slot) -> tuple[int, int]:
    """Between which numbers a number (an amount: its whole units) lies; free ones up to 999,999."""
    return slot.low, slot.high if slot.high or slot.low < 0 else free_max


def values(slot: Slot, tags: Sequence[str], today: str = "") -> tuple[Value, ...]:
    """What the tags mean, the likeliest first; () when it can't be (30 February, a number out of range).

    Without `today` (2026-03-04) a day counted from today is given as if it were a day in 2024: enough to know that it
    is a day, not to use it.
    """
    if slot.kind == "yes_no":
        return (tags[0] == "yes",)
    if slot.kind in ("digits", "spelled"):
        text = _repeated(tags)
        fits = len(text) >= max(1, slot.low) and (not slot.high or len(text) <= slot.high)
        return (text,) if fits else ()
    if slot.kind == "number":
        number = counted(tags)
        return (number,) if _within(number, slot) else ()
    if slot.kind == "amount":
        return _amount(tags, slot)
    if slot.kind == "date":
        return tuple(day.isoformat() for day in _days(tags, today))
    if slot.kind == "time":
        return _times(tags)
    return tuple(tag[1:] for tag in tags if tag[0] == "=")


def _within(number: int, slot: Slot) -> bool:
    low, high = bounds(slot)
    return low <= number <= high


def _repeated(tags: Sequence[str]) -> str:
    """Signs in a row; `x2` doubles the next."""
    text, times = "", 1
    for tag in tags:
        if tag[0] == "x" and len(tag) > 1:
            times = int(tag[1:])
        else:
            text, times = text + tag * times, 1
    return text


def counted(tags: Sequence[str]) -> int:
    """The number of tags: twelve thousand two hundred and five is +12 *1000 +2 ^100 +5."""
    total = group = unit = 0
    sign = 1
    for tag in tags:
        if tag == "-":
            sign = -1
        elif tag[0] == "+":
            group, unit = group + unit, int(tag[1:])
        elif tag[0] == "^":
            group, unit = group + (unit or 1) * int(tag[1:]), 0
        else:
            total, group, unit = total + (group + unit or 1) * int(tag[1:]), 0, 0
    return sign * (total + group + unit)


def _amount(tags: Sequence[str], slot: Slot) -> tuple[Value, ...]:
    scale = 10 ** places(slot.currency)
    parting = next((index for index, tag in enumerate(tags) if tag in (".", "p")), len(tags))
    whole = counted(tags[:parting])
    rest = tags[parting + 1 :]
    if parting < len(tags) and tags[parting] == "p":
        text = "".join(rest)
        if len(text) > places(slot.currency):
            return ()
        part = int(text.ljust(places(slot.currency), "0") or 0)
    else:
        part = counted(rest)
    return (whole * scale + part,) if part < scale and _within(whole, slot) else ()


def _days(tags: Sequence[str], today: str) -> list[date]:
    """The days that may be meant."""
    now = date.fromisoformat(today) if today else _SOME_DAY
    if tags[0][0] == "+":
        return [now + timedelta(days=int(tags[0][1:]))]
    weekday = next((int(tag[1:]) for tag in tags if tag[0] == "W"), None)
    day = next((int(tag[1:]) for tag in tags if tag[0] == "D"), 0)
    month = next((int(tag[1:]) for tag in tags if tag[0] == "M"), 0)
    year = sum(int(tag[1:]) for tag in tags if tag[0] == "Y")
    if weekday is not None and not day:
        return _weekdays(tags[0], weekday, now)
    found = _calendar(year, month, day, now)
    if weekday is not None and today:
        found = [one for one in found if one.weekday() == weekday]
    return found


def _weekdays(word: str, weekday: int, now: date) -> list[date]:
    """ "Friday" is the next one after today; "this Friday" may be today; of "next Friday" people think two ways."""
    coming = now + timedelta(days=(weekday - now.weekday() - 1) % 7 + 1)
    if word == "this":
        return [now] if now.weekday() == weekday else [coming]
    if word == "next":
        of_next_week = now + timedelta(days=7 - now.weekday() + weekday)
        return [of_next_week] if of_next_week == coming else [of_next_week, coming]
    return [coming]


def _calendar(year: int, month: int, day: int, now: date) -> list[date]:
    """A day of the calendar; without its year or month the first from today on."""
    if year:
        years, months = [year], [month]
    elif month:
        years, months = list(range(now.year, now.year + 9)), [month]
    else:
        years, months = [now.year, now.year + 1], list(range(1, 13))
    for one in years:
        for other in months:
            try:
                found = date(one, other, day)
            except ValueError:
                continue  # 29 February of most years, 31 of a short month
            if year or found >= now:
                return [found]
    return []


def _times(tags: Sequence[str]) -> tuple[Value, ...]:
    if tags[0] == "noon":
        return ("12:00",)
    if tags[0] == "midnight":
        return ("00:00",)
    hour = next(int(tag[1:]) for tag in tags if tag[0] == "h")
    minute = sum(int(tag[1:]) for tag in tags if tag[0] == "m" and tag != "midnight")
    half = next((tag for tag in tags if tag in ("am", "pm", "night")), "")
    if hour > 100 or hour > 12 or hour == 0:
        hours = [hour % 100]
    elif half == "am" or (half == "night" and hour in (12, *range(1, 6))):
        hours = [hour % 12]
    elif half:
        hours = [hour % 12 + 12]
    else:
        hours = sorted((hour % 12, hour % 12 + 12), key=lambda one: not 7 <= one < 19)
    if "to" in tags:
        hours = [(one - 1) % 24 for one in hours]
        minute = 60 - minute
    return tuple(f"{one:02}:{minute:02}" for one in hours)
