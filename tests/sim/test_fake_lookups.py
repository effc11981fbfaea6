"""What lookups answer in a test."""

from __future__ import annotations

import pytest

from engine.sim.rehearsal import Rehearsal
from engine.sim.transcript import Fake
from engine.sim.transcript_reader import read
from tests.sim.shows import FILE, good, refused, site, written

LOOKUPS = """
customer:
  get: https://crm.example/of/$access.caller
  timeout: 2s
  returns: {tier: choice standard vip = standard, balance: number}
"""
PLAN = """
ringdown: 1
flows:
  main:
    - answer
    - lookup: {name: customer, busy: one_moment, not_found: nobody, failed: down}
    - when:
        - if: customer.tier = vip
          then: vip
    - play: hello
    - hangup: served
  vip:
    - play: thanks
    - hangup: served
  nobody:
    - play: not_available
    - hangup: failed
  down:
    - play: goodbye
    - hangup: failed
"""
MADE = site(**{"dialplans/main.yaml": PLAN, "lookups.yaml": LOOKUPS, "site.yaml": """
ringdown: 1
languages: [en]
numbers:
  100: {dialplan: main, public: yes}
"""})  # fmt: skip


@pytest.mark.parametrize(
    ("given", "lines"),
    [
        ("{customer: {tier: vip, balance: 3}}", "- hears: thanks\n- call: {customer.balance: 3}"),
        ("{customer: {balance: 3}}", "- hears: hello\n- call: {customer.tier: standard}"),
        ("{customer: {balance: 3, after: 1.5s}}", "- hears: [one_moment, hello]\n- outcome: served"),
        ("{customer: not_found}", "- hears: not_available"),
        ("{customer: fails}", "- hears: goodbye\n- record: {kind: call.lookup, result: failed}"),
        ("{customer: hangs}", "- hears: [one_moment, goodbye]\n- outcome: failed"),
        ("{}", "- hears: goodbye\n- record: {kind: call.lookup, reason: the test gives no answer of customer}"),
    ],
)
def test_a_server_as_it_is_given(given: str, lines: str) -> None:
    good(lines, given=f"lookups: {given}", of=MADE)


def test_a_test_adds_to_the_files_lookups() -> None:
    text = (
        "ringdown: 1\ngiven:\n  dialled: 100\n  lookups: {customer: {balance: 1}}\ntests:\n"
        "  a:\n    - given: {lookups: {customer: hangs}}\n    - wait: 1s\n  b:\n    - wait: 1s\n"
    )
    tests, findings = read(text.encode(), FILE, MADE)
    assert tests is not None, findings
    assert [test.given.lookups["default/customer"].result for test in tests.tests] == ["hangs", "ok"]


@pytest.mark.parametrize(
    ("given", "code", "word"),
    [
        ("{custommer: hangs}", "RD140", "did you mean 'customer'"),
        ("{customer: sleeps}", "RD024", "known here: hangs"),
        ("{customer: {colour: red, balance: 1}}", "RD233", "returns no 'colour'"),
        ("{customer: {tier: gold, balance: 1}}", "RD233", "customer.tier"),
        ("{customer: {tier: vip}}", "RD233", "no default"),
    ],
)
def test_what_a_lookup_can_not_answer_is_refused(given: str, code: str, word: str) -> None:
    text = f"ringdown: 1\ngiven:\n  dialled: 100\n  lookups: {given}\ntests:\n  a:\n    - wait: 1s\n"
    finding = refused(text, of=MADE)[0]
    assert finding.code == code and word in f"{finding.message} {finding.suggestion}"


def test_an_answer_comes_at_its_time() -> None:
    made, tests = written("- wait: 1s", given="lookups: {customer: {balance: 1, after: 300ms}}", of=MADE)
    assert tests.tests[0].given.lookups == {
        "default/customer": Fake("ok", {"customer.tier": "standard", "customer.balance": 1}, 300)
    }
    it = Rehearsal(made, tests.tests[0].given)
    it.wait(290)
    assert not it.events("call.lookup")
    it.wait(20)
    assert it.events("call.lookup")[0].data["ms"] == 300
