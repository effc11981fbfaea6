"""Menus and gathers: codes, lengths, keys that clash."""

from __future__ import annotations

import pytest

from tests.dialplan.site import codes_of, lines, second_step, site_of


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
    made = second_step(text, head=f"variables: {{x: {type_}}}\n")
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
