"""espeak-ng is asked how words are said; without it nothing is guessed, and nothing breaks."""

from __future__ import annotations

import pytest

from engine.runtime import guessing
from tests.speech.models import grammar, the_lexicon


def test_words_are_guessed_each_by_itself() -> None:
    found = guessing.guess(["ringdown", "siobhan", "o'hare"], "en-GB")
    assert found["ringdown"] == ("R IH NG D AW N",)
    assert list(found) == ["ringdown", "siobhan", "o'hare"]


@pytest.mark.parametrize(("words", "language"), [([], "en"), (["kyllä"], "fi")])
def test_nothing_to_guess(words: list[str], language: str) -> None:
    assert guessing.guess(words, language) == {}


@pytest.mark.parametrize("program", ["no-such-program", "false", "true"])
def test_without_the_program_nothing_is_guessed(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guessing, "PROGRAM", program)
    assert guessing.guess(["ringdown", "siobhan"], "en") == {}


def test_a_word_that_is_split_costs_no_other_its_guess(monkeypatch: pytest.MonkeyPatch) -> None:
    found = guessing.guess(["ringdown", "two\n\nwords", "billing"], "en")
    assert {*found} == {"ringdown", "billing"}


def test_a_lexicon_is_completed_for_a_grammar(monkeypatch: pytest.MonkeyPatch) -> None:
    lexicon = the_lexicon()
    assert guessing.completed(lexicon, grammar("sales", "main menu")) is lexicon
    assert guessing.completed(lexicon, grammar("the ringdown")).of("ringdown") == ("R IH NG D AW N",)
    monkeypatch.setattr(guessing, "PROGRAM", "no-such-program")
    without = guessing.completed(lexicon, grammar("menusales", "blorp"))
    assert without.of("menusales") == ("M EH N Y UW S EY L Z",)
    assert without.of("blorp") == ()


def test_own_pronunciations_are_not_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guessing, "guess", lambda unknown, language: pytest.fail("asked"))
    own = grammar("blorp")
    own.words["blorp"] = ("B L AO R P",)
    assert guessing.completed(the_lexicon(), own).of("blorp") == ()
