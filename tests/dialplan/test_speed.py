"""Check and link of 1,000 steps stay within their 150 ms (tests/bench/bench_check prints all figures)."""

from __future__ import annotations

import pytest

from tests.bench.bench_check import SHAPES, TARGETS_MS, measure


@pytest.mark.parametrize("shape", SHAPES)
def test_a_thousand_steps_in_time(shape: str) -> None:
    best, count = measure(1_000, 3, shape)
    assert 950 <= count <= 1_050
    assert best <= TARGETS_MS[1_000]
