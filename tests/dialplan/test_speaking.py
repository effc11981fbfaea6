from __future__ import annotations

import pytest

from engine.dialplan.prompts import WavInfo
from engine.dialplan.reader import read_site
from engine.dialplan.speaking import clips_for, number_clips
from tests.dialplan.site import STOCK, files_with

SITE, _ = read_site(
    {
        **files_with(
            {"site.yaml": "ringdown: 1\nlanguages: [en, zh]\n", "tenants/press/tenant.yaml": "languages: [zh]\n"}
        ),
        "tenants/press/prompts/zh/digits/1.wav": WavInfo(300),
    },
    STOCK,
)
assert SITE is not None


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


def test_digits_keys_and_phones() -> None:
    assert clips_for("digits", "0*#", "en", SITE) == ("en/digits/0", "en/digits/star", "en/digits/hash")
    assert clips_for("phone", "+44 20", "zh", SITE) == ("zh/digits/4", "zh/digits/4", "zh/digits/2", "zh/digits/0")
    assert clips_for("digits", 12, "en", SITE) == ("en/digits/1", "en/digits/2")


def test_a_tenants_own_digits_come_first() -> None:
    assert clips_for("digits", "12", "zh", SITE, "press") == ("press:zh/digits/1", "zh/digits/2")


def test_positions() -> None:
    assert clips_for("position", 1, "en", SITE) == ("en/you_are_next",)
    assert clips_for("position", 12, "en", SITE) == ("en/position_is", "en/numbers/12")
    assert clips_for("position", 0, "en", SITE) == ()


@pytest.mark.parametrize("value", ["", "abc", "²", "-", True, False, -1, 10**30])
@pytest.mark.parametrize("kind", ["digits", "number", "phone", "position", "nonsense"])
def test_nothing_raises(kind: str, value: str | int | bool) -> None:
    for clip in clips_for(kind, value, "en", SITE):
        assert clip in SITE.prompts


def test_an_unknown_language_reads_digits() -> None:
    assert number_clips(42, "xx") == ("4", "2")
