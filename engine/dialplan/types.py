"""The language's types: what a variable may hold, how a literal is read, how a declaration is written.

Values at run time are str (text, digits, phone, choice; date as 2026-03-04, time as 08:00), int (number; duration in
ms; money in minor units, as cents) or bool (flag).
"""

from __future__ import annotations

import re

import msgspec

from engine.dialplan import calendars, currencies

Value = str | int | bool
number_max = 9_007_199_254_740_991  # saturation bound: the largest integer every JSON reader keeps
text_max = 1_000
KINDS = ("text", "digits", "number", "flag", "choice", "phone", "duration", "money", "date", "time")


class Type(msgspec.Struct, frozen=True):
    """A type. `low`/`high` bound the length of digits (0 = free); `words`: a choice's values, money's currency."""

    kind: str
    low: int = 0
    high: int = 0
    words: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.kind == "digits" and self.high:
            return f"digits {self.low}" if self.low == self.high else f"digits {self.low}..{self.high}"
        return " ".join((self.kind, *self.words))


TEXT, NUMBER, FLAG, PHONE = Type("text"), Type("number"), Type("flag"), Type("phone")
DIGITS, DURATION, DATE, TIME = Type("digits"), Type("duration"), Type("date"), Type("time")
FLAGS = {"yes": True, "no": False, "true": True, "false": False, "on": True, "off": False}
WRITTEN = ("digits", "text", "phone")  # a number's literal is kept in them as it was written
_TEXTUAL = ("text", "digits", "phone", "choice")
_UNITS = {"ms": 1, "s": 1_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
_DURATION = re.compile(r"([0-9]{1,9})(?:\.([0-9]{1,3}))?\s*(ms|s|min|h|d)")
_TIME = re.compile(r"([0-9]{1,2}):([0-9]{2})")
_MONEY = re.compile(r"(-?)([0-9]{1,13})(?:\.([0-9]{1,3}))?(?:\s*([A-Z]{3}))?")
_RANGE = re.compile(r"([0-9]{1,3})(?:\.\.([0-9]{1,3}))?")
WORD = re.compile(r"[a-z][a-z0-9_]*")
digits_max = 64


class TypeProblem(Exception):
    """A declaration or a literal that doesn't fit; the text says why."""


class Declaration(msgspec.Struct, frozen=True):
    """`digits 4 sensitive = 0000` taken apart."""

    type: Type
    sensitive: bool = False
    default: Value | None = None


def duration_ms(text: str) -> int:
    """`20s`, `1.5min`, `2h` in ms. Raises TypeProblem."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise TypeProblem(f"{text!r} is not a duration; write a number and ms, s, min, h or d, as in 20s")
    whole, fraction, unit = match.groups()
    scale = _UNITS[unit]
    return int(whole) * scale + (int(fraction.ljust(3, "0")) * scale // 1_000 if fraction else 0)


def declare(text: str) -> Declaration:
    """Read a declaration. Raises TypeProblem."""
    head, equals, tail = text.partition("=")
    words = head.split()
    sensitive = "sensitive" in words
    words = [word for word in words if word != "sensitive"]
    if not words:
        raise TypeProblem("a type is missing; one of " + ", ".join(KINDS))
    kind, rest = words[0], words[1:]
    if kind == "digits" and rest:
        declared = _lengths(rest)
    elif kind == "choice":
        declared = _choice(rest)
    elif kind == "money":
        declared = money(" ".join(rest))
    elif rest:
        raise TypeProblem(f"{kind!r} takes no further words")
    else:
        declared = Type(kind)
    if not equals:
        return Declaration(declared, sensitive)
    return Declaration(declared, sensitive, literal(tail.strip(), declared))


def _lengths(rest: list[str]) -> Type:
    match = _RANGE.fullmatch(rest[0]) if len(rest) == 1 else None
    if match is None:
        raise TypeProblem("digits are declared as `digits 8` or `digits 4..6`")
    low = int(match.group(1))
    high = int(match.group(2) or low)
    if not 1 <= low <= high <= digits_max:
        raise TypeProblem(f"digits {low}..{high}: lengths go from 1 to {digits_max}, the smaller first")
    return Type("digits", low, high)


def _choice(rest: list[str]) -> Type:
    if len(rest) < 2 or len({*rest}) != len(rest):
        raise TypeProblem("a choice names at least two different words, as in `choice standard vip`")
    for word in rest:
        if WORD.fullmatch(word) is None:
            raise TypeProblem(f"{word!r} is not a word of small letters, digits and _")
    return Type("choice", words=tuple(rest))


def money(code: str) -> Type:
    """The type of an amount in a currency. Raises TypeProblem."""
    if code not in currencies.CODES:
        from engine.dialplan.findings import did_you_mean

        said = f"{code!r} is no currency" if code else "money needs its currency"
        raise TypeProblem(f"{said}; as in `money EUR`. {did_you_mean(code, currencies.CODES)}".strip(". "))
    return Type("money", words=(code,))


def time_of(text: str) -> str:
    """`8:05` as `08:05`. Raises TypeProblem."""
    match = _TIME.fullmatch(text)
    if match is None or int(match.group(1)) > 23 or int(match.group(2)) > 59:
        raise TypeProblem(f"{text!r} is no time of the day; it is written 08:00, from 00:00 to 23:59")
    return f"{int(match.group(1)):02}:{match.group(2)}"


def date_of(text: str) -> str:
    """A day that exists. Raises TypeProblem."""
    if calendars.day_of(text) is None:
        raise TypeProblem(f"{text!r} is no day; it is written 2026-03-04")
    return text


def money_of(text: str, wanted: Type) -> int:
    """Minor units of `12.50 EUR` or `12.50`. Raises TypeProblem."""
    code = wanted.words[0]
    match = _MONEY.fullmatch(text)
    if match is None or (match.group(4) or code) != code:
        raise TypeProblem(f"{text!r} is no amount in {code}; it is written 12.50 {code}")
    found = currencies.units(match.group(2), match.group(3) or "", code)
    if found is None:
        raise TypeProblem(f"{text!r}: {code} has {currencies.digits(code)} digits behind the point")
    return -found if match.group(1) else found


def literal(text: str, wanted: Type) -> Value:
    """A literal of a wanted type. Raises TypeProblem."""
    kind = wanted.kind
    if kind == "number":
        if re.fullmatch(r"[+-]?[0-9]{1,15}", text) is None:
            raise TypeProblem(f"{text!r} is not a whole number")
        return int(text)
    if kind == "duration":
        return duration_ms(text)
    if kind == "money":
        return money_of(text, wanted)
    if kind == "date":
        return date_of(text)
    if kind == "time":
        return time_of(text)
    if kind == "flag":
        if text not in FLAGS:
            raise TypeProblem(f"{text!r} is neither yes nor no")
        return FLAGS[text]
    text = text[1:-1] if len(text) > 1 and text[0] == text[-1] == "'" else text
    if kind == "digits":
        return _digits_literal(text, wanted)
    if kind == "phone" and re.fullmatch(r"\+?[0-9*#]{1,32}", text) is None:
        raise TypeProblem(f"{text!r} is not a telephone number")
    if kind == "choice" and text not in wanted.words:
        raise TypeProblem(f"{text!r} is not one of {', '.join(wanted.words)}")
    if len(text) > text_max:
        raise TypeProblem(f"text longer than {text_max} characters")
    return text


def _digits_literal(text: str, wanted: Type) -> str:
    if re.fullmatch(r"[0-9*#]+", text) is None:
        raise TypeProblem(f"{text!r} are not digits")
    if wanted.high and not wanted.low <= len(text) <= wanted.high:
        raise TypeProblem(f"{text!r} has {len(text)} digits, not {str(wanted).removeprefix('digits ')}")
    return text


def fits(value: Type, variable: Type) -> bool:
    """May a value of this type be stored in such a variable without a check at run time?"""
    if variable.kind == "text":
        return value.kind in _TEXTUAL
    if value.kind != variable.kind:
        return value.kind == "digits" and variable.kind == "phone"
    if variable.kind == "money":
        return value.words == variable.words
    if variable.kind == "choice":
        return all(word in variable.words for word in value.words)
    if variable.kind == "digits" and variable.high:
        return value.low >= variable.low and 0 < value.high <= variable.high
    return True


def comparable(left: Type, right: Type) -> bool:
    """May the two be compared by `=`?"""
    if left.kind in _TEXTUAL and right.kind in _TEXTUAL:
        return True
    return left.kind == right.kind and (left.kind != "money" or left.words == right.words)


def spelled(value: Value | None, kind: Type | None = None) -> str | None:
    """A value as it is written in a file; money needs its type."""
    if value is None:
        return None
    if kind is not None and kind.kind == "money" and isinstance(value, int):
        return currencies.written(value, kind.words[0])
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def shown(value: Value, declared: str) -> str:
    """A value for the records, by the type as declared: amounts as `12.50 EUR`, everything else as it is."""
    kind, _, code = declared.partition(" ")
    if kind == "money" and isinstance(value, int):
        return currencies.written(value, code)
    return str(value)
