"""Nets made small say the same as before."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import SpeechError
from engine.speech import automaton, grammar_net
from engine.speech.automaton import Automaton
from engine.speech.grammar import Slot
from engine.speech.net import Net
from tests.speech.models import grammar
from tests.speech.test_net import sentences


def accepted(machine: Automaton, words_max: int = 6) -> list[str]:
    found: list[str] = []
    stack: list[tuple[int, tuple[str, ...]]] = [(0, ())]
    while stack:
        state, said = stack.pop()
        if machine.final[state]:
            found.append(" ".join(said))
        if len(said) < words_max:
            stack += [(target, (*said, word)) for word, target, _ in machine.arcs[state]]
    return sorted(found)


@given(st.lists(st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=4), min_size=1, max_size=8))
def test_any_list_of_phrases(phrases: list[list[str]]) -> None:
    net = grammar_net.build(grammar(*(" ".join(phrase) for phrase in phrases)))
    machine = automaton.of(net)
    assert accepted(machine) == sentences(net)
    futures = [
        tuple(accepted(Automaton((machine.arcs[at], *machine.arcs[1:]), (machine.final[at], *machine.final[1:]))))
        for at in range(1, len(machine.arcs))
    ]
    assert len({*futures}) == len(futures), "two states say the same"


def test_circles_become_small_too() -> None:
    machine = automaton.of(grammar_net.build(grammar("$n", "my $n", n=Slot("digits"))))
    assert len(machine.arcs) == 4  # the entry; behind "my" or a repeat; the circle; two digits to come
    assert accepted(machine, 2)[:3] == ["double eight", "double five", "double four"]


def test_beginnings_and_endings_are_shared() -> None:
    machine = automaton.of(grammar_net.build(grammar("pay my bill", "pay my invoice", "see my bill", "see my invoice")))
    assert len(machine.arcs) == 4


def test_polite_words_are_marked_unless_they_matter() -> None:
    machine = automaton.of(grammar_net.build(grammar("please", "sales", fillers=True)))
    kinds = {word: kind for word, _, kind in machine.arcs[0]}
    assert (kinds["um"], kinds["sales"], kinds["please"]) == (automaton.POLITE, automaton.PLAIN, automaton.PLAIN)


def test_months_and_their_days_are_marked_and_no_other_words() -> None:
    machine = automaton.of(grammar_net.build(grammar("$day", "march on", day=Slot("date"), fillers=True)))
    kinds = {word: kind for word, _, kind in machine.arcs[0]}
    assert kinds["june"] == kinds["fifth"] == automaton.DATED
    assert {kinds[word] for word in ("tuesday", "tomorrow", "next", "in")} == {automaton.PLAIN}
    assert kinds["may"] == automaton.DATED, "in “may I”, it means nothing"
    assert kinds["march"] == automaton.PLAIN, "it leads to something else, too"
    numbers = automaton.of(grammar_net.build(grammar("$n", n=Slot("number"))))
    assert not any(kind for arcs in numbers.arcs for _, _, kind in arcs)


def test_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(automaton, "nodes_max", 3)
    net = Net()
    net.words(net.start, "a b c d", net.end)
    with pytest.raises(SpeechError, match="too large"):
        automaton.of(net)
