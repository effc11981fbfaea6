"""Values typed by keys: how many keys they take, and what they mean.

A date is typed by the form that the dialplan names (`keyed: ddmm`), a time as 0830, an amount with * for the point, yes
and no as 1 and 2, a choice by its place.
"""

from __future__ import annotations

from engine.dialplan import calendars, currencies, types
from engine.dialplan.types import Type, Value

FORMS = ("ddmm", "mmdd", "ddmmyyyy", "mmddyyyy", "yyyymmdd")
DATE_FORM = "yyyymmdd"
YEARS_AHEAD = 8  # the 29th of February comes again within that
POINT = "*"
KINDS = ("digits", "number", "phone", "text", "date", "time", "money", "flag", "choice")


def lengths(kind: Type, form: str) -> tuple[int, int]:
    """The least and most keys of a value; (0, 0): as for digits."""
    if kind.kind == "date":
        return len(form), len(form)
    if kind.kind == "time":
        return 4, 4
    if kind.kind == "flag":
        return 1, 1
    if kind.kind == "choice":
        places = len(str(len(kind.words)))
        return (1, 1) if places == 1 else (1, places)
    if kind.kind == "money":
        return 1, 12
    return 0, 0


def value(kind: Type, keys: str, form: str = DATE_FORM, today: str = "") -> Value | None:
    """What the keys mean, None when they can't be a value of this type. `today`: dates without a year are the next."""
    rules = {"number": _number, "flag": _flag, "time": _time, "money": _money, "choice": _choice}
    if kind.kind == "date":
        return _date(keys, form, today)
    rule = rules.get(kind.kind)
    return keys if rule is None else rule(kind, keys)


def _number(kind: Type, keys: str) -> Value | None:
    return int(keys) if keys.isdigit() else None


def _flag(kind: Type, keys: str) -> Value | None:
    return {"1": True, "2": False}.get(keys)


def _choice(kind: Type, keys: str) -> Value | None:
    place = int(keys) if keys.isdigit() else 0
    return kind.words[place - 1] if 0 < place <= len(kind.words) else None


def _time(kind: Type, keys: str) -> Value | None:
    try:
        return types.time_of(f"{keys[:2]}:{keys[2:]}")
    except types.TypeProblem:
        return None


def _money(kind: Type, keys: str) -> Value | None:
    whole, _, fraction = keys.partition(POINT)
    if not whole.isdigit() or (fraction and not fraction.isdigit()):
        return None
    return currencies.units(whole, fraction, kind.words[0])


def _date(keys: str, form: str, today: str) -> str | None:
    if not keys.isdigit() or len(keys) != len(form):
        return None
    part = {sign: keys[form.index(sign) : form.rindex(sign) + 1] for sign in dict.fromkeys(form)}
    if "y" in part:
        years = [int(part["y"])]
    else:
        first = int(today[:4]) if calendars.day_of(today) is not None else 0
        years = [first + ahead for ahead in range(YEARS_AHEAD + 1)] if first else []
    for year in years:
        day = f"{year:04}-{part['m']}-{part['d']}"
        if calendars.day_of(day) is not None and ("y" in part or day >= today):
            return day
    return None
