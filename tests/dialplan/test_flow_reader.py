"""The shape of dialplan files: what each wrong shape is told."""

from __future__ import annotations

import pytest

from tests.dialplan.site import codes_of

HEAD = "ringdown: 1\nflows:\n  main:\n    - answer\n"


@pytest.mark.parametrize(
    ("steps", "found"),
    [
        ("    - [a]\n", ("RD023", 5)),
        ("    - {}\n", ("RD023", 5)),
        ("    - menu: hello\n", ("RD023", 5)),
        ("    - answer: now\n", ("RD023", 5)),
        ("    - play\n", ("RD022", 5)),
        ("    - when: {if: a, then: b}\n", ("RD023", 5)),
        ("    - when:\n        - then: main\n", ("RD022", 6)),
        ("    - when:\n        - if: access.kind = agent\n          then: main\n          esle: main\n", ("RD021", 8)),
        ("    - when:\n        - else: main\n        - if: access.kind = agent\n          then: main\n", ("RD023", 6)),
        ("    - menu: {prompt: hello, choices: [1], failed: main}\n", ("RD023", 5)),
        ("    - menu:\n        prompt: hello\n        choices: {1: {goto: main}}\n        failed: x\n", ("RD023", 7)),
        ("    - menu: {prompt: hello, listen: [voice], choices: {1: main}, failed: main}\n", ("RD024", 5)),
        ("    - goto: again\n", ("RD031", 5)),
        ("    - goto: [main]\n", ("RD023", 5)),
        ("    - goto: main#1\n", ("RD031", 5)),
        ("    - position\n", ("RD060", 5)),
        ("    - hangup: two words\n", ("RD027", 5)),
        ("    - hangup: {outcome: served, cause: 300}\n", ("RD024", 5)),
        ("    - dial: {to: 200, failed: continue, mode: all}\n    - hangup\n", ("RD024", 5)),
        ("    - dial: {to: 123, failed: continue}\n    - hangup\n", ("RD035", 5)),
        ("    - dial: {to: 'sip:a b@c', failed: continue}\n    - hangup\n", ("RD035", 5)),
        ("    - record: halt\n    - hangup\n", ("RD024", 5)),
        ("    - priority: high\n    - hangup\n", ("RD024", 5)),
    ],
)
def test_wrong_shapes(steps: str, found: tuple[str, int]) -> None:
    assert found in codes_of(HEAD + steps)


@pytest.mark.parametrize(
    ("top", "found"),
    [
        ("always: {12: main}\n", ("RD063", 2)),
        ("always: {one: main}\n", ("RD063", 2)),
        ("always: {star: main, '*': main}\n", ("RD062", 2)),
        ("always: {0: nowhere}\n", ("RD031", 2)),
        ("rescue: nowhere\n", ("RD031", 2)),
        ("finally: nowhere\n", ("RD031", 2)),
        ("entry: nowhere\n", ("RD031", 2)),
        ("languages: [fr]\n", ("RD039", 2)),
        ("phrases: [a]\n", ("RD023", 2)), ("lookups: {a: b}\n", ("RD026", 2)),
        ("variables: {not: flag}\n", ("RD027", 2)),
        ("variables: {Account: flag}\n", ("RD027", 2)),
        ("variables: {gold: flag = no, tier: choice gold vip = vip}\n", ("RD027", 2)),
        ("variables: {due: dat}\n", ("RD073", 2)),
        ("about: press # to end\n", ("RD017", 2)),
    ],
)
def test_wrong_tops(top: str, found: tuple[str, int]) -> None:
    text = f"ringdown: 1\n{top}flows:\n  main:\n    - hangup\n"
    assert found in codes_of(text)


def test_a_list_in_a_wait_list_holds_what_may_stand_there() -> None:
    text = (
        HEAD
        + "    - queue: {name: support, waiting: w, full: main, no_agents: main, timeout: main}\n    - hangup\n"
        + "waits:\n  w:\n    - menu:\n        prompt: hello\n        choices:\n          1:\n            - hangup\n"
        + "        failed: continue\n"
    )
    assert ("RD060", 13) in codes_of(text)
    fine = text.replace("- hangup\n        failed", "- play: hello\n        failed")
    assert "RD060" not in [code for code, _ in codes_of(fine)]
