"""Texts become words alike, whoever wrote them."""

from __future__ import annotations

import pytest

from engine.speech import words


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("I’d like to, please!", "en", ["i'd", "like", "to", "please"]),
        ("MAIN-menu", "en-GB", ["main", "menu"]),
        ("press 12", "en", ["press", "one", "two"]),
        ("room12b", "en", ["room", "one", "two", "b"]),
        ("查询 余额。", "zh", ["查", "询", "余", "额"]),
        ("拨12", "zh", ["拨", "一", "二"]),
        ("[garbage] billing [unk]", "en", ["[garbage]", "billing", "[garbage]"]),
        ("été 3", "fr", ["été", "3"]),
        ("  ", "en", []),
    ],
)
def test_split(text: str, language: str, expected: list[str]) -> None:
    assert words.split(text, language) == expected


def test_words_know_their_places() -> None:
    assert list(words.placed(" a, bc", "en")) == [("a", 1), ("bc", 4)]


def test_joined_puts_no_spaces_between_ideographs() -> None:
    assert words.joined(["转", "人", "工", "agent", "now"]) == "转人工 agent now"
    assert words.joined([]) == ""
