"""words: of grammars.yaml: phones, other words, several ways, languages; and what can't be said."""

from __future__ import annotations

import pytest

from engine import limits, marks
from engine.dialplan import words_reader
from engine.dialplan.findings import Finding, Report


def read(text: str, *languages: str) -> tuple[words_reader.Words, list[Finding]]:
    root, faults = marks.load(text.encode(), "grammars.yaml")
    assert not faults
    report = Report()
    return words_reader.read(report, root, languages or ("en",)), report.finished({"grammars.yaml": text.encode()})


def test_phones_other_words_and_several_ways() -> None:
    found, findings = read("nguyen: [like  Win, N UW1 Y EH2 N, like win]\nRingdown: R IH NG D AW N\nno: N OW\n")
    assert findings == []
    assert found == {"en": {
        "nguyen": ("like win", "N UW Y EH N"), "ringdown": ("R IH NG D AW N",), "no": ("N OW",),
    }}  # fmt: skip


def test_several_languages_are_named() -> None:
    found, findings = read("siobhan: {en: like shiv on}\n", "en", "de")
    assert (found, findings) == ({"en": {"siobhan": ("like shiv on",)}, "de": {}}, [])
    assert [each.code for each in read("siobhan: like shiv on\n", "en", "de")[1]] == ["RD023"]


@pytest.mark.parametrize(("text", "column", "why"), [
    ("a: N UW YY EH N", 9, "'YY' is no phone of en"), ("a: 'N UW YY'", 10, "'YY'"),
    ("a: R R R RR", 10, "'RR'"), ("a: k uh", 4, "'k' is no phone"), ("a: like", 4, "like which words"),
    ("two words: AA", 1, "not one word"), ("a: like 100%", 4, "like which words"),
])  # fmt: skip
def test_what_cannot_be(text: str, column: int, why: str) -> None:
    found, findings = read(text + "\n")
    assert [(each.code, each.line, each.column) for each in findings] == [("RD290", 1, column)]
    assert why in findings[0].message and findings[0].suggestion
    assert not any(found["en"].values())


def test_small_letters_are_told_apart_from_words() -> None:
    (finding,) = read("keown: k y uw ah n\n")[1]
    assert "in capitals" in finding.suggestion and "like k y uw ah n" in finding.suggestion


def test_a_language_whose_phones_nobody_knows() -> None:
    (finding,) = read("zwei: T S V AY\n", "de")[1]
    assert finding.code == "RD290" and "phones of de" in finding.message


def test_bounds() -> None:
    many = "".join(f"w{'abcdefghij'[n // 1000]}{'abcdefghij'[n // 100 % 10]}{'abcdefghij'[n // 10 % 10]}"
                   f"{'abcdefghij'[n % 10]}: AA\n" for n in range(limits.own_words_max + 1))  # fmt: skip
    assert [each.code for each in read(many)[1]] == ["RD024"]
    ways = ", ".join(["AA"] * (words_reader.ways_max + 1))
    assert [each.code for each in read(f"a: [{ways}]\n")[1]] == ["RD024"]
