"""Phrase lists: small grammars whole, of large ones every pair of words."""

from __future__ import annotations

import itertools

import msgspec
import pytest

from engine.speech import automaton, grammar_net, matcher, phrase_list
from engine.speech.grammar import Grammar, Slot
from tests.speech.models import grammar


def test_a_small_grammar_is_written_out() -> None:
    listed = phrase_list.phrases(grammar("[the] (bill|invoice)", "sales"))
    assert sorted(listed) == ["bill", "invoice", "sales", "the bill", "the invoice"]


def test_polite_words_stand_by_themselves() -> None:
    listed = phrase_list.phrases(grammar("sales", fillers=True))
    assert {"sales", "um", "i'd like to speak to", "thank you"} <= {*listed}
    assert "um sales" not in listed and "and" not in listed
    assert "and" in phrase_list.phrases(grammar("a", "b", fillers=True, any_order=True))


def test_letters_are_written_as_they_are_heard() -> None:
    assert "eight a m" in phrase_list.phrases(grammar("$t", t=Slot("time")))
    assert phrase_list.phrases(grammar("$s", s=Slot("choice", choices={"x": ("a",)}))) == ("a",)


@pytest.mark.parametrize(
    "large",
    [
        grammar("my number is $n", n=Slot("digits", 8, 8)),
        grammar("$n", n=Slot("digits")),
        grammar("$n", "on $d", n=Slot("number"), d=Slot("date")),
    ],
    ids=["eight digits", "any digits", "numbers and dates"],
)
def test_every_pair_of_words_is_in_it(large: Grammar) -> None:
    listed = phrase_list.phrases(large)
    machine = automaton.of(grammar_net.build(msgspec.structs.replace(large, fillers=False)))
    wanted = {
        (first, second) for arcs in machine.arcs for first, middle, _ in arcs for second, _, _ in machine.arcs[middle]
    }
    pairs = {pair for phrase in listed for words in [phrase.split()] for pair in itertools.pairwise(words)}
    assert wanted <= pairs
    assert len(listed) <= phrase_list.phrases_max
    for phrase in listed[:200]:
        assert matcher.state(large, phrase.split())[0] or "february" in phrase, phrase
