"""surveys.yaml: questions, the keys that answer them, and what is wrong with them."""

from __future__ import annotations

import pytest

from tests.dialplan.site import codes_of, second_step

PLAN = "ringdown: 1\nflows:\n  main:\n    - answer\n    - survey: after\n    - hangup: served\n"


def test_questions_keep_their_order_and_keys() -> None:
    text = "after:\n  intro: hello\n  questions:\n    b: {prompt: choose, keys: 1-3}\n"
    text += "    a: {prompt: hello, keys: [9, star]}\n    c: {prompt: choose}\n  tries: 3\n"
    step = second_step("    - survey: after\n", surveys=text)
    asked = [(name, keys) for name, _, keys in step.data["questions"]]
    assert asked == [("b", "123"), ("a", "9*"), ("c", "12345")]
    assert step.data["questions"][0][1] == {"en": ["en/choose"]}
    assert (step.data["timeout"], step.data["tries"], step.data["intro"]) == (5_000, 3, {"en": ["en/hello"]})


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("after:\n  questions:\n    a: {prompt: nobody}", "RD033"),
        ("after:\n  questions:\n    a: {keys: 1-5}", "RD022"),
        ("after:\n  questions:\n    a: {prompt: hello, keys: 5-1}", "RD063"),
        ("after:\n  questions:\n    a: {prompt: hello, keys: [12]}", "RD063"),
        ("after: {intro: hello}", "RD022"),
        ("after: {question: hello}", "RD021"),
        ("after: 5", "RD023"),
        ("after:\n  questions:\n" + "".join(f"    q{n}: {{prompt: hello}}\n" for n in range(11)), "RD024"),
    ],
)
def test_what_is_wrong_is_told(text: str, code: str) -> None:
    assert code in [found for found, _ in codes_of(PLAN, surveys=text + "\n")]
