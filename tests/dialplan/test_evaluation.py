"""Trees are evaluated whatever is set, and say which names they read."""

from __future__ import annotations

from typing import Any

import pytest

from engine.dialplan.evaluation import evaluate, names, reads


@pytest.mark.parametrize(
    ("tree", "value"),
    [
        (["days", ["literal", "1970-01-02"]], 1), (["days", ["literal", ""]], 0), (["days", ["literal", 7]], 0),
        (["date", ["literal", 0]], "1970-01-01"), (["date", ["literal", 10**15]], "9999-12-31"),
        (["date", ["literal", -(10**15)]], "0001-01-01"), (["minutes", ["literal", "08:30"]], 510),
        (["minutes", ["literal", ""]], 0), (["whole_days", ["literal", 3 * 86_400_000 - 1]], 2),
        (["holds", "agent.201.ready"], True), (["holds", "agent.202.ready"], False), (["has", "agent.last"], False),
        (["measure", "queue.support.length"], 3), (["measure", "queue.other.length"], 0), (["fact", "nothing"], ""),
        (["variable", "nothing"], ""),
    ],
)  # fmt: skip
def test_every_sign_is_total(tree: list[Any], value: object) -> None:
    facts = {"agent.201.ready": "yes", "agent.202.ready": "no", "queue.support.length": "3"}
    assert evaluate(tree, {}, facts) == value


def test_fixed_values_are_not_names() -> None:
    tree = ["and", ["in", ["variable", "a"], ["known", "b"]], ["=", ["fact", "c"], ["literal", "has"]]]
    assert list(names(tree)) == ["a", "c"]
    assert reads(tree, "c") and not reads(tree, "b")
