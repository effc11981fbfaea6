"""The rules of greetings, patterns and lookups: data as linked, and the mistakes of their shape."""

from __future__ import annotations

from tests.dialplan.site import codes_of, second_step

MENU = "    - menu: {prompt: choose, choices: {1: bye}, failed: bye, %s}\n    - goto: bye\n  bye:\n"


def test_a_greeting_is_a_pair() -> None:
    assert second_step(MENU % "greet: hello").data["greet"] == [{"en": ["en/hello"]}, None]
    both = second_step(MENU % "greet: {long: hello, short: choose}").data["greet"]
    assert both == [{"en": ["en/hello"]}, {"en": ["en/choose"]}]


def plan(step: str) -> str:
    return f"ringdown: 1\nvariables: {{n: digits 3}}\nflows:\n  main:\n    - answer\n{step}    - hangup: served\n"


def test_a_pattern_stays_the_text_that_it_is() -> None:
    gather = "    - gather: {into: n, prompt: choose, regex: '1x[2-4]', failed: bye}\n    - goto: bye\n  bye:\n"
    assert second_step(gather, head="variables: {n: digits 3}\n").data["regex"] == "1x[2-4]"
    assert ("RD023", 6) in codes_of(plan("    - gather: {into: n, prompt: choose, regex: [1], failed: main}\n"))


def test_a_lookup_is_named_not_computed() -> None:
    assert codes_of(plan("    - lookup: {name: $n, failed: main}\n"))[0] == ("RD077", 6)
    assert codes_of(plan("    - lookup: {name: [a], failed: main}\n"))[0] == ("RD023", 6)
