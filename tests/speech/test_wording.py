"""Words for a synthesiser: nothing in them is an order, and each language's are what they mean."""

from __future__ import annotations

import sys

import pytest

from engine.errors import SpeechError
from engine.speech import wording


def test_words_are_spelt_for_the_voice() -> None:
    assert wording.spoken("Welcome to Ringdown.", "en") == "Welcome to Ring down."
    assert wording.spoken("Welcome to Ringdown.", "en-gb") == "Welcome to Ring down."
    assert wording.spoken("A", "en") == "ay"
    assert wording.spoken("Ringdown", "de") == "Ringdown"
    assert wording.spoken("重听请按 1。", "zh") == "chong2 ting1 qing3 an4 yi1 。"
    assert len(wording.LETTERS) == 26


@pytest.mark.parametrize(
    ("text", "sounds"),
    [("请稍等。", "qing3 shao1 deng3 。"), ("不要", "bu2 yao4"), ("再试一次", "zai4 shi4 yi2 ci4"), ("一", "yi1")],
)
def test_mandarin_has_its_tones(text: str, sounds: str) -> None:
    assert wording.pinyin(text) == sounds


def test_without_its_package_mandarin_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pypinyin", None)
    with pytest.raises(SpeechError, match=r"ringdown\[prompts\]"):
        wording.spoken("请", "zh")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('") (system "true', ") (system true"),
        ("[[h@l'oU]] <break/> there\x00\n\tyou", "h@l'oU break/ there you"),
        ("  two   words ", "two words"),
        ("您好", "您好"),
    ],
)
def test_no_text_is_an_order(text: str, words: str) -> None:
    assert wording.clean(text) == words


@pytest.mark.parametrize("text", ["", "...", "\x00", '"'])
def test_nothing_to_say_is_said(text: str) -> None:
    with pytest.raises(SpeechError, match="nothing to say"):
        wording.clean(text)


def test_a_text_is_bounded() -> None:
    assert wording.clean("a" * wording.TEXT_LETTERS_MAX)
    with pytest.raises(SpeechError, match="2001 letters"):
        wording.clean("a" * (wording.TEXT_LETTERS_MAX + 1))
