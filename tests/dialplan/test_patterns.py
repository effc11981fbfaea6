"""Patterns of digits: the same language as regular expressions where both know it, and never slow."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.dialplan.patterns import PatternProblem, lengths, matches, positions_max, read
from tests.bench.yardstick import units

ATOMS = st.sampled_from(["0", "1", "12", ".", "[1-3]", "[^01]", "[02]", r"\d"])
COUNTS = st.sampled_from(["", "", "", "?", "*", "+", "{2}", "{0,2}", "{1,}", "{1,3}"])


def grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    group = st.tuples(inner, st.sampled_from(["", "|"]), inner, COUNTS).map(lambda t: f"({t[0]}{t[1]}{t[2]}){t[3]}")
    return st.lists(group | ATOMS, min_size=1, max_size=3).map("".join)


PATTERNS = st.recursive(st.tuples(ATOMS, COUNTS).map(lambda t: f"(?:{t[0]}){t[1]}".replace("?:", "")), grown,
                        max_leaves=4)  # fmt: skip


@given(PATTERNS, st.lists(st.text("0123", max_size=7), max_size=8))
def test_it_agrees_with_regular_expressions(text: str, typed: list[str]) -> None:
    try:
        pattern = read(text)
    except PatternProblem as problem:
        assert "more than" in problem.message
        return
    ours = text.replace(".", "[0-9]")
    for each in typed:
        assert matches(pattern, each) == bool(re.fullmatch(ours, each)), (text, each)
        if matches(pattern, each):
            assert len(each) in lengths(pattern, 7)


@pytest.mark.parametrize(
    ("text", "yes", "no"),
    [
        ("[1-9].{3}", ["1000", "9999"], ["0123", "123", "12345", "12a4", "*123", ""]),
        ("(19|20)xx", ["1984", "2026"], ["1884", "199"]),
        ("7?", ["", "7"], ["8", "77"]),
        ("0|[1-9]x*", ["0", "10", "9"], ["00", "01", ""]),
        ("(12)+", ["12", "1212"], ["1", "121", ""]),
        ("1{2,}", ["11", "11111"], ["1", ""]),
        ("x{0,2}", ["", "1", "22"], ["333"]),
        ("", [""], ["1"]),
    ],
)
def test_what_matches(text: str, yes: list[str], no: list[str]) -> None:
    pattern = read(text)
    assert [each for each in yes if not matches(pattern, each)] == []
    assert [each for each in no if matches(pattern, each)] == []


@pytest.mark.parametrize(
    ("text", "at", "words"),
    [
        ("^12$", 0, "no meaning"), ("12)", 2, "closes nothing"), ("(12", 0, "never closed"), ("1**", 2, "two counts"),
        ("a", 0, "no meaning"), ("[3-1]", 0, "is empty"), ("[]", 0, "one of several"), ("[12", 0, "one of several"),
        ("1{70}", 1, "not from 0"), ("1{3,2}", 1, "smaller first"), ("1{a}", 1, "how often"), ("1{0}", 0, "no times"),
        ("*1", 0, "no meaning"), ("1" * 201, 0, "longer"), ("(" * 17 + "1" + ")" * 17, 17, "deeper"),
        ("(?=1)", 1, "no meaning"), (r"\w", 0, "no meaning"), ("((x{60}){60}){60}", 6, "more than 256"),
        ("((((){64}){64}){64}){64}", 0, "more than 2000 parts"),
    ],
)  # fmt: skip
def test_what_is_not_understood_has_its_place(text: str, at: int, words: str) -> None:
    with pytest.raises(PatternProblem, match=words) as caught:
        read(text)
    assert caught.value.at == at or "more than" in words


SLOW = ("(x+)+", "(x*)*", "(x|x)*", "(x|xx)+x", "((x*)*)*", "(x?){64}x{64}", "x*x*x*x*x*x*x*", "(x+x+)+1")


@pytest.mark.parametrize("text", SLOW)
def test_the_classics_cost_nothing(text: str) -> None:
    def tried() -> None:
        pattern = read(text)
        for typed in ("1" * 64, "1" * 63 + "*", "1" * 64):
            matches(pattern, typed)

    assert units(tried) < 3.0  # 0.3 at most


def test_the_possible_lengths() -> None:
    assert lengths(read("[1-9].{3}"), 8) == [4]
    assert lengths(read("(12|345)?"), 8) == [0, 2, 3]
    assert lengths(read("1[^0-9]"), 8) == [] and positions_max <= 1_000
