"""Mandarin's syllables as phones, and what its voices are given to say."""

from __future__ import annotations

import pytest

from tools.train import mandarin


@pytest.mark.parametrize(
    ("syllable", "phones"),
    [
        ("zhuang", ("ZH", "UANG")), ("si", ("S", "II")), ("shi", ("SH", "III")), ("yi", ("I",)), ("yuan", ("VAN",)),
        ("jue", ("J", "VE")), ("xu", ("X", "V")), ("lv", ("L", "V")), ("er", ("ER",)), ("wen", ("UN",)),
        ("yong", ("IONG",)), ("nüe", ()), ("zzz", ()),
    ],
)  # fmt: skip
def test_a_syllable_is_an_initial_and_a_final(syllable: str, phones: tuple[str, ...]) -> None:
    assert mandarin.phones(syllable) == phones


def test_every_syllable_of_the_dictionary_is_made_of_the_models_phones() -> None:
    words = mandarin.words()
    assert len(words) > 6_500
    assert {phone for ways in words.values() for way in ways for phone in way} == set(mandarin.PHONES[2:])
    assert words["四"] == [("S", "II")]
    assert ("CH", "ONG") in words["重"]
    assert words["幺"] == [("IAO",)]


def test_texts_are_known_characters_and_repeat_with_their_seed() -> None:
    words = mandarin.words()
    texts, again = mandarin.Texts(5), mandarin.Texts(5)
    said = [texts.draw() for _ in range(300)]
    assert said == [again.draw() for _ in range(300)]
    assert all(sign in words for text in said for sign in text.split())
    brief = mandarin.Texts(5, 2)
    assert max(len(brief.draw().split()) for _ in range(300)) < max(len(text.split()) for text in said)


def test_kokoro_is_given_a_tone_behind_each_vowel() -> None:
    assert mandarin.kokoro_phonemes("四") == "sɨ↘"
    assert mandarin.kokoro_phonemes("女") == "ny↓"
    assert mandarin.kokoro_phonemes("转 人 工") == mandarin.kokoro_phonemes("转人工")


def test_kokoro_says_digits_one_by_one_and_vowels_apart() -> None:
    assert mandarin.kokoro_phonemes("六 五 四") == "ljo↘u u↓ sɨ↘"
    assert mandarin.kokoro_phonemes("预约") == "y↘ɥe→"
    assert mandarin.kokoro_phonemes("晚安") == "wa↓n a→n"
    assert mandarin.kokoro_phonemes("转人工").count(" ") == 0
