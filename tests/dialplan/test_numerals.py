"""Numbers, ordinals and years as words of the stock sets."""

from __future__ import annotations

import pytest

from engine.dialplan.numerals import number_clips, ordinal_clips, year_clips
from tests.dialplan.site import STOCK


def words(number: int, language: str = "en") -> str:
    return " ".join(number_clips(number, language))


@pytest.mark.parametrize(
    ("number", "clips"),
    [
        (0, "0"),
        (17, "17"),
        (21, "20 1"),
        (100, "1 hundred"),
        (105, "1 hundred and 5"),
        (1_234_567, "1 million 2 hundred and 30 4 thousand 5 hundred and 60 7"),
        (-40, "minus 40"),
        (5_000_000_000, "5 0 0 0 0 0 0 0 0 0"),
    ],
)
def test_english_numbers(number: int, clips: str) -> None:
    assert words(number) == clips


@pytest.mark.parametrize(
    ("number", "clips"),
    [
        (0, "0"),
        (2, "2"),
        (10, "10"),
        (15, "10 5"),
        (20, "2 10"),
        (105, "1 hundred 0 5"),
        (110, "1 hundred 1 10"),
        (200, "2 hundred"),
        (1_005, "1 thousand 0 5"),
        (1_050, "1 thousand 0 5 10"),
        (2_222, "liang thousand 2 hundred 2 10 2"),
        (10_000, "1 ten_thousand"),
        (20_000, "liang ten_thousand"),
        (20_005, "liang ten_thousand 0 5"),
        (12_034_567, "1 thousand 2 hundred 0 3 ten_thousand 4 thousand 5 hundred 6 10 7"),
        (100_000_001, "1 hundred_million 0 1"),
        (-3, "minus 3"),
    ],
)
def test_mandarin_numbers(number: int, clips: str) -> None:
    assert words(number, "zh") == clips


def test_every_number_below_a_million_has_only_stock_clips() -> None:
    for language in ("en", "zh"):
        for number in [*range(0, 2_000), *range(2_000, 1_000_000, 997)]:
            for clip in number_clips(number, language):
                assert f"{language}/numbers/{clip}" in STOCK, (language, number, clip)


@pytest.mark.parametrize(
    ("number", "clips"),
    [
        (1, "ordinals/1"), (12, "ordinals/12"), (20, "ordinals/20"), (21, "numbers/20 ordinals/1"),
        (30, "ordinals/30"), (100, "numbers/1 ordinals/hundred"), (0, ""), (-1, ""), (10**9, ""),
    ],
)  # fmt: skip
def test_english_ordinals(number: int, clips: str) -> None:
    assert " ".join(ordinal_clips(number, "en")) == clips


def test_ordinals_elsewhere() -> None:
    assert ordinal_clips(21, "zh") == ("ordinals/di", "numbers/2", "numbers/10", "numbers/1")
    assert ordinal_clips(3, "fr") == ("ordinals/troisieme",)
    assert ordinal_clips(3, "xx") == ()


def test_years() -> None:
    assert year_clips(2026, "en") == ("20", "20", "6")
    assert year_clips(2005, "en") == ("2", "thousand", "and", "5")
    assert year_clips(1905, "en") == ("19", "0", "5")
    assert year_clips(2026, "zh") == ("2", "0", "2", "6")
    assert year_clips(2026, "xx") == number_clips(2026, "xx")


def test_ordinals_and_years_have_only_stock_clips() -> None:
    for number in [*range(1, 1_200), *range(1_200, 100_000, 997)]:
        for clip in ordinal_clips(number, "en"):
            assert f"en/{clip}" in STOCK, (number, clip)
    for year in range(1900, 2200):
        for clip in year_clips(year, "en"):
            assert f"en/numbers/{clip}" in STOCK, (year, clip)


def test_words_of_other_languages_are_named_in_ascii() -> None:
    assert number_clips(12, "de") == ("zwolf",)
    assert number_clips(80, "fr") == ("quatre", "vingts")


def test_an_unknown_language_reads_digits() -> None:
    assert number_clips(42, "xx") == ("4", "2")
