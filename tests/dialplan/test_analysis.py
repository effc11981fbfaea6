"""Paths: what may not be reached, ends nowhere, goes round, sounds too early or reads what was never set."""

from __future__ import annotations

import pytest

from engine.dialplan.reader import read_site
from tests.dialplan.site import BASE, STOCK, codes_of, lines

DECIDE = "when: [{if: access.kind = public, then: other}]"


def plan(*steps: str, head: str = "", **flows: tuple[str, ...]) -> str:
    text = ["ringdown: 1", *([head] if head else []), "flows:", "  main:", *(f"    - {each}" for each in steps)]
    for name, more in flows.items():
        text += [f"  {name}:", *(f"    - {each}" for each in more)]
    return lines(*text)


BYE = ("hangup: served",)


@pytest.mark.parametrize(
    "text",
    [
        plan("answer", "goto: bye", bye=BYE),
        # a loop with input on the way is no endless loop
        plan("answer", "menu: {prompt: hello, choices: {1: main, star: again}, failed: bye}", bye=BYE),
        plan("answer", "gather: {into: x, prompt: hello, failed: bye}", "say: $x", "goto: main",
             head="variables: {x: digits 2}", bye=BYE),
        plan("answer", "queue: {name: support, full: bye, no_agents: bye, timeout: main}", "goto: bye", bye=BYE),
        # the loop passes a subflow that listens
        plan("answer", "subflow: ask", "goto: main",
             ask=("gather: {into: x, prompt: hello, failed: bye}", "tag: $x", "return"),
             head="variables: {x: digits 2}", bye=BYE),
        # a dialled call that was answered may be spoken to
        plan("dial: {to: 200, failed: bye}", "play: hello", "hangup", bye=BYE),
        # set on both ways
        plan("answer", "when: [{if: access.kind = public, then: other}, {else: third}]",
             head="variables: {x: digits 2}", other=("set: {x: 12}", "goto: last"),
             third=("set: {x: 34}", "goto: last"), last=("tag: $x", "hangup")),
        # known() makes it known
        plan("when: [{if: known(x), then: other}]", "reject: 480", head="variables: {x: digits 2}",
             other=("tag: $x", "reject: 480")),
        # and so does the left side of and, or on the right one
        plan("when: [{if: known(x) and x = 12 or access.kind = public, then: other}]", "reject: 480",
             head="variables: {x: digits 2}", other=("reject: 480",)),
        plan("when: [{if: not known(x) or x = 12, then: other}]", "reject: 480", head="variables: {x: digits 2}",
             other=("reject: 480",)),
        # a subflow that always sets it
        plan("subflow: fill", "tag: $x", "reject: 480", head="variables: {x: digits 2}",
             fill=("set: {x: 12}", "return")),
        plan("subflow: {flow: fill, into: x}", "tag: $x", "reject: 480", head="variables: {x: digits}",
             fill=("return: 12",)),
        # one subflow used twice is not a loop
        plan("subflow: note", "subflow: note", "reject: 480", note=("tag: here",)),
        plan("answer", "echo"),
        plan("answer", "music"),
    ],
)  # fmt: skip
def test_good_paths_give_nothing(text: str) -> None:
    assert codes_of(text) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (plan("answer", "play: hello", "goto: main"), [("RD051", 4)]),
        (plan("answer", DECIDE, "goto: main", other=("goto: main",)), [("RD051", 4)]),
        (plan("answer", "subflow: talk", "goto: main", talk=("play: hello",)), [("RD051", 4)]),
        (plan("answer", "queue: {name: support, full: main, no_agents: bye, timeout: bye}", "goto: bye", bye=BYE),
         [("RD051", 4)]),
        (plan("dial: {to: 200, failed: main}", "hangup"), [("RD051", 4)]),
        (plan("answer", "play: hello"), [("RD053", 5)]),
        (plan("answer", DECIDE, other=BYE), [("RD053", 5)]),
        (plan("answer", "music: 3s"), [("RD053", 5)]),
        (plan("answer", "echo", "hangup"), [("RD054", 6)]),
        (plan("answer", "hangup", lost=BYE), [("RD050", 6)]),
        (plan("when: [{if: access.kind = public, then: other}]", "play: hello", "hangup", other=("reject: 480",)),
         [("RD055", 5)]),
        (plan("queue: {name: support, full: bye, no_agents: bye, timeout: bye}", "hangup", bye=BYE), [("RD055", 4)]),
        (plan("subflow: talk", "reject: 480", talk=("play: hello", "return")), [("RD055", 7)]),
        (plan("when: [{if: access.kind = public, then: other}]", "goto: last", head="variables: {x: digits 2}",
              other=("set: {x: 12}", "goto: last"), last=("tag: $x", "reject: 480")), [("RD072", 11)]),
        (plan("answer", "gather: {into: x, prompt: hello, failed: other}", "tag: $x", "hangup",
              head="variables: {x: digits 2}", other=("tag: $x", "hangup")), [("RD072", 10)]),
        (plan("subflow: fill", "tag: $x", "reject: 480", head="variables: {x: digits 2}",
              fill=("when: [{if: access.kind = public, then: nothing}]", "set: {x: 12}", "return"),
              nothing=("return",)), [("RD072", 6)]),
        (plan("subflow: a", "reject: 480", a=("subflow: b",), b=("subflow: a",)), [("RD058", 7), ("RD058", 9)]),
        (plan("when: [{if: access.kind = public, then: other}]", "return", other=("reject: 480",)), [("RD059", 5)]),
        (plan("answer", "hangup", head="finally: last",
              last=("menu: {prompt: hello, choices: {1: last}, failed: continue}",)),
         [("RD060", 8)]),
    ],
)  # fmt: skip
def test_bad_paths(text: str, found: list[tuple[str, int]]) -> None:
    assert codes_of(text) == found


@pytest.mark.parametrize(
    ("condition", "columns"),
    [
        ("known(x) or x = 12", [31]), ("known(x) and x = 12 or x = 34", [42]), ("x = 12 and known(x)", [19]),
        ("not known(x) and x = 12", [36]), ("known(y) and x = y", [32]),
    ],
)  # fmt: skip
def test_a_read_that_nothing_before_it_has_tested_is_told_at_its_column(condition: str, columns: list[int]) -> None:
    text = plan(f"when: [{{if: {condition}, then: other}}]", "reject: 480",
                head="variables: {x: digits 2, y: digits 2}", other=("tag: $y", "reject: 480"))  # fmt: skip
    _, findings = read_site({**BASE, "dialplans/main.yaml": text.encode()}, STOCK)
    assert [each.column for each in findings if each.code == "RD072" and each.line == 5] == columns


def test_always_and_rescue_are_entered_from_anywhere() -> None:
    text = plan("answer", "menu: {prompt: hello, choices: {1: bye}, failed: bye}", "goto: bye",
                head="variables: {x: digits 2}\nalways: {0: person}\nrescue: person", bye=("set: {x: 12}", "hangup"),
                person=("tag: $x", "hangup"))  # fmt: skip
    assert codes_of(text) == [("RD054", 9), ("RD072", 14)]


def test_flows_of_other_files() -> None:
    other = lines(
        "ringdown: 1",
        "variables: {pin: digits 4}",
        "flows:",
        "  main:",
        "    - hangup",
        "  verify:",
        "    - gather: {into: pin, prompt: hello, failed: wrong}",
        "    - when:",
        "        - if: pin = 1234",
        "          then:",
        "            - return: yes",
        "    - return: no",
        "  wrong:",
        "    - hangup: failed",
    )
    text = plan("answer", "subflow: {flow: identity.verify, into: fine}", "when: [{if: fine, then: bye}]", "goto: bye",
                head="variables: {fine: flag}", bye=BYE)  # fmt: skip
    # in its own file nobody leads to verify, but another file does
    assert codes_of(text, dialplans__identity=other) == []
    assert codes_of(text.replace("identity.verify", "identity.verfy"), dialplans__identity=other)[0] == ("RD031", 6)
    clash = text.replace("{fine: flag}", "{fine: flag, pin: number = 1}").replace("then: bye", "then: bye")
    assert ("RD070", 2) in codes_of(clash, dialplans__identity=other)


def test_a_flow_that_a_season_enters_begins_unanswered_and_one_of_a_number_may() -> None:
    """What earlier versions took stays valid; both may reject."""
    plan = b"ringdown: 1\nflows:\n  main:\n    - reject: 480\n  late:\n    - play: hello\n    - hangup: served\n"
    number = b"{dialplan: main, entry: late}"
    season = b"\n    dialplan: main\n    seasons: [{flow: late, from: 2026-01-01}]"
    for form, sounding in ((number, []), (season, [("RD055", 6)])):
        site = b"ringdown: 1\nlanguages: [en]\nnumbers:\n  100: " + form + b"\n"
        for text, expected in ((plan, sounding), (plan.replace(b"play: hello", b"reject: 486", 1), [])):
            text = text.replace(b"486\n    - hangup: served", b"486")
            _, findings = read_site({**BASE, "site.yaml": site, "dialplans/main.yaml": text}, STOCK)
            assert [(each.code, each.line) for each in findings] == expected
