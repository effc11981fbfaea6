"""A skill ends at its date: by the wall clock that comes in, once told, and at the same step every time."""

from __future__ import annotations

import msgspec

from engine.call.effects import WallClock
from engine.dialplan.model import Site
from engine.sim.world import World
from engine.switch import Switch
from tests.call.calls import agent, ring, world
from tests.call.test_routing import site

PLAIN = "support: {ring: 10s}\nsales: {ring: 9s}\n"


def dated(until_ms: int) -> Site:
    """Agent 201's skill `power` ends at this Unix ms."""
    made = site("needs: {power: 5}", queues=PLAIN)
    ana = msgspec.structs.replace(
        made.agents["default/201"], expires=(("power", until_ms),), certified=(("power", "the board"),)
    )
    return msgspec.structs.replace(made, agents={**made.agents, "default/201": ana}, version=f"until {until_ms}")


def end(w: World) -> int:
    """Half a minute from now, as the world's wall clock says."""
    return w.now_ms + w.switch.room.wall_offset_ms + 30_000


def told(w: World) -> list[tuple[object, object, object]]:
    return [(e.data["agent"], e.data["skill"], e.data["certified_by"]) for e in w.all("agent.skill_expired")]


ONCE = [("default/201", "power", "the board")]


def test_an_expired_skill_stops_matching_at_its_moment_and_is_told_once() -> None:
    w = world(site("needs: {power: 5}", queues=PLAIN), law9=True)
    desk = agent(w, "201", answer_ms=500)
    w.load(dated(end(w)))
    first = ring(w, "700")
    w.run(2_000)
    assert w.last("queue.connected").data["agent"] == "default/201"
    w.run(20_000)
    assert told(w) == []
    w.run(9_000)
    assert told(w) == ONCE and first.up(), "the conversation goes on"
    desk.hang_up(w.now_ms)
    w.run(1_000)
    ring(w, "700", "5550002")
    w.run(20_000)
    assert len(w.all("queue.connected")) == 1, "nobody has the skill any more"
    w.load(w.switch.sites()[-1])
    w.run(1_000)
    assert told(w) == ONCE


def test_a_renewed_date_serves_who_waits() -> None:
    w = world(site("needs: {power: 5}", queues=PLAIN))
    agent(w, "201", answer_ms=500)
    w.load(dated(1))
    assert told(w) == ONCE
    ring(w, "700")
    w.run(5_000)
    assert not w.all("queue.offered")
    w.load(dated(end(w) + 1_000_000))
    w.run(2_000)
    assert w.last("queue.connected").data["agent"] == "default/201"


def test_the_clock_set_forward_expires_and_set_back_restores() -> None:
    w = world(site("needs: {power: 5}", queues=PLAIN), law9=True)
    agent(w, "201", answer_ms=500)
    w.load(dated(end(w)))
    offset = w.switch.room.wall_offset_ms
    w.give(WallClock(offset + 40_000))
    assert told(w) == ONCE
    w.give(WallClock(offset))
    ring(w, "700")
    w.run(2_000)
    assert w.last("queue.connected").data["agent"] == "default/201"
    w.run(28_000)
    assert told(w) == ONCE * 2, "its moment came again"


def test_a_restored_switch_expires_it_at_the_same_moment() -> None:
    w = world(site("needs: {power: 5}", queues=PLAIN))
    agent(w, "201", answer_ms=500)
    w.load(dated(end(w)))
    one, other = w.switch.room, Switch.decode(w.switch.encode()).room
    assert other.skill_ends_ms == one.skill_ends_ms > 0 and other.deadlines.at(("skills", 0)) == w.now_ms + 30_000
    assert other.acd.encode() == one.acd.encode()
