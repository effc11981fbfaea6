"""A dialplan as a chain of chances, against what can be worked out by hand."""

from __future__ import annotations

import pytest

from engine.dialplan.program import Program
from engine.sim.chain import OK, expected, menu_chances
from tests.sim.shows import site


def program() -> Program:
    return site().programs["default/main"]


def place(step: str) -> str:
    return next(each.place for steps in program().flows.values() for each in steps if each.id == step)


def test_a_menus_tries() -> None:
    found = menu_chances({"1": 0.5, "2": 0.3}, 2)
    assert found["1"] == pytest.approx(0.5 + 0.2 * 0.5) and found["failed"] == pytest.approx(0.04)
    assert sum(found.values()) == pytest.approx(1.0)


def test_by_hand() -> None:
    menu, gather, queue = place("main/menu(choose)"), place("enter/gather(ask_code)"), place("support/queue(support)")
    pin = place("enter/gather(ask_pin)")
    found = expected(program(), {
        menu: {"1": 0.2, "2": 0.3, "*": 0.4, "failed": 0.06, "always 0": 0.04}, gather: {OK: 0.9, "failed": 0.1},
        pin: {OK: 0.8, "always 0": 0.2}, queue: {OK: 0.5, "full": 0.5},
    })  # fmt: skip
    asked = 1 / (1 - 0.4)  # star says it again
    assert found.visits[menu] == pytest.approx(asked)
    assert found.ways[menu, "2"] == pytest.approx(0.3 * asked)
    assert found.visits[pin] == pytest.approx(0.3 * asked * 0.9)
    served = (0.2 + 0.04) * asked + 0.3 * asked * 0.9 * 0.2
    assert found.visits[queue] == pytest.approx(served)
    assert found.visits[place("bye/play(goodbye)")] == pytest.approx(
        0.06 * asked + 0.3 * asked * 0.1 + served * 0.5
    )  # fmt: skip
    ends = [each.place for steps in program().flows.values() for each in steps if each.verb == "hangup"]
    assert sum(found.visits[end] for end in ends) == pytest.approx(1.0)


def test_chances_that_never_end_are_refused() -> None:
    with pytest.raises(ValueError, match="never end"):
        expected(program(), {place("main/menu(choose)"): {"*": 1.0}})
