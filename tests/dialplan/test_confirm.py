"""confirm, greet and regex of menu and gather: what is asked back, said first, and refused."""

from __future__ import annotations

import pytest

from engine.dialplan.actions import Digit, Hangup, PlayPrompts, TimerFired
from tests.dialplan.site import Caller, codes_of, lines, site_of

PROMPTS = {"prompts__en": "hello: Hello.\nchoose: Choose now.\nright: You typed $code, press 1 or 2.\nback: Again.\n"}
TYPED = ("en/digits/1", "en/digits/2", "en/digits/3")


def text(*options: str, kind: str = "digits 2..4", verb: str = "gather") -> str:
    own = ["into: code"] if verb == "gather" else ["choices: {1: one, 23: two, star: again}"]
    return lines(
        "ringdown: 1", "variables:", f"  code: {kind}", "always: {0: person}", "flows:", "  main:", "    - answer",
        f"    - {verb}:",
        *(f"        {each}" for each in (*own, "prompt: choose", "tries: 3", "failed: bad", *options)),
        "    - when: [{if: known(code), then: known}]", "    - hangup: unknown", "  known:", "    - hangup: known",
        "  one:", "    - goto: main", "  two:", "    - hangup: two", "  person:", "    - hangup: person",
        "  bad:", "    - when: [{if: known(code), then: known}]", "    - hangup: bad",
    )  # fmt: skip


def called(*options: str, before: str = "", **more: str) -> Caller:
    caller = Caller(site_of(text(*options, **more), **PROMPTS))
    for key in before:
        caller.tell(Digit(key))
    caller.answered()
    return caller


def errors(dialplan: str) -> list[tuple[str, int]]:
    return [each for each in codes_of(dialplan, **PROMPTS) if each[0] not in ("RD050", "RD091", "RD094")]


def press(caller: Caller, keys: str) -> None:
    for key in keys:
        caller.tell(Digit(key))


def heard(caller: Caller) -> tuple[str, ...]:
    found = caller.one(PlayPrompts)
    assert isinstance(found, PlayPrompts)
    return tuple(clip for clip in found.clips if "#" not in clip)


def outcome(caller: Caller) -> str:
    found = caller.one(Hangup)
    assert isinstance(found, Hangup)
    return found.outcome


# --- confirm ------------------------------------------------------------------------------------------------
def test_what_was_typed_is_said_and_confirmed_by_one() -> None:
    caller = called("confirm: right")
    press(caller, "123#")
    assert heard(caller) == TYPED
    press(caller, "1")
    assert outcome(caller) == "known" and caller.run.variables["code"] == "123"
    assert caller.notes("set") == ["code=123"] and not caller.run.scratch.get("confirming")


def test_two_asks_again_and_the_first_number_is_forgotten() -> None:
    caller = called("confirm: right", "again: hello", "invalid: back")
    press(caller, "123#2")
    assert heard(caller) == ("en/hello",) and "code" not in caller.run.variables
    press(caller, "45#1")
    assert outcome(caller) == "known" and caller.run.variables["code"] == "45"


def test_silence_and_other_keys_ask_once_more_and_cost_tries() -> None:
    caller = called("confirm: right")
    press(caller, "123#")
    caller.played()
    caller.tell(TimerFired(caller.run.ticket))
    assert heard(caller) == TYPED
    press(caller, "7")
    assert heard(caller) == TYPED
    press(caller, "#")
    assert outcome(caller) == "bad" and "code" not in caller.run.variables


def test_a_number_rejected_is_what_it_was_before() -> None:
    caller = called("confirm: right", kind="digits 2..4 = 99")
    press(caller, "123#2")
    assert caller.run.variables["code"] == "99"
    press(caller, "45#0")
    assert outcome(caller) == "person" and caller.run.variables["code"] == "99"


def test_an_answer_typed_ahead_is_not_asked_for() -> None:
    caller = called("confirm: right", before="123#1")
    assert outcome(caller) == "known" and caller.kinds().count("PlayPrompts") == 0
    caller = called("confirm: right", "type_ahead: no", before="123#1")
    assert heard(caller) == ("en/choose",)


def test_a_menu_asks_back_too_but_not_for_again() -> None:
    caller = called("confirm: hello", verb="menu")
    press(caller, "*")
    assert heard(caller) == ("en/choose",)
    press(caller, "23")
    assert heard(caller) == ("en/hello",)
    press(caller, "2")
    assert heard(caller) == ("en/choose",)
    press(caller, "231")
    assert outcome(caller) == "two"


def test_a_sensitive_number_is_not_said() -> None:
    assert [each[0] for each in errors(text("confirm: right", kind="digits 2..4 sensitive"))] == ["RD079"]


def test_the_question_may_speak_what_the_prompt_may_not() -> None:
    assert errors(text("confirm: right")) == []
    assert [each[0] for each in errors(text("confirm: right", "again: right"))] == ["RD072", "RD072"]


def test_a_waiting_caller_is_asked_nothing_back() -> None:
    plan = text().replace("flows:", "waits:\n  hold:\n    - menu: {prompt: hello, confirm: hello, choices: {1: bad},"
                          " failed: continue}\nflows:")  # fmt: skip
    queue = "queue: {name: support, waiting: hold, full: bad, no_agents: bad, timeout: bad}\n    - hangup: x"
    plan = plan.replace("hangup: unknown", queue)
    assert errors(plan) == [("RD060", 7)]


# --- greet ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("greet", "first", "later"),
    [
        ("hello", ("en/hello", "en/choose"), ("en/choose",)),
        ("{long: hello, short: back}", ("en/hello", "en/choose"), ("en/back", "en/choose")),
        ("{long: [hello, back]}", ("en/hello", "en/back", "en/choose"), ("en/choose",)),
    ],
)
def test_the_long_greeting_comes_once(greet: str, first: tuple[str, ...], later: tuple[str, ...]) -> None:
    caller = called(f"greet: {greet}", verb="menu")
    assert heard(caller) == first
    press(caller, "9")
    assert heard(caller)[-1] == "en/choose" and not {"en/hello", "en/back"} & set(heard(caller))
    press(caller, "*")
    assert heard(caller) == later
    press(caller, "1")
    assert heard(caller) == later


def test_who_types_ahead_is_not_greeted() -> None:
    caller = called("greet: hello", verb="menu", before="9")
    assert "en/hello" not in heard(caller)


@pytest.mark.parametrize(("greet", "code"), [("{short: back}", "RD022"), ("{long: hello, loud: x}", "RD021")])
def test_a_greeting_that_is_not_understood(greet: str, code: str) -> None:
    assert [each for each, _ in errors(text(f"greet: {greet}", verb="menu"))] == [code]


# --- regex -------------------------------------------------------------------------------------------------------
def test_digits_that_do_not_fit_are_invalid() -> None:
    caller = called("regex: '[1-9]x|77.'", "invalid: back")
    press(caller, "05#")
    assert heard(caller) == ("en/back", "en/choose")
    press(caller, "778#")
    assert outcome(caller) == "known" and caller.run.variables["code"] == "778"


def test_silence_after_enough_digits_looks_at_the_pattern_too() -> None:
    caller = called("regex: '[1-9]x'")
    press(caller, "05")
    caller.tell(TimerFired(caller.run.ticket))
    assert caller.run.tries == 2


@pytest.mark.parametrize(
    ("regex", "code"), [("'^1'", "RD147"), ("'(x+)+('", "RD147"), ("x", "RD075"), ("'x{5}'", "RD075")]
)
def test_a_pattern_that_cannot_be(regex: str, code: str) -> None:
    assert errors(text(f"regex: {regex}")) == [(code, 13)]
