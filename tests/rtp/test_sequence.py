"""Serial arithmetic across the wrap."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.rtp.sequence import ahead16, ahead32


@pytest.mark.parametrize(
    ("later", "earlier", "ahead"), [(1, 0, 1), (0, 65_535, 1), (65_535, 0, -1), (5, 5, 0), (32_767, 0, 32_767)]
)
def test_sequence_numbers(later: int, earlier: int, ahead: int) -> None:
    assert ahead16(later, earlier) == ahead


@given(st.integers(0, 65_535), st.integers(-32_768, 32_767))
def test_ahead16_undoes_addition(start: int, step: int) -> None:
    assert ahead16((start + step) & 0xFFFF, start) == step


@given(st.integers(0, 2**32 - 1), st.integers(-(2**31), 2**31 - 1))
def test_ahead32_undoes_addition(start: int, step: int) -> None:
    assert ahead32((start + step) & 0xFFFFFFFF, start) == step
