"""An `ask` stands for its question, one gather for each slot, and a last step that says it all back."""

from __future__ import annotations

from engine.dialplan import ask_reader
from tests.dialplan.site import codes_of, site_of
from tests.dialplan.test_ask import PLAN, TEXTS


def test_the_steps_that_follow() -> None:
    steps = site_of(PLAN, prompts__en=TEXTS).programs["default/main"].flows["main"]
    assert [step.verb for step in steps] == ["answer", "ask", "gather", "gather", "asked", "tag", "hangup"]
    ask, who, day, asked = steps[1:5]
    assert ask.data["names"] == asked.data["names"] == ["who", "day"]
    assert "confirm" not in ask.data and "confirm" in asked.data
    assert who.data["missing"] and who.data["no_match"] == ask.data["no_match"] and who.data["person"] == "desk"
    assert (day.data["keyed"], day.data["into"], day.outs["failed"]) == ("ddmm", "day", "desk")
    assert len({step.id for step in steps}) == len(steps)


def test_without_words_that_say_it_back_there_is_no_last_step() -> None:
    plan = PLAN.replace("        confirm: all\n", "").replace("        heard: so\n", "")
    steps = site_of(plan, prompts__en=TEXTS).programs["default/main"].flows["main"]
    assert [step.verb for step in steps[1:4]] == ["ask", "gather", "gather"] and steps[4].verb == "tag"


def test_what_a_slot_cannot_have() -> None:
    def codes(old: str, new: str) -> list[str]:
        return [code for code, _ in codes_of(PLAN.replace(old, new, 1), prompts__en=TEXTS) if code != "RD091"]

    assert codes("keyed: ddmm", "into: who") == ["RD021"]
    assert "RD027" in codes("          day: {", "          Day: {")
    assert "RD023" in codes("          day: {prompt: which_day, keyed: ddmm}", "          day: which_day")
    many = "".join(f"          who{n}: {{prompt: hello}}\n" for n in range(ask_reader.SLOTS_MAX))
    assert "RD024" in codes("          who: {prompt: which_who}\n", "          who: {prompt: which_who}\n" + many)
