"""`policy:` as written, as linked, and every mistake with its line and column."""

from __future__ import annotations

import pytest

from engine import limits
from engine.acd import custom
from engine.dialplan import policy_reader
from engine.dialplan.model import PolicyModel
from engine.dialplan.reader import read_site
from tests.dialplan.site import BASE, STOCK, files_with


def queues(*lines: str, strategy: str = "custom") -> dict[str, str]:
    """Lines of the policy stand from line 5 on."""
    body = "".join(f"    {line}\n" for line in lines)
    return {"queues.yaml": f"support:\n  skills: [power]\n  strategy: {strategy}\n  policy:\n{body}"}


def found(*lines: str, strategy: str = "custom") -> list[tuple[str, int, int]]:
    findings = read_site(files_with(queues(*lines, strategy=strategy)), STOCK)[1]
    return [(each.code, each.line, each.column) for each in findings if each.file == "queues.yaml"]


def test_it_is_read_into_words() -> None:
    lines = ("order: [agent.level, agent.idle * -2]", "admit: agent.skill.power >= 2 or caller.waited > 30s")
    site, findings = read_site(files_with(queues(*lines)), STOCK)
    assert site is not None, findings
    assert site.queues["default/support"].policy == PolicyModel(
        (
            (("field", "agent.level"),),
            (("field", "agent.idle"), ("const", 0), ("const", 2), ("-", 0), ("*", 0)),
        ),
        (
            ("skill", "power"), ("const", 2), (">=", 0),
            ("field", "caller.waited"), ("const", 30_000), (">", 0), ("or", 0),
        ),
    )  # fmt: skip
    assert set(policy_reader.FIELDS) == set(custom.FIELDS), "what may be written is what is built"


@pytest.mark.parametrize(
    ("lines", "finding"),
    [
        (("order: [agent.levle]",), ("RD042", 5, 13)),
        (("order: [agent.skill.powr]",), ("RD042", 5, 13)),
        (("order: [agent.level > 1]",), ("RD070", 5, 13)),
        (("order: [agent.level + agent.idle]",), ("RD070", 5, 25)),
        (("order: [access.caller]",), ("RD070", 5, 13)),
        (("order: [length(access.caller)]",), ("RD042", 5, 13)),
        (("order: [agent.level +]",), ("RD071", 5, 26)),
        (("order: [agent.level]", "admit: agent.level"), ("RD070", 6, 12)),
        (("order: [agent.level]", "amdit: agent.level > 1"), ("RD021", 6, 5)),
        (("admit: agent.level > 1",), ("RD022", 5, 5)),
        (("order: [" + ", ".join(["agent.level"] * (limits.policy_expressions_max + 1)) + "]",), ("RD022", 5, 12)),
        (("order: ['" + " + ".join(["agent.level"] * 40) + "']",), ("RD071", 5, 14)),
    ],
)
def test_a_mistake_has_its_place(lines: tuple[str, ...], finding: tuple[str, int, int]) -> None:
    assert finding in found(*lines)


def test_policy_and_strategy_belong_together() -> None:
    assert ("RD024", 4, 3) in found("order: [agent.level]", strategy="ring-all")
    without = {**BASE, "queues.yaml": b"support: {strategy: custom, skills: [power]}\n"}
    findings = read_site(without, STOCK)[1]
    assert [(each.code, each.line, each.column) for each in findings] == [("RD022", 1, 21)]
    assert found("order: [agent.level]") == []
