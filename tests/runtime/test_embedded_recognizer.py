"""The shipped model with grammars of ours, on recordings: typed results, news while it is spoken, rejection."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import SpeechError
from engine.runtime.embedded_recognizer import EmbeddedRecognizer
from engine.runtime.graph_shelf import Shelf
from engine.speech.grammar import Grammar, Line, Slot
from engine.speech.ports import Heard, Partial, Samples
from tests.runtime.spoken import DIGITS, MENU, MODEL, digits, frames, spoken


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    return Shelf(tmp_path_factory.mktemp("graphs"))


def hear(shelf: Shelf, grammar: Grammar, samples: Samples) -> tuple[list[Partial], tuple[Heard, ...]]:
    recognizer = EmbeddedRecognizer(shelf, MODEL, {})
    recognizer.start(grammar)
    news = [each for each in map(recognizer.feed, frames(samples)) if each is not None]
    return news, recognizer.finish()


@pytest.mark.parametrize("text", ["4079", "1111", "8463", "9550"])
def test_digits_arrive_typed_and_sure(shelf: Shelf, text: str) -> None:
    news, found = hear(shelf, DIGITS, digits(text))
    assert found[0].slots == {"number": text} and found[0].intent == "number" and found[0].confidence > 0.8
    assert news[-1] == Partial(found[0].text, complete=True, continues=False)
    assert not news[0].complete and news[0].continues


def test_a_menu(shelf: Shelf) -> None:
    assert hear(shelf, MENU, spoken("goodbye"))[1][0].intent == "end"
    assert hear(shelf, MENU, spoken("thank_you"))[1][0].intent == "thanks"


def test_what_is_not_in_the_grammar_is_rejected(shelf: Shelf) -> None:
    for name in ("all_busy", "please_hold", "technical_fault", "queue_closed"):
        _, found = hear(shelf, MENU, spoken(name))
        assert not found or found[0].confidence < 0.5, (name, found)


def test_words_that_may_mean_two_things_are_heard_as_surely_as_others(shelf: Shelf) -> None:
    """“Three” is in the afternoon, or at night; nothing of that is the recogniser's doubt."""
    at = Grammar("en", (Line("$at", "at"),), {"at": Slot("time")})
    _, found = hear(shelf, at, spoken("digits/3"))
    assert [each.slots["at"] for each in found[:2]] == ["15:00", "03:00"]
    assert found[0].confidence == found[1].confidence > 0.8


def test_one_after_the_other_and_forgotten(shelf: Shelf) -> None:
    recognizer = EmbeddedRecognizer(shelf, MODEL, {})
    with pytest.raises(SpeechError, match="has to be started"):
        recognizer.feed(digits("1")[:160])
    recognizer.start(DIGITS)
    recognizer.feed(digits("12"))
    recognizer.cancel()
    assert recognizer.finish() == ()
    recognizer.start(MENU)
    recognizer.feed(spoken("goodbye"))
    assert recognizer.finish()[0].intent == "end"


def test_other_rates(shelf: Shelf) -> None:
    recognizer = EmbeddedRecognizer(shelf, MODEL, {}, rate_hz=16_000)
    recognizer.start(DIGITS)
    recognizer.feed(digits("4079").repeat(2))
    assert recognizer.finish()[0].slots == {"number": "4079"}


def test_a_model_folder_of_the_admin(shelf: Shelf, tmp_path: Path) -> None:
    """A compiled folder is a Vosk model like any other: its fixed graph is used, and the grammar reads the words."""
    folder = str(shelf.prepared(MODEL, DIGITS, {}).model.folder)
    recognizer = EmbeddedRecognizer(shelf, folder, {})
    recognizer.start(DIGITS)
    recognizer.feed(digits("4079"))
    found = recognizer.finish()
    assert found[0].slots == {"number": "4079"} and recognizer.name == "folder"
