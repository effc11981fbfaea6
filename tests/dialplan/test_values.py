from __future__ import annotations

import pytest

from engine import marks
from engine.dialplan import values
from engine.dialplan.findings import Report


def node(text: str) -> marks.Node:
    found, faults = marks.load(f"k: {text}\n".encode(), "f.yaml")
    assert faults == []
    assert isinstance(found, marks.Mapping)
    return found.entries["k"]


def test_single_values() -> None:
    report = Report()
    assert values.number(report, node("12"), "x", 1, 20) == 12
    assert values.duration(report, node("1.5s"), "x", 0, 2_000) == 1_500
    assert values.flag(report, node("off"), "x") is False
    assert values.choice(report, node("udp"), "x", ("udp", "tcp")) == "udp"
    assert values.name(report, node("on_hold-2"), "x") == "on_hold-2"
    assert [each.text for each in values.scalars(report, node("[a, b]"), "x")] == ["a", "b"]
    assert [each.text for each in values.scalars(report, node("a"), "x")] == ["a"]
    for missing in (values.scalar, values.mapping, values.prose, values.flag):
        assert missing(report, None, "x") is None
    assert report.findings == []


@pytest.mark.parametrize("text", ["0", "21", "-1", "1.5", "²", "x", "[1]", "{a: b}"])
def test_wrong_numbers(text: str) -> None:
    report = Report()
    assert values.number(report, node(text), "x", 1, 20) is None
    assert [each.code for each in report.findings] in (["RD024"], ["RD023"])


@pytest.mark.parametrize("text", ["again", "Main", "1st", "a b", "a.b", "a#1", "$x", "ä"])
def test_wrong_names(text: str) -> None:
    report = Report()
    assert values.name(report, node(text), "a flow") is None
    assert report.errors == 1


def test_durations_are_told_in_words() -> None:
    report = Report()
    assert values.duration(report, node("2h"), "ring", 1_000, 180_000) is None
    assert "between 1s and 3min" in report.findings[0].message
    assert [values.spell_ms(ms) for ms in (0, 300, 90_000, 7_200_000)] == ["0ms", "300ms", "90s", "2h"]
