"""Pronunciations of our model's dictionary, and guesses for what it lacks."""

from __future__ import annotations

from engine.runtime.pronouncing import Pronouncing, pronouncing


def test_the_dictionary_then_a_guess() -> None:
    words = pronouncing("en")
    assert words is not None and pronouncing("en") is words
    assert words.of("billing") and not words.of("xyzzyqua")
    guessed = words.guess("xyzzyqua")
    assert guessed and {*guessed[0].split()} >= {"Z"}
    assert words.guess("xyzzyqua") is guessed
    assert Pronouncing(words._lexicon, "fi").guess("xyzzyqua") == (), "no phonemes of other languages"


def test_a_language_without_a_model() -> None:
    assert pronouncing("fi") is None
