"""Strategy names: what is read, what comes later, and what was meant."""

from __future__ import annotations

import pytest

from engine import marks
from engine.dialplan import strategies
from engine.dialplan.findings import Report


def read(text: str) -> tuple[str | None, list[tuple[str, int, int, str]]]:
    root, _ = marks.load(f"strategy: {text}\n".encode(), "queues.yaml")
    assert isinstance(root, marks.Mapping)
    report = Report()
    found = strategies.read(report, root.entries["strategy"])
    return found, [(each.code, each.line, each.column, each.suggestion) for each in report.findings]


@pytest.mark.parametrize("name", strategies.NAMES)
def test_every_name_is_read(name: str) -> None:
    assert read(name) == (name, [])


def test_what_was_meant_and_what_comes_later() -> None:
    assert read("most-idel") == (None, [("RD081", 1, 11, "did you mean 'most-idle'?")])
    assert read("ead_loa")[1][0][3] == "did you mean 'ead-loa'?"
    assert [finding[0] for finding in read("skills")[1]] == ["RD026"]
    assert strategies.read(Report(), None) is None
