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


@pytest.mark.parametrize(
    ("phrases", "slot", "text", "why"),
    [
        ("", "", "", "what may be said"),
        ("sales", "digits:4", "", "one of them"),
        ("(sales", "", "", "column"),
        ("go to $where", "", "", "declare this slot"),
        ("", "letters", "", "there are yes_no"),
        ("", "digits:four", "", "behind the colon"),
        ("", "", "phrases: 3", "Expected"),
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
