"""Who knows how a word is said, in which order."""

from __future__ import annotations

import pytest

from engine.errors import SpeechError
from engine.speech import grammar_net, lexicon
from engine.speech.grammar import Slot
from engine.speech.lexicon import Dictionary, Lexicon
from tests.speech.models import PHONES, grammar, the_lexicon


def test_a_dictionary_is_searched_where_it_lies() -> None:
    known = Dictionary("a\tAH\na\tEY\na's\tEY Z\nab\tAE B\nb\tB IY\n")
    assert known.of("a") == ("AH", "EY")
    assert known.of("b") == ("B IY",)
    assert known.of("aa") == known.of("zz") == known.of("") == ()


@pytest.mark.parametrize("text", ["no tab\n", "b\tB IY\na\tAH\n"])
def test_a_broken_dictionary_is_refused(text: str) -> None:
    with pytest.raises(SpeechError, match="dictionary is broken"):
        Dictionary(text)


def test_own_words_come_first_and_guesses_last() -> None:
    guesses = {"sales": ("X",), "zonk": ("Z AA NG K",)}
    known = Lexicon(Dictionary("sales\tS EY L Z\n"), {"sales": ("S AA L Z",)}, guesses)
    assert known.of("sales") == ("S AA L Z",)
    assert known.of("zonk") == ("Z AA NG K",)
    assert known.of("a.m.") == ("EY EH M",)
    assert known.of("w.") == ("D AH B AH L Y UW",)
    assert known.missing(["sales", "blorp"]) == ["blorp"]


def test_a_grammar_tells_its_unknown_words() -> None:
    net = grammar_net.build(grammar("sales", "my blorp", x=Slot("digits")))
    assert lexicon.unknown_words(net, the_lexicon()) == ["blorp", "my"]


def test_letters_and_special_words_are_said_in_phones() -> None:
    said = [*lexicon.LETTERS.values(), *(one for several in lexicon.SPECIAL.values() for one in several)]
    assert len(lexicon.LETTERS) == 26
    assert {phone for one in said for phone in one.split()} <= {*PHONES}


def test_tuesday_is_said_in_both_countries() -> None:
    known = Lexicon(Dictionary("tuesday\tT UW Z D EY\n"))
    assert {"T UW Z D IY", "T Y UW Z D IY", "CH UW Z D EY"} < {*known.of("tuesday")}


def test_a_word_that_sounds_like_others() -> None:
    dictionary = Dictionary("on\tAA N\non\tAO N\nshiv\tSH IH V\nwin\tW IH N\n")
    own: dict[str, tuple[str, ...]] = {"siobhan": ("like shiv on", "S AH B AE N"), "nguyen": ("like wug",)}
    known = Lexicon(dictionary, own, {"nguyen": ("N",)})
    assert known.of("siobhan") == ("SH IH V AA N", "SH IH V AO N", "S AH B AE N")
    assert known.of("nguyen") == ("N",), "a word that nobody knows says nothing: it is guessed"
    assert len(lexicon.resolved(("like on on on",), dictionary.of)) == lexicon.ways_max
