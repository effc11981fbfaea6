from __future__ import annotations

from engine.dialplan.trace import path_of, step_id
from tests.dialplan.site import lines, site_of


def test_ids_name_flow_verb_and_object() -> None:
    site = site_of(
        lines(
            "ringdown: 1",
            "flows:",
            "  main:",
            "    - answer",
            "    - play: [hello, choose]",
            "    - play: hello",
            "    - menu:",
            "        prompt: choose",
            "        choices:",
            "          1:",
            "            - play: hello",
            "        failed: continue",
            "    - hangup: served",
        )
    )
    flows = site.programs["default/main"].flows
    assert [step.id for step in flows["main"]] == [
        "main/answer",
        "main/play(hello)",
        "main/play(hello).2",
        "main/menu(choose)",
        "main/hangup(served)",
    ]
    # a list carries its flow's name, so that inserting a step elsewhere changes no id
    assert [step.id for step in flows["main#1"]] == ["main/play(hello).3"]
    assert flows["main#1"][0].place == "dialplans/main.yaml:11:15"


def test_ids_are_short() -> None:
    assert step_id("main", "answer", None) == "main/answer"
    from engine.marks import Scalar

    long = step_id("main", "tag", Scalar("word " * 40, "f", 1, 1))
    assert len(long) < 60


def test_a_path_says_repeated_steps_once() -> None:
    notes = [("step", "a"), ("step", "a"), ("set", "a"), ("step", "b"), ("step", "a")]
    assert path_of(notes) == ["a", "b", "a"]
