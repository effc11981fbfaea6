"""What queues.yaml says about waiting, read and checked over all queues."""

from __future__ import annotations

import pytest

from engine.dialplan.findings import Report
from engine.dialplan.model import Announcing
from engine.dialplan.queue_rules import presence, way_round
from engine.dialplan.reader import read_site
from engine.marks import load
from tests.dialplan.site import STOCK, files_with, site_of

MAIN = "ringdown: 1\nflows:\n  main:\n    - answer\n    - hangup: served\n"
AGENTS = "200: {name: Ana, queues: [support, sales, night], skills: {power: 2}, team: front}\n"


def findings(queues: str, agents: str = AGENTS) -> list[tuple[str, int]]:
    _, found = read_site(files_with({"queues.yaml": queues, "agents.yaml": agents}), STOCK)
    return [(each.code, each.line) for each in found]


@pytest.mark.parametrize(
    ("text", "joining", "leaving"),
    [
        ("yes", (), ("logged_out",)), ("no", ("logged_out",), ()),
        ("not_ready", ("logged_out", "not_ready"), ("logged_out", "not_ready")),
        ("[busy, wrap_up, busy]", ("logged_out", "busy", "wrap_up"), ("logged_out", "busy", "wrap_up")),
    ],
)  # fmt: skip
def test_presence(text: str, joining: tuple[str, ...], leaving: tuple[str, ...]) -> None:
    root, _ = load(f"key: {text}\n".encode(), "queues.yaml")
    node = root.entries["key"]  # type: ignore[union-attr]
    report = Report()
    assert presence(report, node, "key", refuses="no") == joining and presence(report, node, "key") == leaving
    assert not report.errors


def test_rules_in_order_with_their_targets() -> None:
    queues = (
        "support:\n  skills: [power]\n  overflow:\n    - {if: closed or no_agents, outcome: voicemail}\n"
        "    - {if: waited > 5min or length > 20, queue: sales, credit: none}\n"
        "    - {if: estimated_wait > 10min, number: '+442071234567'}\nsales: {ring: 20s}\nnight: {ring: 20s}\n"
    )
    site = site_of(MAIN, queues=queues, agents=AGENTS)
    rules = site.queues["default/support"].overflow
    assert [(each.way, each.to, each.credit) for each in rules] == [
        ("outcome", "voicemail", "full"),
        ("queue", "default/sales", "none"),
        ("number", "number/+442071234567", "full"),
    ]
    assert rules[2].when[0] == "and" and rules[2].when[1] == ["known", "estimated_wait"]


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("{if: waited > 5, queue: sales}", "RD070"),
        ("{if: length, queue: sales}", "RD070"),
        ("{if: lenght > 5, queue: sales}", "RD034"),
        ("{if: waited > 5min, queue: $sales}", "RD077"),
        ("{if: waited > 5min, outcome: mailbox}", "RD024"),
        ("{if: waited > 5min, number: '1'}", "RD035"),
        ("{if: waited > 5min}", "RD022"),
        ("{queue: sales}", "RD022"),
        ("{if: waited > 5min, queue: sales, outcome: timeout}", "RD022"),
        ("{if: waited > 5min, outcome: timeout, credit: full}", "RD024"),
        ("{if: waited > 5min, flow: main}", "RD021"),
        ("{if: waited > 5min, queue: sales, credit: half}", "RD024"),
        ("{iff: waited > 5min, queue: sales}", "RD021"),
        ("sales", "RD023"),
    ],
)
def test_mistakes_are_found_in_their_line(rule: str, code: str) -> None:
    queues = f"support:\n  skills: [power]\n  overflow:\n    - {rule}\nsales: {{ring: 20s}}\nnight: {{ring: 20s}}\n"
    assert (code, 4) in findings(queues)


def test_a_circle_over_three_queues_is_told_with_its_whole_way() -> None:
    queues = "".join(
        f"{name}:\n  skills: [power]\n  overflow:\n    - {{if: waited > 1min, queue: {to}}}\n"
        for name, to in (("support", "sales"), ("sales", "night"), ("night", "support"))
    )
    _, found = read_site(files_with({"queues.yaml": queues, "agents.yaml": AGENTS}), STOCK)
    circles = [each for each in found if each.code == "RD110"]
    assert len(circles) == 3 and "support > sales > night > support" in circles[0].message
    assert way_round({"a": ["b"], "b": ["c", "d"], "d": []}, "b", "a") == []


def test_a_step_may_not_close_a_circle_either() -> None:
    queues = "support: {skills: [power]}\nsales:\n  overflow:\n    - {if: waited > 1min, queue: support}\n"
    step = (
        "ringdown: 1\nflows:\n  main:\n    - answer\n    - queue:\n        name: support\n"
        "        overflow: [{if: waited > 1min, queue: sales}]\n"
        "        full: bye\n        no_agents: bye\n        timeout: bye\n"
        "    - goto: bye\n  bye:\n    - hangup: served\n"
    )
    agents = AGENTS.replace(", night", "")
    changes = {"queues.yaml": queues, "agents.yaml": agents, "dialplans/main.yaml": step}
    _, found = read_site(files_with(changes), STOCK)
    assert [(each.code, each.line) for each in found if each.severity == "error"] == [("RD110", 7)]


def test_a_name_is_inherited_once() -> None:
    assert ("RD112", 2) in findings("support: {skills: [power], was: old}\nsales: {was: old}\nnight: {ring: 20s}\n")
    assert not [code for code, _ in findings("support: {skills: [power], was: [old, older]}\nsales: {was: oldest}\n"
                                             "night: {ring: 9s}\n") if code == "RD112"]  # fmt: skip


def test_announce_as_a_mapping() -> None:
    queues = (
        "support:\n  skills: [power]\n  announce:\n    join: please_hold\n    position: 30s\n    estimate: 60s\n"
        "    periodic: {every: 45s, play: [thank_you, one_moment]}\nsales: {announce: please_hold}\nnight: {ring: 9s}\n"
    )
    site = site_of(MAIN, queues=queues, agents=AGENTS)
    periodic = {"en": (("en/thank_you",), ("en/one_moment",))}
    assert site.queues["default/support"].announcing == Announcing(30_000, 60_000, 45_000, periodic)
    for name in ("support", "sales"):
        assert site.queues[f"default/{name}"].announce == {"en": ("en/please_hold",)}
    lacking = "support:\n  skills: [power]\n  announce:\n    periodic: {every: 45s}\n"
    assert ("RD022", 4) in findings(lacking + "sales: {ring: 9s}\nnight: {ring: 9s}\n")
