"""park as an interpreter's step."""

from __future__ import annotations

import pytest

from engine.dialplan.actions import Hangup
from engine.dialplan.people_actions import ParkCaller, ParkEnded
from tests.dialplan.site import Caller, codes_of, site_of

SITE = "ringdown: 1\nlanguages: [en]\nnumbers:\n  100: main\nparking: {slots: 71-79}\n"
PLAN = "ringdown: 1\nflows:\n  main:\n    - answer\n    - park: {%s timeout: late, full: full}\n    - hangup: served\n"
WAYS = "  late:\n    - hangup: late\n  full:\n    - hangup: full\n"


@pytest.mark.parametrize(
    ("result", "outcome"),
    [("served", "served"), ("transferred", "transferred"), ("timeout", "late"), ("full", "full"), ("odd", "late")],
)
def test_its_ways_out(result: str, outcome: str) -> None:
    c = Caller(site_of(PLAN % "slot: 72, for: 5min, music: default," + WAYS, site=SITE))
    c.answered()
    assert c.one(ParkCaller) == ParkCaller(2, "72", 300_000, ("music/default",))
    c.tell(ParkEnded(2, result))
    assert c.one(Hangup) == Hangup(outcome, 16)


def test_a_slot_that_is_not_there_is_told() -> None:
    found = codes_of(PLAN % "slot: 80," + WAYS, site=SITE)
    assert [code for code, _ in found] == ["RD166"]
