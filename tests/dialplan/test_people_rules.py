"""Option kinds of the people verbs."""

from __future__ import annotations

import pytest

from tests.dialplan.site import codes_of, second_step


def test_a_key_that_refuses_a_recording() -> None:
    step = second_step("    - record: {call: start, announce: hello, opt_out: star}\n")
    assert step.data["opt_out"] == "*" and step.data["announce_recording"] == {"en": ["en/hello"]}


def test_a_key_that_is_none_is_told() -> None:
    text = "ringdown: 1\nflows:\n  main:\n    - answer\n    - record: {call: start, announce: hello, opt_out: x}\n"
    assert ("RD063", 5) in codes_of(text + "    - hangup: served\n")


FOLLOW = """    - dial:
        steps:
          - {to: 200, ring: 15s}
          - {to: ['+4930', 200], confirm: hello}
        ring: 20s
        confirm: yes
        failed: continue
"""


def test_the_steps_of_a_dial_have_their_own_time_and_key() -> None:
    step = second_step(FOLLOW)
    asked = {"en": ["en/hello"]}
    assert step.data["steps"] == [[["agent/200"], 15_000, None], [["number/+4930", "agent/200"], 20_000, asked]]
    assert step.data["confirm"] is True


@pytest.mark.parametrize(
    ("steps", "code"),
    [
        ("steps: 200", "RD023"),
        ("steps: [{ring: 15s}]", "RD022"),
        ("steps: [{to: 999}]", "RD035"),
        ("steps: [{to: 200, whisper: hello}]", "RD021"),
        ("to: 200, confirm: perhaps", "RD033"),
        ("to: 200, steps: [{to: 200}]", "RD165"),
    ],
)
def test_what_is_wrong_with_a_dial_is_told(steps: str, code: str) -> None:
    keys = "".join(f"        {each}\n" for each in steps.split(", ")) if "{" not in steps else ""
    text = f"    - dial:\n{keys}        failed: continue\n" if keys else f"    - dial:\n{_block(steps)}"
    found = codes_of(f"ringdown: 1\nflows:\n  main:\n    - answer\n{text}    - hangup: served\n")
    assert code in [each for each, _ in found]


def _block(steps: str) -> str:
    """`to: …` and `steps: [{…}]` as indented lines."""
    head, _, inner = steps.partition("steps: ")
    own = f"        {head.rstrip(', ')}\n" if head else ""
    return f"{own}        steps:\n          - {inner.strip('[]')}\n        failed: continue\n"
