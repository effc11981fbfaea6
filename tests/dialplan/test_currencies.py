"""Amounts have as many digits behind the point as their currency."""

from __future__ import annotations

import pytest

from engine.dialplan import currencies


@pytest.mark.parametrize(
    ("whole", "fraction", "code", "amount", "text"),
    [
        ("12", "50", "EUR", 1_250, "12.50 EUR"), ("12", "5", "EUR", 1_250, "12.50 EUR"),
        ("0", "05", "USD", 5, "0.05 USD"),
        ("7", "", "GBP", 700, "7.00 GBP"), ("1200", "", "JPY", 1_200, "1200 JPY"),
        ("1", "234", "KWD", 1_234, "1.234 KWD"),
    ],
)  # fmt: skip
def test_amounts(whole: str, fraction: str, code: str, amount: int, text: str) -> None:
    assert currencies.units(whole, fraction, code) == amount
    assert currencies.written(amount, code) == text
    assert currencies.written(-amount, code) == f"-{text}"


def test_more_digits_than_there_are() -> None:
    assert currencies.units("1", "234", "EUR") is None
    assert currencies.units("1", "0", "JPY") is None
    assert len(set(currencies.CODES)) == len(currencies.CODES) > 150
    assert all(len(code) == 3 and code.isupper() for code in currencies.CODES)
