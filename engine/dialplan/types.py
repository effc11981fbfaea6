"""The language's types: what a variable may hold, how a literal is read, how a declaration is written.

Values at run time are str (text, digits, phone, choice), int (number; duration in ms) or bool (flag).
"""

from __future__ import annotations

import re

import msgspec

Value = str | int | bool
number_max = 9_007_199_254_740_991  # saturation bound: the largest integer every JSON reader keeps
text_max = 1_000
KINDS = ("text", "digits", "number", "flag", "choice", "phone", "duration")
LATER = ("money", "date", "time")


class Type(msgspec.Struct, frozen=True):
    """A type. `low`/`high` bound the length of digits (0 = free); `words` are a choice's values."""

    kind: str
    low: int = 0
    high: int = 0
    words: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.kind == "digits" and self.high:
            return f"digits {self.low}" if self.low == self.high else f"digits {self.low}..{self.high}"
        return " ".join((self.kind, *self.words))


TEXT, NUMBER, FLAG, PHONE = Type("text"), Type("number"), Type("flag"), Type("phone")
DIGITS, DURATION = Type("digits"), Type("duration")
FLAGS = {"yes": True, "no": False, "true": True, "false": False, "on": True, "off": False}
_TEXTUAL = ("text", "digits", "phone", "choice")
_UNITS = {"ms": 1, "s": 1_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
_DURATION = re.compile(r"([0-9]{1,9})(?:\.([0-9]{1,3}))?\s*(ms|s|min|h|d)")
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


def literal(text: str, wanted: Type) -> Value:
    """A literal of a wanted type. Raises TypeProblem."""
    kind = wanted.kind
    if kind == "number":
        if re.fullmatch(r"[+-]?[0-9]{1,15}", text) is None:
            raise TypeProblem(f"{text!r} is not a whole number")
        return int(text)
    if kind == "duration":
        return duration_ms(text)
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
    if variable.kind == "choice":
        return all(word in variable.words for word in value.words)
    if variable.kind == "digits" and variable.high:
        return value.low >= variable.low and 0 < value.high <= variable.high
    return True


def comparable(left: Type, right: Type) -> bool:
    """May the two be compared by `=`?"""
    if left.kind in _TEXTUAL and right.kind in _TEXTUAL:
        return True
    return left.kind == right.kind


def spelled(value: Value | None) -> str | None:
    """A value as it is written in a file."""
    if value is None:
        return None
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)
