"""conference as an interpreter's step."""

from __future__ import annotations

import pytest

from engine.dialplan.actions import Hangup
from engine.dialplan.people_actions import EnterRoom, RoomEnded
from tests.dialplan.site import Caller, codes_of, site_of

PLAN = "ringdown: 1\nflows:\n  main:\n    - answer\n    - conference: {%s}\n    - hangup: served\n"
PLAN += "  full:\n    - hangup: full\n"


@pytest.mark.parametrize(("result", "outcome"), [("left", "served"), ("full", "full")])
def test_its_ways_out(result: str, outcome: str) -> None:
    c = Caller(site_of(PLAN % "room: standup, max: 4, exit: hash, beep: yes, muted: yes, full: full"))
    c.answered()
    assert c.one(EnterRoom) == EnterRoom(2, "standup", 4, "#", True, True)
    c.tell(RoomEnded(2, result))
    assert c.one(Hangup) == Hangup(outcome, 16)


@pytest.mark.parametrize(
    ("keys", "code"),
    [("full: full", "RD022"), ("room: a room, full: full", "RD027"), ("room: a, max: 9, full: full", "RD024"),
     ("room: a", "RD052"), ("room: a, exit: 12, full: full", "RD063")],
)  # fmt: skip
def test_what_is_wrong_is_told(keys: str, code: str) -> None:
    assert code in [found for found, _ in codes_of(PLAN % keys)]
