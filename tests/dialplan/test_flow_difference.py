"""Two dialplans, step by step."""

from __future__ import annotations

import pytest

from engine.dialplan.flow_difference import duration, instead, program_changes, prompt_names, reached, shown
from tests.dialplan.site import site_of

HEAD = "ringdown: 1\n"
MAIN = "  main:\n    - answer\n    - hangup: served\n"
WAIT = "  on_hold:\n    - play: hello\n    - music: 20s\n"
QUEUED = (
    "  main:\n    - answer\n"
    "    - queue: {name: support, waiting: on_hold, full: gone, no_agents: gone, timeout: gone}\n"
    "    - hangup: served\n  gone:\n    - hangup: failed\n"
)


def told(old: str, new: str, where: str = "") -> list[str]:
    before, after = (site_of(text).programs["default/main"] for text in (old, new))
    return program_changes(before, after, where)


@pytest.mark.parametrize(("ms", "text"), [(0, "0 s"), (500, "0.5 s"), (25_000, "25 s"), (90_000, "90 s"),
                                          (120_000, "2 min"), (3_600_000, "1 h")])  # fmt: skip
def test_durations(ms: int, text: str) -> None:
    assert duration(ms) == text


def test_values() -> None:
    assert [shown(each) for each in (True, 3, "", (), ("a", "b"), {"a": 1})] == [
        "yes", "3", "nothing", "nothing", "a, b", "",
    ]  # fmt: skip
    assert instead("1", "2") == "1 instead of 2" and instead("", "2") == "changed"
    assert prompt_names(["press:en/heard#1", ["variable", "x", "digits"], "press:en/heard#2"]) == ["heard"]


def test_variables_always_and_ends() -> None:
    tail = "flows:\n" + MAIN + "  person:\n    - hangup: person\n"
    old = HEAD + "variables: {a: digits 4, b: text}\nalways: {0: person}\n" + tail
    new = HEAD + "variables: {a: digits 5, c: number}\nfinally: other\n"
    new += tail.replace("person:\n    - hangup: person", "other:\n    - tag: over")
    found = told(old, new, "shop")
    assert "shop: key 0, always live, is not live any more (was: person)" in found
    assert "shop: rescue is no flow instead of person" in found and "shop: finally is other instead of no flow" in found
    assert "shop: the variable b is gone" in found and "shop: new variable c: number" in found
    assert "shop: the variable a is declared otherwise: digits 5 instead of digits 4" in found
    assert "shop: the flow person is gone" in found


def test_wait_lists() -> None:
    old = HEAD + "flows:\n" + QUEUED + "waits:\n" + WAIT
    assert told(old, old.replace("music: 20s", "music: 40s")) == [
        "wait list on_hold: flow on_hold: music has for 40 s instead of 20 s"
    ]
    assert told(HEAD + "flows:\n" + MAIN, HEAD + "flows:\n" + QUEUED + "waits:\n" + WAIT)[-1] == "new wait list on_hold"


def test_conditions_goto_and_subflow() -> None:
    old = HEAD + (
        "variables: {a: number = 1}\nflows:\n  main:\n    - answer\n    - when:\n        - {if: a = 1, then: one}\n"
        "    - subflow: greet\n    - goto: one\n  one:\n    - hangup: served\n  two:\n    - hangup: served\n"
        "  greet:\n    - play: hello\n  meet:\n    - play: choose\n"
    )
    assert told(old, old.replace("if: a = 1", "if: a = 2")) == ["flow main: a condition of when is another one"]
    found = told(old, old.replace("goto: one", "goto: two").replace("subflow: greet", "subflow: meet"))
    assert "the end of flow main now leads to two (was: one)" in found
    assert "the subflow meet now leads to meet (was: greet)" in found


def test_a_verb_in_place_of_another() -> None:
    old = HEAD + "flows:\n  main:\n    - answer\n    - play: hello\n    - hangup: served\n"
    assert told(old, old.replace("play: hello", "tag: hello")) == [
        "flow main: tag(hello) instead of play(hello)"
    ]


def test_what_is_reached() -> None:
    text = HEAD + "rescue: late\nflows:\n" + QUEUED + "  late:\n    - play: hello\n    - hangup: x\n"
    text += "  never:\n    - play: choose\n    - hangup: x\nwaits:\n" + WAIT
    program = site_of(text).programs["default/main"]
    heard: list[str] = []
    assert reached(program, "", heard.append) == ["late", "main", "gone"]
    assert "en/hello" in heard and "default/support" in heard and "en/choose" not in heard
