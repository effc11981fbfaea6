"""Every wish of the people verbs is carried out by somebody."""

from __future__ import annotations

from typing import get_args

from engine.call.script_people import RULES
from engine.dialplan.people_actions import PeopleAction


def test_no_wish_is_left_unheard() -> None:
    assert set(RULES) == set(get_args(PeopleAction))
