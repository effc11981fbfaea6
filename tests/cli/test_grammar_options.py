"""--phrases, --slot and --grammar: what they mean, and what is wrong with them in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.cli.grammar_options import chosen
from engine.errors import UsageError
from engine.speech.grammar import Grammar, Line, Slot


def test_phrases_slots_and_files(tmp_path: Path) -> None:
    grammar = chosen("sales|(my|the) bill|operator", "", None, "en")
    assert grammar is not None and [each.phrase for each in grammar.lines] == ["sales", "(my|the) bill", "operator"]
    assert chosen("", "digits:4", None, "en") == Grammar(
        "en", (Line("$digits", "digits"),), {"digits": Slot("digits", 4, 4)}
    )
    assert chosen("", "digits:6-8", None, "en").slots["digits"] == Slot("digits", 6, 8)  # type: ignore[union-attr]
    file = tmp_path / "g.yaml"
    file.write_text("phrases:\n  pay: [pay, pay my bill]\n  move: move to $day\nslots:\n  day: {kind: date}\n")
    read = chosen("", "", file, "en")
    assert read is not None and read.lines[2] == Line("move to $day", "move") and read.slots["day"].kind == "date"
    assert chosen("", "", None, "en", needed=False) is None


def test_a_grammar_of_a_site_is_heard_by_itself(tmp_path: Path) -> None:
    file = tmp_path / "grammars.yaml"
    file.write_text(
        "words: {zonk: Z AA NG K}\ngrammars:\n  visit:\n    phrases: [a visit, 'with $who', 'on $day']\n"
        "    slots: {who: doctors, day: date}\n    fillers: no\n  doctors:\n    phrases: {zonk: [doctor zonk]}\n"
    )
    found = chosen("", "", Path(f"{file}#visit"), "en")
    assert found == Grammar(
        "en", (Line("a visit", ""), Line("with $who", ""), Line("on $day", "")),
        {"who": Slot("choice", choices={"zonk": ("doctor zonk",)}), "day": Slot("date")},
        {"zonk": ("Z AA NG K",)}, fillers=False, any_order=True,
    )  # fmt: skip
    doctors = chosen("", "", Path(f"{file}#doctors"), "en")
    assert doctors is not None and doctors.lines == (Line("doctor zonk", "zonk"),) and not doctors.any_order
    with pytest.raises(UsageError, match="holds visit, doctors: say which"):
        chosen("", "", Path(f"{file}#nurses"), "en")
    two = tmp_path / "both.yaml"
    two.write_text("grammars:\n  a:\n    phrases:\n      bill: {en: [my bill], zh: [账单]}\n")
    assert chosen("", "", two, "zh").lines == (Line("账单", "bill"),)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("phrases", "slot", "text", "why"),
    [
        ("", "", "", "what may be said"),
        ("sales", "digits:4", "", "one of them"),
        ("(sales", "", "", "column"),
        ("go to $where", "", "", "declare this slot"),
        ("", "letters", "", "there are yes_no"),
        ("", "digits:four", "", "behind the colon"),
        ("", "", "- phrases", "a grammar is a mapping"),
        ("", "", "phrases: {a: 'b (c'}", r"g.yaml:1:17: error RD280.*never closed"),
        ("", "", "phrases: {a: b}\nwords: {b: BB}", r"g.yaml:2:12: error RD290"),
        ("", "", "phrases: [at $when]\nslots: {when: tiem}", r"g.yaml:2:15: error RD287"),
        ("", "", "grammars: {a: {phrases: [b]}, c: {phrases: [d]}}", "holds a, c: say which, as in"),
        ("", "", "phrases: {a: b}\ncolour: red", "colour"),
        ("", "", "phrases: [", "g.yaml"),
    ],
)
def test_what_is_wrong(tmp_path: Path, phrases: str, slot: str, text: str, why: str) -> None:
    file = tmp_path / "g.yaml"
    if text:
        file.write_text(text)
    with pytest.raises(UsageError, match=why):
        chosen(phrases, slot, file if text else None, "en")
