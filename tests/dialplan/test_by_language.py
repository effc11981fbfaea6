"""What is said of each language: read on top of what is inherited, told where nobody is spoken to in it."""

from __future__ import annotations

from engine import marks
from engine.dialplan import by_language
from engine.dialplan.findings import Report


def one(report: Report, key: marks.Scalar, node: marks.Node) -> str | None:
    """What stands there; `bad` is a finding of its own."""
    assert isinstance(node, marks.Scalar)
    if node.text == "bad":
        report.add("RD024", node, "bad", "")
        return None
    return f"{key.text} {node.text}"


def read(text: str) -> tuple[dict[str, str], list[tuple[str, int, str]]]:
    report = Report()
    node, _ = marks.load(text.encode(), "site.yaml")
    found = by_language.read(report, node, "voices", ("en", "zh"), {"en": "was", "fr": "kept"}, "RD331", one)
    told = [(each.code, each.line, each.suggestion) for each in report.finished({"site.yaml": text.encode()})]
    return found, told


def test_what_is_said_counts_and_the_rest_is_inherited() -> None:
    assert read("en: new\nzh: bad\n") == ({"en": "en new", "fr": "kept"}, [("RD024", 2, "")])


def test_a_language_that_nobody_hears_is_told_and_read_all_the_same() -> None:
    found, told = read("eng: new\n")
    assert found["eng"] == "eng new" and told == [("RD331", 1, "did you mean 'en'?")]
