"""What a call costs, and on whose account."""

from __future__ import annotations

import msgspec

from engine.call.site_index import SiteIndex
from engine.call.spending import Spent, carried, current, payer
from tests.call.calls import agent, ring, world
from tests.call.test_permission import SITE, far_end


def test_the_longest_pattern_has_the_rate_and_an_unanswered_call_costs_nothing() -> None:
    w = world(SITE)
    far, cho = far_end(w), agent(w, "203")
    far.behave(486)
    ring(w, "0891234567", phone=cho)
    w.run(1_000)
    assert not w.all("dial.cost")
    far.behave(200)
    ring(w, "00442071234567", phone=cho)
    assert w.run_until(lambda: bool(far.up()), 3_000)
    w.run(1_000)
    cho.hang_up(w.now_ms)
    w.run(500)
    (cost,) = w.all("dial.cost")
    assert cost.data == {"agent": "default/203", "number": "+442071234567", "cost": "1.500", "today": "1.500"}


def test_an_account_begins_anew_with_each_day_and_month() -> None:
    room = world(SITE).switch.room  # 2026-01-01
    room.spent["default/203"] = Spent("2026-01-01", 5, 7)
    assert current(room, "default/203") == Spent("2026-01-01", 5, 7)
    room.spent["default/203"] = Spent("2025-12-31", 5, 7)
    assert current(room, "default/203") == Spent("2026-01-01", 0, 0)
    room.now_ms += 86_400_000
    room.spent["default/203"] = Spent("2026-01-01", 5, 7)
    assert current(room, "default/203") == Spent("2026-01-02", 0, 7)


def test_who_sends_it_on_pays() -> None:
    w = world(SITE)
    far_end(w)
    ring(w, "0891234567", phone=agent(w, "203"))
    w.run(200)
    (call,) = w.switch.room.calls.values()
    assert payer(call) == "default/203"
    call.transfer_by = "default/201"
    assert payer(call) == "default/201"


def test_a_prefix_for_the_outside_is_taken_off_once() -> None:
    """The leg keeps what the trunk was given: by its trunk it is E.164, not by the rules once more."""
    plan = msgspec.structs.replace(SITE.trunks["carrier"], name="plain", numbers=None)
    index = SiteIndex(msgspec.structs.replace(SITE, trunks={**SITE.trunks, "plain": plan}))
    assert carried(index, "carrier", "0891234567") == "+49891234567"
    assert carried(index, "plain", "49891234567") == carried(index, "plain", "+49891234567") == "+49891234567"
