"""How a value is spoken: digits, numbers and a place in the queue as clip names, per language.

Number words come from num2words where it knows the language; Mandarin is composed here (no library in our
dependencies does it). A clip that the site doesn't have is left out rather than handed to the media plane.
"""

from __future__ import annotations

from functools import lru_cache

from num2words import num2words

from engine.dialplan.model import Site
from engine.dialplan.types import Value

SPEAKABLE = ("digits", "number", "phone", "position")
number_words_max = 999_999_999
_KEYS = {"*": "star", "#": "hash"}
_ZH_UNITS = ("", "十", "百", "千")
# the clips of the stock Mandarin set are named in ASCII
_ZH_CLIPS = {"十": "10", "百": "hundred", "千": "thousand", "万": "ten_thousand", "亿": "hundred_million",
             "两": "liang", "负": "minus", "点": "point"}  # fmt: skip
_ZH_DIGITS = "零一二三四五六七八九"


def clips_for(kind: str, value: Value, language: str, site: Site, tenant: str = "") -> tuple[str, ...]:
    """Clip names that speak `value` as `kind` (digits | number | phone | position) in `language`.

    A tenant's own recordings of stock names come first. Unknown kinds and values give no clip.
    """
    if kind == "position":
        return _position(_integer(value), language, site, tenant)
    if kind == "number":
        names = [f"numbers/{word}" for word in number_clips(_integer(value), language)]
    else:
        names = [f"digits/{_KEYS.get(letter, letter)}" for letter in str(value) if letter in "0123456789*#"]
    return present(names, language, site, tenant)


def _integer(value: Value) -> int:
    text = str(int(value) if isinstance(value, bool) else value)
    sign, text = (-1, text[1:]) if text[:1] == "-" else (1, text)
    return sign * int(text) if text.isascii() and text.isdigit() else 0


def present(names: list[str], language: str, site: Site, tenant: str) -> tuple[str, ...]:
    prompts = site.prompts
    clips = []
    for name in names:
        own = f"{tenant}:{language}/{name}"
        if tenant and own in prompts:
            clips.append(own)
        elif f"{language}/{name}" in prompts:
            clips.append(f"{language}/{name}")
    return tuple(clips)


def _position(place: int, language: str, site: Site, tenant: str) -> tuple[str, ...]:
    if place < 1:
        return ()
    if place == 1:
        first = present(["you_are_next", "position_first"], language, site, tenant)
        if first:
            return first[:1]
    number = [f"numbers/{word}" for word in number_clips(place, language)]
    return present(["position_is", *number, "position_after"], language, site, tenant)


@lru_cache(maxsize=4_096)
def number_clips(number: int, language: str) -> tuple[str, ...]:
    """The clip names (below numbers/) of a whole number. Beyond ±999,999,999 it is read digit by digit."""
    if abs(number) > number_words_max:
        digits = tuple(str(abs(number)))
        return ("minus", *digits) if number < 0 else digits
    if language == "zh":
        spoken = _mandarin(abs(number))
        words = ["负", *spoken] if number < 0 else list(spoken)
        return tuple(_ZH_CLIPS.get(word) or str(_ZH_DIGITS.index(word)) for word in words)
    try:
        text = num2words(number, lang=language)
    except NotImplementedError:
        digits = tuple(str(abs(number)))
        return ("minus", *digits) if number < 0 else digits
    words = text.replace(",", " ").replace("-", " ").split()
    return tuple(_ENGLISH.get(word, word) for word in words)


_ENGLISH = {
    "zero": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7",
    "eight": "8", "nine": "9", "ten": "10", "eleven": "11", "twelve": "12", "thirteen": "13", "fourteen": "14",
    "fifteen": "15", "sixteen": "16", "seventeen": "17", "eighteen": "18", "nineteen": "19", "twenty": "20",
    "thirty": "30", "forty": "40", "fifty": "50", "sixty": "60", "seventy": "70", "eighty": "80", "ninety": "90",
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
