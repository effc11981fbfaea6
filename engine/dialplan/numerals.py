"""Whole numbers, ordinals and years as clip names below numbers/ and ordinals/, per language.

Number words come from num2words where it knows the language; Mandarin is composed here (no library in our
dependencies does it). The clips of other languages are named after their words in ASCII ("quatre-vingts" is quatre
and vingts, "fünf" is funf).
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from num2words import num2words

number_words_max = 999_999_999
_ZH_UNITS = ("", "十", "百", "千")
# the clips of the stock Mandarin set are named in ASCII
_ZH_CLIPS = {"十": "10", "百": "hundred", "千": "thousand", "万": "ten_thousand", "亿": "hundred_million",
             "两": "liang", "负": "minus", "点": "point"}  # fmt: skip
_ZH_DIGITS = "零一二三四五六七八九"


@lru_cache(maxsize=4_096)
def number_clips(number: int, language: str) -> tuple[str, ...]:
    """The clip names (below numbers/) of a whole number. Beyond ±999,999,999 it is read digit by digit."""
    if abs(number) > number_words_max:
        return _by_digit(number)
    if language == "zh":
        spoken = _mandarin(abs(number))
        words = ["负", *spoken] if number < 0 else list(spoken)
        return tuple(_ZH_CLIPS.get(word) or str(_ZH_DIGITS.index(word)) for word in words)
    return tuple(_CLIPS.get(word, word) for word in _words(number, language, "cardinal")) or _by_digit(number)


@lru_cache(maxsize=1_024)
def ordinal_clips(number: int, language: str) -> tuple[str, ...]:
    """The clip names of first, twenty-first: with their folder, since only the last word is an ordinal.

    () for what has no ordinal: numbers below 1, and languages that num2words does not know.
    """
    if not 1 <= number <= number_words_max:
        return ()
    if language == "zh":
        return ("ordinals/di", *(f"numbers/{clip}" for clip in number_clips(number, "zh")))
    words = _words(number, language, "ordinal")
    if language != "en":
        return tuple(f"ordinals/{word}" for word in words)
    return tuple(
        f"ordinals/{_FIRST[word]}" if word in _FIRST else f"numbers/{_CLIPS.get(word, word)}" for word in words
    )


@lru_cache(maxsize=1_024)
def year_clips(year: int, language: str) -> tuple[str, ...]:
    """The clip names (below numbers/) of a year: twenty twenty-six; in Mandarin and where num2words knows no years
    otherwise."""
    if language == "zh":
        return tuple(str(year))
    words = _words(year, language, "year")
    return tuple(_CLIPS.get(word, word) for word in words) or number_clips(year, language)


def _by_digit(number: int) -> tuple[str, ...]:
    digits = tuple(str(abs(number)))
    return ("minus", *digits) if number < 0 else digits


def _words(number: int, language: str, form: str) -> list[str]:
    """The words in ASCII; [] where num2words has none."""
    try:
        text = num2words(number, lang=language, to=form)
    except (NotImplementedError, OverflowError, ValueError, IndexError, KeyError, TypeError):
        return []
    plain = unicodedata.normalize("NFKD", text.replace(",", " ").replace("-", " ")).lower()
    return ["".join(letter for letter in word if letter.isascii() and letter.isalnum()) for word in plain.split()]


_CLIPS = {
    "zero": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7",
    "eight": "8", "nine": "9", "ten": "10", "eleven": "11", "twelve": "12", "thirteen": "13", "fourteen": "14",
    "fifteen": "15", "sixteen": "16", "seventeen": "17", "eighteen": "18", "nineteen": "19", "twenty": "20",
    "thirty": "30", "forty": "40", "fifty": "50", "sixty": "60", "seventy": "70", "eighty": "80", "ninety": "90",
    "oh": "0",
}  # fmt: skip
_FIRST = {
    "first": "1", "second": "2", "third": "3", "fourth": "4", "fifth": "5", "sixth": "6", "seventh": "7",
    "eighth": "8", "ninth": "9", "tenth": "10", "eleventh": "11", "twelfth": "12", "thirteenth": "13",
    "fourteenth": "14", "fifteenth": "15", "sixteenth": "16", "seventeenth": "17", "eighteenth": "18",
    "nineteenth": "19", "twentieth": "20", "thirtieth": "30", "fortieth": "40", "fiftieth": "50", "sixtieth": "60",
    "seventieth": "70", "eightieth": "80", "ninetieth": "90", "hundredth": "hundred", "thousandth": "thousand",
    "millionth": "million",
}  # fmt: skip


def _mandarin(number: int) -> str:
    """A whole number below 10**9 as it is said: 105 一百零五, 15 十五, 20000 两万, 2222 两千二百二十二."""
    if number == 0:
        return "零"
    groups = ((number // 100_000_000, "亿"), (number // 10_000 % 10_000, "万"), (number % 10_000, ""))
    text = ""
    for count, unit in groups:
        if count == 0:
            text += "零" if text and not text.endswith("零") and unit == "万" and number % 10_000 else ""
            continue
        if text and count < 1_000 and not text.endswith("零"):
            text += "零"
        # alone before 万 and 亿, two is 两
        text += ("两" if count == 2 and unit else _below_10000(count)) + unit
    return text[1:] if text.startswith("一十") else text


def _below_10000(number: int) -> str:
    text, gap = "", False
    for power in (3, 2, 1, 0):
        digit = number // 10**power % 10
        if digit == 0:
            gap = gap or bool(text)
            continue
        if gap:
            text += "零"
            gap = False
        word = "两" if digit == 2 and power == 3 else _ZH_DIGITS[digit]
        text += word + _ZH_UNITS[power]
    return text
