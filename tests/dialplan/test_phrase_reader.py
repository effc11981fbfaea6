"""phrases: in one language, in several, and what can't be."""

from __future__ import annotations

import pytest

from engine import marks
from engine.dialplan import phrase_reader
from engine.dialplan.findings import Report


def read(text: str, *languages: str) -> tuple[dict[str, dict[str, list[str]]], list[str]]:
    root, faults = marks.load(text.encode(), "f.yaml")
    assert not faults
    report = Report()
    found = phrase_reader.read(report, root, languages, "phrases")
    plain = {
        name: {language: [word.text for word in words] for language, words in held.items()}
        for name, held in found.items()
    }
    return plain, [each.code for each in report.findings]


def test_one_language_needs_no_name() -> None:
    assert read("bill: [my bill, billing]\nagent: operator\n", "en") == (
        {"bill": {"en": ["my bill", "billing"]}, "agent": {"en": ["operator"]}}, [],
    )  # fmt: skip


def test_several_are_named() -> None:
    found, codes = read("bill: {en: [my bill], zh: 账单}\n", "en", "zh")
    assert found == {"bill": {"en": ["my bill"], "zh": ["账单"]}} and codes == []


@pytest.mark.parametrize(("text", "code"), [
    ("bill: [my bill]\n", "RD023"), ("bill: {de: [meine rechnung]}\n", "RD039"), ("- bill\n", "RD023"),
    ("bill:\n  en: [a b, [c]]\n", "RD023"), ("bill:\n  en: my bill # and more\n", "RD017"),
])  # fmt: skip
def test_what_cannot_be(text: str, code: str) -> None:
    assert code in read(text, "en", "zh")[1]


def test_too_many_are_refused() -> None:
    words = ", ".join(f"word{number}" for number in range(phrase_reader.phrases_max + 1))
    assert read(f"bill: [{words}]\n", "en")[1] == ["RD024"]
