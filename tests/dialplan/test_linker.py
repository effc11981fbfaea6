"""What linked steps hold: defaults, lengths, keys, targets, other files' flows."""

from __future__ import annotations

import pytest

from engine.dialplan.program import Step
from tests.dialplan.site import codes_of, lines, site_of


def step(text: str, *, head: str = "", **more: str) -> Step:
    """The second step of a dialplan whose first is answer."""
    site = site_of(f"ringdown: 1\n{head}flows:\n  main:\n    - answer\n{text}    - hangup: served\n", **more)
    return site.programs["default/main"].flows["main"][1]


def test_a_menu_knows_its_codes_and_their_beginnings() -> None:
    site = site_of(
        lines(
            "ringdown: 1",
            "always: {0: other, 1: other}",
            "flows:",
            "  main:",
            "    - answer",
            "    - menu: {prompt: hello, choices: {1: main, 234: main, star: again, hash: continue}, failed: other}",
            "    - hangup: served",
            "  other:",
            "    - hangup: other",
        )
    )
    menu = site.programs["default/main"].flows["main"][1]
    assert menu.outs == {"failed": "other", "1": "main", "234": "main", "*": "again", "#": ""}
    # a choice comes before a key that is always live
    assert menu.data["always"] == ["0"]
    assert menu.data["prefixes"] == ["2", "23"]
    assert (menu.data["timeout"], menu.data["inter_digit"], menu.data["tries"]) == (5_000, 3_000, 3)


@pytest.mark.parametrize(
    ("type_", "options", "low", "high"),
    [
        ("digits 4..6", "", 4, 6),
        ("digits 4..6", "exact: 5, ", 5, 5),
        ("digits", "", 1, 64),
        ("digits", "min: 3, ", 3, 64),
        ("digits 4..6", "max: 5, ", 4, 5),
        ("number", "", 1, 15),
        ("phone", "max: 11, ", 1, 11),
    ],
)
def test_a_gather_takes_its_lengths_from_the_type(type_: str, options: str, low: int, high: int) -> None:
    text = f"    - gather: {{into: x, {options}failed: continue}}\n"
    made = step(text, head=f"variables: {{x: {type_}}}\n")
    assert (made.data["min"], made.data["max"]) == (low, high)


@pytest.mark.parametrize("options", ["min: 5, max: 4, ", "exact: 4, max: 4, ", "exact: 9, ", "min: 2, "])
def test_lengths_that_contradict(options: str) -> None:
    text = "ringdown: 1\nvariables: {x: digits 4..6}\nflows:\n  main:\n    - answer\n" + (
        f"    - gather: {{into: x, {options}failed: continue}}\n    - hangup\n"
    )
    assert ("RD075", 6) in codes_of(text)


def test_always_keys_and_codes_may_not_clash() -> None:
    text = lines(
        "ringdown: 1",
        "always: {0: main}",
        "flows:",
        "  main:",
        "    - answer",
        "    - menu: {prompt: hello, choices: {1: main, 01: main}, failed: continue}",
        "    - hangup",
    )
    assert ("RD061", 6) in codes_of(text)


def test_rescue_is_the_person_by_default() -> None:
    head = "ringdown: 1\nalways: {0: person}\n"
    flows = "flows:\n  main:\n    - hangup\n  person:\n    - hangup: person\n  sorry:\n    - hangup: sorry\n"
    assert site_of(head + flows).programs["default/main"].rescue == "person"
    assert site_of(head + "rescue: sorry\n" + flows).programs["default/main"].rescue == "sorry"


def test_the_unhappy_ways_of_dial_go_where_failed_goes() -> None:
    made = step("    - dial: {to: 200, busy: other, failed: continue}\n    - goto: other\n  other:\n")
    assert made.outs == {"failed": "", "busy": "other", "no_answer": "", "rejected": ""}


def test_queues_speak_what_the_queue_says() -> None:
    made = step(
        "    - queue: {name: support, full: continue, no_agents: continue, timeout: continue}\n",
        queues="support: {announce: [hello, choose], position: 30s, music: [default], skills: [power]}\n",
    )
    data = made.data
    assert data["announce"] == {"en": ["en/hello", "en/choose"]}
    assert (data["position"], data["music"]) == (30_000, ["music/default"])


def test_switch_covers_flags_and_words() -> None:
    head = "ringdown: 1\nvariables: {a: flag = no, b: choice x y = x}\nflows:\n  main:\n"
    tail = "    - reject: 480\n"
    assert codes_of(head + "    - switch: {value: a, cases: {yes: continue, no: continue}}\n" + tail) == [("RD094", 2)]
    assert ("RD076", 5) in codes_of(head + "    - switch: {value: a, cases: {yes: continue}}\n" + tail)
    assert ("RD070", 5) in codes_of(head + "    - switch: {value: b, cases: {z: continue}, else: continue}\n" + tail)
    assert ("RD076", 5) in codes_of(head + "    - switch: {value: access.caller, cases: {a: continue}}\n" + tail)
