"""Which step a place under `at:` means."""

from __future__ import annotations

import pytest

from engine.dialplan.utterance_model import ANNOUNCED, UtteranceRule, names, place_of


@pytest.mark.parametrize(("at", "meant"), [
    ("front", True), ("front/choose", True), ("front/choose/menu(main_menu)", True), ("front/choose/menu", False),
    ("fron", False), ("front/choos", False), ("choose", False),
])  # fmt: skip
def test_a_dialplan_a_flow_or_a_step(at: str, meant: bool) -> None:
    place = place_of("default/front", "choose/menu(main_menu)")
    assert names(at, place) is meant
    assert UtteranceRule(ANNOUNCED, at=(at,)).holds_at(place) is meant
    assert UtteranceRule(ANNOUNCED).holds_at(place)
