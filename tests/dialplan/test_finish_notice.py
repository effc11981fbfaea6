"""A notice has the words of a prompt of its name, in the languages that have it; without one it waits for words."""

from __future__ import annotations

from tests.dialplan.site import second_step


def test_its_prompt_and_none() -> None:
    known = second_step("    - notice: hello\n")
    assert known.data == {"name": "default/hello", "prompt": {"en": ["en/hello"]}}
    assert second_step("    - notice: storm\n").data == {"name": "default/storm"}
