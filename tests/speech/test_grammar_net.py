"""Grammars as nets: lines, fillers, several lines in any order, and what is wrong with one."""

from __future__ import annotations

import msgspec
import pytest

from engine.errors import SpeechError
from engine.speech import grammar_net, matcher, phrase_list
from engine.speech.grammar import Grammar, Line, Slot
from tests.speech.models import grammar
from tests.speech.test_net import sentences


def test_lines_are_alternatives() -> None:
    net = grammar_net.build(grammar("sales", "[the] $x", x=Slot("choice", choices={"bill": ("bill", "invoice")})))
    assert sentences(net) == ["bill", "invoice", "sales", "the bill", "the invoice"]


def test_polite_words_stand_around() -> None:
    polite = grammar("sales", fillers=True)
    for said in ("um i'd like to speak to sales please", "sales", "hello sales thank you"):
        assert matcher.read(polite, said), said
    assert not matcher.read(polite, "um um um sales")  # two at most
    assert not matcher.read(grammar("sales"), "um sales")
    fillers_alone = sentences(grammar_net.build(polite), 2)
    assert "um" not in fillers_alone and "please" not in fillers_alone


@pytest.mark.parametrize("lines", [3, 6])
def test_any_order_takes_each_line_once(lines: int) -> None:
    together = grammar(*"abcdef"[:lines], any_order=True, fillers=True)
    for said in ("a", "c a b", "b and a", "a also um c"):
        assert matcher.read(together, said), said
    assert not matcher.read(together, "a b a")
    if lines <= grammar_net.exact_order_max:
        assert "a b a" not in sentences(grammar_net.build(grammar(*"abc", any_order=True)), 3)


def test_open_lists_are_filled_in_the_call() -> None:
    open_ = grammar("call $who", who=Slot("choice", open_list=True))
    with pytest.raises(SpeechError, match="without choices"):
        grammar_net.build(open_)
    filled = grammar_net.fill(open_, {"who": ("ann", "missis lee")})
    assert matcher.read(filled, "call missis lee")[0].slots == {"who": "missis lee"}
    with pytest.raises(SpeechError, match=r"\$what is no slot"):
        grammar_net.fill(open_, {"what": ("x",)})
    with pytest.raises(SpeechError, match="at most"):
        grammar_net.fill(open_, {"who": ("x",) * 5_001})


def test_wrong_grammars_are_refused_with_the_reason() -> None:
    for wrong, says in (
        (grammar(), "without phrases"),
        (grammar("on $day"), r"names \$day, which is no slot"),
        (grammar("the (bill"), "column 5: '\\(' is never closed"),
        (Grammar("fi", (Line("$x", "y"),), {"x": Slot("date")}), "language 'fi'"),
    ):
        with pytest.raises(SpeechError, match=says):
            grammar_net.build(wrong)


def test_all_problems_are_found_at_once() -> None:
    named = Slot("choice", choices={"a": ("b |", "$c")})
    wrong = grammar("the (bill", "on $day", "$x", x=named, y=Slot("number", 3, 1))
    assert [(where, column) for where, column, _ in grammar_net.problems(wrong)] == [
        ("the (bill", 5), ("on $day", 4), ("b |", 3), ("$c", 1), ("$y", 0),
    ]  # fmt: skip
    assert grammar_net.problems(msgspec.structs.replace(wrong, lines=(Line("sales", "s"),), slots={})) == []


def test_polite_words_of_its_own_stand_around_and_between() -> None:
    own = Grammar("en", (Line("sales", "sales"), Line("billing", "billing")), any_order=True, polite=("um", "you know"))
    assert matcher.Matcher(own).read("um sales you know billing please".split())
    assert not matcher.Matcher(msgspec.structs.replace(own, fillers=False)).read("um sales".split())
    assert grammar_net.problems(msgspec.structs.replace(own, polite=("u(m",)))[0][:2] == ("u(m", 2)
    assert "um" in phrase_list.phrases(own)
