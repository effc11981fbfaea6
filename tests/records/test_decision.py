"""The text of a decision: read back as written, and what isn't one explains nothing."""

from __future__ import annotations

import json

import pytest

from engine.records.decision import Why, decode, encode

WHY = Why(
    "ead-mia", "3f9a", (("skill_level", 9), ("idle_ms", 34_200)), 2, (("lacks", "zh", 1), ("not_ready", "d'été", 2)),
    (("default/202", "idle_ms", ""), ("default/203", "lacks", "zh")),
)  # fmt: skip


def test_read_back() -> None:
    assert decode(encode(WHY)) == WHY and decode(encode(Why("random", ""))) == Why("random", "")
    assert json.loads(encode(WHY))["against"][1] == ["not_ready", "d'été", 2]


@pytest.mark.parametrize("text", [None, 7, "", "{", "[]", '{"rule": 3, "site": ""}', '{"site": "x"}'])
def test_anything_else_is_no_decision(text: object) -> None:
    assert decode(text) is None


def test_a_later_engines_text_is_read() -> None:
    assert decode('{"rule": "r", "site": "s", "more": 1}') == Why("r", "s")
