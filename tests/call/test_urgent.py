"""Which digits call for help here."""

from __future__ import annotations

from engine.call.urgent import meant
from tests.call.calls import world
from tests.call.test_emergency import SITE


def test_digits_for_a_line_may_stand_in_front_and_nothing_else() -> None:
    index = world(SITE).switch.room.index()
    assert [meant(index, each) for each in ("112", "0112", "110", "0110")] == ["112", "112", "110", "110"]
    assert not any(meant(index, each) for each in ("1120", "00112", "113", "11", "", "*112", "+49112", "9112", "201"))


def test_a_site_without_emergency_knows_none_and_says_so_when_it_can_dial_out() -> None:
    w = world()
    assert meant(w.switch.room.index(), "112") == "" and w.switch.room.endpoint.core.urgent == ()
    assert any("RD361" in line.text for line in w.logs)
    told = world(SITE)
    assert told.switch.room.endpoint.core.urgent == ("112", "110", "0112", "0110")
    assert not any("RD361" in line.text for line in told.logs)
