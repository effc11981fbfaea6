"""A number behind a trunk: who may use it, and what a full one says."""

from __future__ import annotations

from engine.sim.phone import Habit
from tests.call.calls import SITE, agent, changed, ring, told, wire, world

CARRIER = "192.0.2.1"


def test_a_full_trunk_tells_the_agent_486_with_cause_34() -> None:
    w = world(changed(SITE, "carrier", calls_max=1))
    w.phone("carrier", host=CARRIER, password="").habit = Habit(answer_ms=-1)
    ana, ben = agent(w, "201"), agent(w, "202")
    ring(w, "9555", phone=ana)
    w.run(300)
    ring(w, "9556", phone=ben)
    w.run(300)
    assert told(ben) == "rejected 486" and wire(w, "SIP/2.0 486", "cause=34")
    ana.hang_up(w.now_ms)
    w.run(300)
    assert not any(w.switch.room.trunk_calls.values())


def test_the_way_out_is_for_the_teams_that_may_use_it() -> None:
    w = world()
    gateway = w.phone("gateway", host="198.51.100.7", password="")
    gateway.habit = Habit(answer_ms=200)
    cho, ana = agent(w, "203"), agent(w, "201")
    ring(w, "00555", phone=cho)
    w.run(500)
    assert told(cho) == "rejected 404" and not gateway.got
    ring(w, "00555", phone=ana)
    assert w.run_until(lambda: bool(gateway.up()), 3_000)
