"""Causes in words."""

from __future__ import annotations

from engine.records.causes import WORDS, words


def test_words_and_numbers() -> None:
    assert words(17) == "busy (17)" and words(0) == "" and words(126) == "cause 126"
    assert all(0 < cause < 128 and text == text.strip() and "(" not in text for cause, text in WORDS.items())
