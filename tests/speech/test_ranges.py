"""Ranges cut at multiples."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.speech import ranges


def test_parts_cut_a_range_at_multiples() -> None:
    assert ranges.parts(7, 7, 100) == [(0, 0, 7, 7)]
    assert ranges.parts(95, 1_105, 100) == [
        (0, 0, 95, 99), (1, 10, 0, 99), (11, 11, 0, 5),
    ]  # fmt: skip
    assert ranges.parts(150, 180, 100) == [(1, 1, 50, 80)]


@given(st.integers(0, 5_000), st.integers(0, 5_000), st.sampled_from([1, 10, 100, 1_000]))
def test_parts_hold_the_range_and_no_more(one: int, other: int, scale: int) -> None:
    low, high = min(one, other), max(one, other)
    held = [
        multiple * scale + rest
        for first, last, rest_low, rest_high in ranges.parts(low, high, scale)
        for multiple in range(first, last + 1)
        for rest in range(rest_low, rest_high + 1)
    ]
    assert held == list(range(low, high + 1))
