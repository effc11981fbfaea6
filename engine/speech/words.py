"""Text into the words that grammars are made of, the same for phrases, for what a recogniser heard and for typed tests.

A word is small letters with apostrophes. In Chinese every character is a word: recognisers cut words where they like,
and what was said does not depend on it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

GARBAGE = "[garbage]"  # what a decoder writes for sounds that no phrase of the grammar explains
UNKNOWN = "[unk]"  # the same in recognisers with a phrase list
_PAUSES = frozenset(",.!?;:，。！？；：、…\"“”()[]{}-–—\u3000")
_APOSTROPHES = frozenset("'’`ʼ")
_DIGITS = {
    "en": ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    "zh": ("零", "一", "二", "三", "四", "五", "六", "七", "八", "九"),
}


def base(language: str) -> str:
    """`en` of `en-GB`: built-in slots and fillers exist once per language."""
    return language.replace("_", "-").partition("-")[0].lower()


def is_ideograph(sign: str) -> bool:
    """True for a character that is a word by itself."""
    return "㐀" <= sign <= "鿿" or "豈" <= sign <= "﫿" or sign == "〇"


def is_sign(sign: str) -> bool:
    """True for what a word may consist of: letters, marks on letters and apostrophes."""
    return sign in _APOSTROPHES or unicodedata.category(sign)[0] in "LM"


def split(text: str, language: str) -> list[str]:
    """The words of a text: small letters, without punctuation; a digit as the word that says it, where the language is
    one of ours. Markers of recognisers (`[garbage]`, `[unk]`) become GARBAGE."""
    return [word for word, _ in placed(text, language)]


def placed(text: str, language: str) -> Iterator[tuple[str, int]]:
    """The words of a text, each with the place of its first character, counted from 0."""
    digits = _DIGITS.get(base(language), ())
    text = unicodedata.normalize("NFC", text)
    at, size = 0, len(text)
    while at < size:
        sign = text[at]
        marker = next((mark for mark in (GARBAGE, UNKNOWN) if text.startswith(mark, at)), "")
        if marker:
            yield GARBAGE, at
            at += len(marker)
        elif sign.isspace() or sign in _PAUSES:
            at += 1
        elif is_ideograph(sign):
            yield sign, at
            at += 1
        elif sign in "0123456789" and digits:
            yield digits[int(sign)], at
            at += 1
        else:
            end = at
            while end < size and not (
                text[end].isspace()
                or text[end] in _PAUSES
                or is_ideograph(text[end])
                or (text[end] in "0123456789" and digits)
            ):
                end += 1
            word = "".join("'" if letter in _APOSTROPHES else letter for letter in text[at:end].lower())
            yield word, at
            at = end


def joined(words: list[str] | tuple[str, ...]) -> str:
    """Words as text: with spaces, but none between ideographs."""
    text = ""
    for word in words:
        if text and not (is_ideograph(text[-1]) and is_ideograph(word[0])):
            text += " "
        text += word
    return text
