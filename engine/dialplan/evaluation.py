"""The value of a compiled expression: total, without side effects, on plain data (see `expressions`).

A tree is nested lists, [sign, part, …]. Dates are texts 2026-03-04 and times texts 08:00; they are compared and
reckoned with as days and minutes. Money is whole minor units (cents).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from engine.dialplan import calendars, types
from engine.dialplan.types import Value

Rule = Callable[[list[Any], Mapping[str, Value], Mapping[str, str]], Value]
DAY_MS = 86_400_000
_LAST_DAY = 2_932_896  # 9999-12-31
_NAMES = ("variable", "fact", "measure", "holds", "known", "has")


def reads(tree: list[Any], name: str) -> bool:
    """Does a compiled expression read this variable or fact?"""
    return any(name == each for each in names(tree))


def names(tree: list[Any]) -> Iterator[str]:
    """Every variable and fact that a compiled expression reads."""
    if tree[0] in _NAMES:
        yield tree[1]
        return
    # the fixed values of a literal, and those behind `in`, are no trees
    parts = () if tree[0] == "literal" else tree[1:2] if tree[0] == "in" else tree[1:]
    for each in parts:
        yield from names(each)


def evaluate(tree: list[Any], variables: Mapping[str, Value], facts: Mapping[str, str]) -> Value:
    """The value of a compiled expression. A variable that isn't set reads as '' (the check forbids such paths)."""
    sign = tree[0]
    if sign == "literal":
        value: Value = tree[1]
        return value
    if sign == "variable":
        return variables.get(tree[1], "")
    if sign == "fact":
        return facts.get(tree[1], "")
    if sign == "measure":
        return int(facts.get(tree[1], "0"))
    return _RULES[sign](tree, variables, facts)


def _saturated(value: int) -> int:
    return max(-types.number_max, min(types.number_max, value))


def _whole(value: Value) -> int:
    return int(value) if isinstance(value, int) else 0


def _days(value: Value) -> int:
    """Days since 1970-01-01; 0 for what is no day (a variable that isn't set)."""
    return calendars.day_of(str(value)) or 0


def _date(value: Value) -> str:
    return calendars.written(max(-719_162, min(_LAST_DAY, _whole(value))))


def _minutes(value: Value) -> int:
    hours, _, minutes = str(value).partition(":")
    return int(hours) * 60 + int(minutes) if hours.isdecimal() and minutes.isdecimal() else 0


def _pair(combine: Callable[[int, int], Value]) -> Rule:
    def rule(tree: list[Any], variables: Mapping[str, Value], facts: Mapping[str, str]) -> Value:
        return combine(_whole(evaluate(tree[1], variables, facts)), _whole(evaluate(tree[2], variables, facts)))

    return rule


def _one(change: Callable[[Value], Value]) -> Rule:
    def rule(tree: list[Any], variables: Mapping[str, Value], facts: Mapping[str, str]) -> Value:
        return change(evaluate(tree[1], variables, facts))

    return rule


_RULES: dict[str, Rule] = {
    "=": lambda tree, v, f: evaluate(tree[1], v, f) == evaluate(tree[2], v, f),
    "!=": lambda tree, v, f: evaluate(tree[1], v, f) != evaluate(tree[2], v, f),
    "<": _pair(lambda a, b: a < b),
    "<=": _pair(lambda a, b: a <= b),
    ">": _pair(lambda a, b: a > b),
    ">=": _pair(lambda a, b: a >= b),
    "+": _pair(lambda a, b: _saturated(a + b)),
    "-": _pair(lambda a, b: _saturated(a - b)),
    "*": _pair(lambda a, b: _saturated(a * b)),
    "and": lambda tree, v, f: bool(evaluate(tree[1], v, f)) and bool(evaluate(tree[2], v, f)),
    "or": lambda tree, v, f: bool(evaluate(tree[1], v, f)) or bool(evaluate(tree[2], v, f)),
    "not": lambda tree, v, f: not evaluate(tree[1], v, f),
    "in": lambda tree, v, f: evaluate(tree[1], v, f) in tree[2],
    "known": lambda tree, v, f: tree[1] in v,
    "has": lambda tree, v, f: tree[1] in f,
    "holds": lambda tree, v, f: f.get(tree[1]) == "yes",
    "length": lambda tree, v, f: len(str(evaluate(tree[1], v, f))),
    "starts": lambda tree, v, f: str(evaluate(tree[1], v, f)).startswith(str(evaluate(tree[2], v, f))),
    "days": _one(_days),
    "date": _one(_date),
    "minutes": _one(_minutes),
    "whole_days": _one(lambda value: _whole(value) // DAY_MS),
}
