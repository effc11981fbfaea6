from __future__ import annotations

import pytest

from engine.dialplan.types import (
    DIGITS,
    DURATION,
    FLAG,
    NUMBER,
    PHONE,
    TEXT,
    Type,
    TypeProblem,
    comparable,
    declare,
    duration_ms,
    fits,
    literal,
    shown,
    spelled,
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "ms"),
    [("20s", 20_000), ("1.5min", 90_000), ("300ms", 300), ("2h", 7_200_000), ("0s", 0), ("1d", 86_400_000)],
)
def test_durations(text: str, ms: int) -> None:
    assert duration_ms(text) == ms


@pytest.mark.parametrize("text", ["20", "s", "5 seconds", "-3s", "1e3s", "", "1.2345s", "１s"])
def test_not_durations(text: str) -> None:
    with pytest.raises(TypeProblem):
        duration_ms(text)


def test_declarations() -> None:
    assert declare("digits 4..6").type == Type("digits", 4, 6)
    assert declare("digits 8").type == Type("digits", 8, 8)
    pin = declare("digits 4 sensitive = 0042")
    assert (pin.sensitive, pin.default) == (True, "0042")
    assert declare("choice standard vip = vip").default == "vip"
    assert declare("flag = no").default is False
    assert declare("duration = 90s").default == 90_000
    assert declare("number").default is None


@pytest.mark.parametrize(
    "text",
    ["", "digits 6..4", "digits 0", "digits 99", "digits x", "choice a", "choice a a", "choice A b", "number 5",
     "number = x", "flag = perhaps", "digits 4 = 123", "choice a b = c", "phone = ring me", "= 3", "sensitive"],
)  # fmt: skip
def test_bad_declarations(text: str) -> None:
    with pytest.raises(TypeProblem):
        declare(text)


def test_what_fits() -> None:
    assert fits(Type("digits", 4, 4), Type("digits", 4, 6))
    assert not fits(Type("digits", 4, 8), Type("digits", 4, 6))
    assert not fits(DIGITS, Type("digits", 4, 6))
    assert fits(DIGITS, PHONE)
    assert not fits(TEXT, DIGITS)
    assert fits(PHONE, TEXT)
    assert not fits(NUMBER, TEXT)
    assert fits(Type("choice", words=("a",)), Type("choice", words=("a", "b")))
    assert not fits(Type("choice", words=("a", "c")), Type("choice", words=("a", "b")))
    assert comparable(DIGITS, TEXT)
    assert not comparable(NUMBER, DURATION)
    assert not comparable(FLAG, TEXT)


def test_literals_keep_their_zeros() -> None:
    assert literal("0042", DIGITS) == "0042"
    assert literal("'+44'", PHONE) == "+44"
    assert literal("42", NUMBER) == 42


def test_types_spell_themselves_as_they_are_declared() -> None:
    for text in ("digits 8", "digits 4..6", "choice a b", "text"):
        assert declare(str(declare(text).type)).type == declare(text).type


def test_money_dates_and_times() -> None:
    euro = declare("money EUR = 12.5")
    assert (euro.type, euro.default) == (Type("money", words=("EUR",)), 1_250)
    assert str(euro.type) == "money EUR"
    assert spelled(euro.default, euro.type) == "12.50 EUR"
    assert declare(f"{euro.type} = {spelled(euro.default, euro.type)}") == euro
    assert declare("money JPY = 1200 JPY").default == 1_200
    assert declare("date = 2026-03-04").default == "2026-03-04"
    assert declare("time = 8:05").default == "08:05"
    assert literal("-3 EUR", euro.type) == -300
    assert shown(1_250, "money EUR") == "12.50 EUR" and shown(True, "flag") == "True" and shown("x", "text") == "x"


@pytest.mark.parametrize(
    "text",
    ["money", "money EURO", "money eur", "money EUR = 1.234", "money EUR = 5 USD", "money EUR = five",
     "money JPY = 1.5", "date = 2026-02-29", "date = tomorrow", "date = 2026-3-4", "time = 24:00", "time = 12:60",
     "time = 8", "date long"],
)  # fmt: skip
def test_money_dates_and_times_that_are_none(text: str) -> None:
    with pytest.raises(TypeProblem):
        declare(text)


def test_amounts_of_two_currencies_neither_fit_nor_compare() -> None:
    euro, dollar = Type("money", words=("EUR",)), Type("money", words=("USD",))
    assert fits(euro, euro) and comparable(euro, euro)
    assert not fits(euro, dollar) and not comparable(euro, dollar)
    assert not fits(NUMBER, euro) and not comparable(NUMBER, euro)
