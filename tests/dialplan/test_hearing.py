"""The shortest way to a finding: the keys are checked by pressing them."""

from __future__ import annotations

import shlex

from engine.dialplan.actions import Collect, Digit, PlayPrompts, TimerFired
from engine.dialplan.findings import Finding
from engine.dialplan.reader import read_site
from tests.dialplan.site import STOCK, Caller, files_with, site_of
from tests.dialplan.test_analysis import plan
from tests.dialplan.test_ways import unit as unit_of

BYE = ("play: goodbye", "hangup: served")
MENU = "menu: {prompt: choose, choices: {1: %s, 2: %s}, failed: bye}"


def heard(text: str, code: str, **more: str) -> str:
    changes = {"dialplans/main.yaml": text, **{path.replace("__", "/") + ".yaml": t for path, t in more.items()}}
    findings = read_site(files_with(changes), STOCK)[1]
    return next(each.hear for each in findings if each.code == code)


def test_keys_that_lead_there() -> None:
    text = plan("answer", MENU % ("one", "bye"), one=(MENU % ("bye", "two"),), two=("queue: suport", "hangup"), bye=BYE)
    assert heard(text, "RD052") == "ringdown try main --keys '1 2'"
    text = text.replace("queue: suport", "queue: {name: suport, full: bye, no_agents: bye, timeout: bye}")
    assert heard(text, "RD032") == "ringdown try main --keys '1 2'"


def test_saying_nothing_leads_there_too() -> None:
    text = plan("answer", "menu: {prompt: choose, tries: 2, choices: {1: one}, failed: two}",
                one=("dial: {to: 200, failed: bye}", "hangup"), two=("play: nothing", "hangup"), bye=BYE)  # fmt: skip
    assert heard(text, "RD033") == "ringdown try main --keys '_ _'"
    lost = plan("answer", "menu: {prompt: choose, tries: 2, choices: {1: bye}}", bye=BYE)
    assert heard(lost, "RD052") == "ringdown try main --keys '_ _'"


def test_digits_are_typed_with_their_end() -> None:
    for kind, typed in (("digits 4", "1234"), ("digits 4..8", "1234#"), ("digits 1", "2"), ("number", "2#")):
        text = plan("answer", "gather: {into: code, prompt: choose, failed: bye}", "play: nothing", "tag: $code",
                    "hangup", head=f"variables: {{code: {kind}}}\nalways: {{1: bye}}", bye=BYE)  # fmt: skip
        assert heard(text, "RD033") == f"ringdown try main --keys '{typed}'"


def test_a_way_without_conditions_is_preferred_to_a_short_one() -> None:
    text = plan("answer", "when: [{if: access.kind = agent, then: last}]", "play: hello", MENU % ("last", "bye"),
                last=("play: nothing", "hangup"), bye=BYE)  # fmt: skip
    # both ways pass the condition: not agent and a key, or agent
    assert heard(text, "RD033") == "ringdown try main   (if access.kind = agent)"
    text = plan("answer", MENU % ("direct", "last"),
                direct=("when: [{if: access.kind = agent, then: last}]", "goto: bye"),
                last=(MENU % ("bye", "end"),), end=("play: nothing", "hangup"), bye=BYE)  # fmt: skip
    assert heard(text, "RD033") == "ringdown try main --keys '2 2'"


def test_subflows_are_passed_with_their_keys() -> None:
    text = plan("answer", "subflow: ask", "subflow: {flow: ask}", "play: nothing", "hangup",
                ask=(MENU % ("again", "well"),), well=("return",), bye=BYE)  # fmt: skip
    assert heard(text, "RD033") == "ringdown try main --keys '2 2'"
    inside = plan("answer", "subflow: ask", "hangup", ask=(MENU % ("again", "well"),), well=("play: nothing",), bye=BYE)
    assert heard(inside, "RD033") == "ringdown try main --keys '2'"
    # a subflow that only comes back by way of itself has no way through
    never = plan("answer", "subflow: ask", "play: nothing", "hangup", ask=("subflow: ask", "return"))
    assert heard(never, "RD033") == ""


def test_what_no_key_decides_is_said() -> None:
    queue = "queue: {name: support, full: last, no_agents: bye, timeout: bye}"
    text = plan("answer", queue, "hangup", last=("play: nothing", "hangup"), bye=BYE)
    assert heard(text, "RD033") == "ringdown try main   (queue support: full)"
    text = plan("answer", queue, "play: nothing", "hangup", last=("hangup",), bye=BYE)
    assert heard(text, "RD033") == "ringdown try main --keys 'answer bye' --agents 'support: 1'"
    text = plan("answer", "dial: {to: 200, failed: bye, busy: last}", "hangup", last=("play: nothing",), bye=BYE)
    assert heard(text, "RD033") == "ringdown try main   (dial: busy)"
    text = plan("answer", "switch: {value: tier, cases: {gold: last}, else: bye}",
                head="variables: {tier: choice a gold = a}", last=("play: nothing",), bye=BYE)  # fmt: skip
    assert heard(text, "RD033") == "ringdown try main   (tier = gold)"


def test_a_finding_in_a_list_is_found_there_and_its_menu_before() -> None:
    text = (
        "ringdown: 1\nflows:\n  main:\n    - answer\n    - menu:\n        prompt: choose\n        choices:\n"
        "          1:\n            - play: hello\n          2: nowhere\n          3:\n            - play: nothing\n"
        "        failed: bye\n    - hangup\n  bye:\n    - hangup\n"
    )
    assert heard(text, "RD031") == "ringdown try main"
    assert heard(text, "RD033") == "ringdown try main --keys '3'"


def test_a_text_without_recording_is_heard_where_it_is_played() -> None:
    text = plan("answer", MENU % ("one", "bye"), one=("play: [hello, later]", "hangup"), head="always: {0: person}",
                person=("dial: {to: 200, failed: bye}", "hangup"), bye=BYE)  # fmt: skip
    words = "hello: Hello.\nchoose: Choose now.\nlater: Call later.\nnever: Not heard.\n"
    assert heard(text, "RD091", prompts__en=words) == "ringdown try main --keys '1'"
    text = text.replace("hello, later", "hello")
    assert heard(text, "RD091", prompts__en=words) == ""


def test_a_wait_list_is_heard_in_its_queue() -> None:
    queue = "queue: {name: support, waiting: hold, full: bye, no_agents: bye, timeout: bye}"
    text = plan("answer", MENU % ("bye", "wait"), wait=(queue, "hangup"), bye=("play: goodbye", "hangup"))
    waits = "waits:\n  hold:\n    - play: nothing\n    - music: 40s\n"
    assert heard(text + waits, "RD033") == "ringdown try main --keys '2'"


def test_entries_of_numbers_and_other_tenants() -> None:
    text = plan("answer", "hangup", other=("answer", "play: nothing", "hangup"))
    site = "ringdown: 1\nlanguages: [en]\nnumbers: {100: main, 101: {dialplan: main, entry: other}}\n"
    assert heard(text, "RD033", site=site) == "ringdown try 101"
    press = {"tenants__press__tenant": "name: Press\n", "tenants__press__dialplans__front": text}
    site = "ringdown: 1\nlanguages: [en]\nnumbers: {100: {dialplan: press/front, entry: other}}\n"
    good = plan("answer", "hangup")
    assert heard(good, "RD033", site=site, **press) == "ringdown try 100"


def test_no_way_no_command() -> None:
    text = plan("answer", "hangup", other=("play: nothing", "hangup"))
    assert heard(text, "RD033") == ""
    assert heard(text.replace("nothing", "hello"), "RD050") == ""


def test_a_long_way_ends_in_a_bounded_command() -> None:
    conditions = tuple(f"when: [{{if: access.kind = agent, then: l{n + 1}}}]" for n in range(6))
    flows = {f"l{n}": (conditions[n], "hangup") for n in range(1, 6)}
    text = plan(conditions[0], "hangup", l6=("play: nothing", "hangup"), **flows)
    assert heard(text, "RD033") == "ringdown try main   (if access.kind = agent)"
    deep = plan("answer", "subflow: s0", "play: nothing", "hangup",
                **{f"s{n}": (f"subflow: s{n + 1}", "return") for n in range(300)}, s300=("return",))  # fmt: skip
    assert heard(deep, "RD033") == ""  # deeper than is looked through, and not a fault


def test_the_keys_of_a_command_bring_a_caller_there() -> None:
    text = plan("answer", "subflow: ask", MENU % ("bye", "one"),
                ask=("gather: {into: code, prompt: hello, failed: bye}", "tag: $code"),
                one=("menu: {prompt: choose, tries: 2, choices: {1: bye}, failed: last}",),
                last=("play: PROMPT", "hangup: served"),
                bye=("play: goodbye", "dial: {to: 200, failed: end}", "goto: end"), end=("hangup: served",),
                head="variables: {code: digits 4..6}")  # fmt: skip
    command = heard(text.replace("PROMPT", "nothing"), "RD033")
    assert command == "ringdown try main --keys '1234# 2 _ _'"
    caller = Caller(site_of(text.replace("PROMPT", "thank_you")))
    caller.answered()
    for token in shlex.split(command)[-1].split():
        while caller.run.waiting == "play":
            caller.played()
        for key in token.replace("_", ""):
            caller.tell(Digit(key))
        if token == "_":
            while caller.run.waiting not in ("digits",):
                caller.played()
            caller.tell(TimerFired(caller.run.ticket))
    said = [each for each in caller.all if isinstance(each, PlayPrompts)]
    assert "en/thank_you" in said[-1].clips
    assert any(isinstance(each, Collect) for each in caller.all)


def test_places_of_a_unit() -> None:
    from engine.dialplan.hearing import Plan

    found = Plan(unit_of(), [("main", "main")])
    assert found.node_at("main.yaml", 7, 7) == ("main", 1)
    assert found.node_at("main.yaml", 11, 15) == ("main#1", 0)
    assert found.node_at("main.yaml", 999, 1) is None
    assert found.command(Finding("RD050", "warning", "main.yaml", 14, 9, "")) == "ringdown try main --keys '1'"
