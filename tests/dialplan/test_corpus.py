"""Which dialplan a corpus belongs to."""

from __future__ import annotations

import pytest

from engine.dialplan.corpus import dialplan_of


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("dialplans/main.speech.yaml", "default/main"),
        ("dialplans/main.night.speech.yaml", "default/main"),
        ("tenants/press/dialplans/orders.speech.yaml", "press/orders"),
    ],
)
def test_a_corpus_stands_beside_its_dialplan(file: str, name: str) -> None:
    assert dialplan_of(file) == name
