"""The caller: his place, his limits, his ways out."""

from __future__ import annotations

import pytest

from engine import limits
from engine.acd import events
from engine.acd.agents import CALL_MS_MAX
from engine.acd.columns import NEEDS_MAX
from engine.acd.commands import Breach
from engine.acd.pool import OFFER_GRACE_MS
from tests.acd.world import R, World, agent, cancels, changes, connects, ended, offers, queue


def tally(world: World) -> dict:
    return world.distributor.snapshot_queues(world.now)[0]


def test_join_offer_answer_end() -> None:
    world = World([queue(wrap_up_ms=0)], [agent(1)])
    offer = offers(world.join(10))[0]
    assert (offer.call, offer.agent, offer.queue) == (10, 1, 1)
    connect = connects(world.answer(offer, after=4_000))[0]
    assert (connect.offer, connect.call, connect.agent, connect.waited_ms) == (offer.offer, 10, 1, 4_000)
    assert changes(world.end(10, 1, after=60_000)) == [(1, "talking", "ready", "call_ended")]
    row = tally(world)
    assert (row["offered"], row["answered"], row["completed"], row["talked_ms"]) == (1, 1, 1, 60_000)


def test_callers_are_served_by_effective_age_and_ties_by_joining() -> None:
    world = World([queue(delay_busy_ms=0)], [agent(1)])
    world.talk(9)
    world.join(10)
    world.join(11, after=1_000)
    world.join(12, priority_ms=2_000, after=500)  # as if he had waited 2 s already: older than 10
    world.join(13, priority_ms=1_500)  # tie with 10 at the same effective age: 10 joined first
    assert [world.distributor.position(call) for call in (12, 10, 13, 11, 9, 99)] == [1, 2, 3, 4, 0, 0]
    assert world.distributor.queue_length(1) == 4
    order = []
    talking = 9
    for _ in range(4):
        offer = offers(world.end(talking, 1))[0]
        order.append(offer.call)
        world.answer(offer)
        talking = offer.call
    assert order == [12, 10, 13, 11]


def test_a_failed_offer_keeps_the_place() -> None:
    world = World([queue(delay_busy_ms=1_000)], [agent(1)])
    first = offers(world.join(10))[0]
    world.join(11)
    assert world.distributor.position(10) == 1, "also while his offer rings"
    world.fail(first, "busy")
    assert [world.distributor.position(call) for call in (10, 11)] == [1, 2]
    assert [offer.call for offer in offers(world.wait(1_000))] == [10]


def test_the_queue_is_full_with_those_who_are_not_connected() -> None:
    world = World([queue(entries_max=2)], [agent(1)])
    world.talk(10)
    world.join(11)
    world.join(12)
    assert [(e.call, e.queue, e.reason, e.waited_ms) for e in ended(world.join(13))] == [(13, 1, "full", 0)]
    assert tally(world)["refused_full"] == 1 and tally(world)["offered"] == 3
    world.do(events.CallLeft(11, "abandoned"))
    assert ended(world.join(14)) == []


def test_the_pool_is_full() -> None:
    world = World([queue()], [agent(1)], ready=False, entries_max=2)
    world.join(10)
    world.join(11)
    assert [e.reason for e in ended(world.join(12))] == ["full"]


def test_join_empty_refuses_when_nobody_is_logged_in() -> None:
    world = World([queue(join_empty=False), queue(R)], [agent(1), agent(2, R)], ready=False)
    world.do(events.AgentLoggedIn(2))  # another queue's agent doesn't help
    assert [e.reason for e in ended(world.join(10))] == ["no_agents"]
    world.do(events.AgentLoggedIn(1, ready=False))
    assert ended(world.join(11)) == []
    world.do(events.AgentLoggedOut(1))
    assert [e.reason for e in ended(world.join(12))] == ["no_agents"]
    assert world.distributor.position(11) == 1, "who is in stays in"


def test_unknown_queues_and_impossible_needs_are_refused() -> None:
    world = World([queue()], [agent(1)])
    assert [e.reason for e in ended(world.join(10, 77))] == ["no_agents"]
    for needs in (((1, 0),), ((1, 17),), ((-1, 1),), ((1 << 20, 1),), tuple((n, 1) for n in range(NEEDS_MAX + 1))):
        assert [e.reason for e in ended(world.join(10, needs=needs))] == ["no_agents"]


def test_maximum_wait() -> None:
    world = World([queue(wait_ms_max=30_000)], [agent(1)], ready=False)
    world.join(10)
    world.join(11, wait_ms_max=10_000)
    assert [(e.call, e.reason, e.waited_ms) for e in ended(world.wait(10_000))] == [(11, "timeout", 10_000)]
    assert [(e.call, e.reason, e.waited_ms) for e in ended(world.wait(20_000))] == [(10, "timeout", 30_000)]
    assert tally(world)["timed_out"] == 2 and world.distributor.queue_length(1) == 0


def test_whose_wait_is_over_is_told_where_he_stood() -> None:
    world = World([queue(wait_ms_max=60_000)], [agent(1)], ready=False)
    for call, wait_ms in ((10, 0), (11, 20_000), (12, 10_000), (13, 10_000)):
        world.join(call, wait_ms_max=wait_ms)
    assert [(e.call, e.position) for e in ended(world.wait(10_000))] == [(12, 3), (13, 3)]
    assert [(e.call, e.position) for e in ended(world.wait(10_000))] == [(11, 2)]
    assert [(e.call, e.position) for e in ended(world.wait(40_000))] == [(10, 1)]


def test_maximum_wait_has_a_limit_of_its_own() -> None:
    world = World([queue(wait_ms_max=10**12)], [agent(1)], ready=False)
    world.join(10)
    assert world.distributor.next_deadline() == limits.queue_wait_ms_max


def test_a_wait_limit_waits_for_the_ringing_phone() -> None:
    world = World([queue(wait_ms_max=5_000, ring_ms_max=20_000)], [agent(1)])
    offer = offers(world.join(10))[0]
    assert ended(world.wait(10_000)) == []
    assert connects(world.answer(offer))[0].waited_ms == 10_000


@pytest.mark.parametrize("told", [True, False])
def test_a_wait_limit_is_honoured_when_the_offer_ends_or_its_time_is_over(told: bool) -> None:
    world = World([queue(wait_ms_max=5_000, ring_ms_max=20_000, delay_busy_ms=0)], [agent(1)])
    offer = offers(world.join(10))[0]
    world.wait(6_000)
    out = world.fail(offer, "busy") if told else world.wait(14_000 + OFFER_GRACE_MS)
    assert [(e.reason, e.waited_ms) for e in ended(out)] == [("timeout", 6_000 if told else 22_000)]
    assert offers(out) == []


def test_an_offer_that_fails_in_the_millisecond_of_the_limit_is_the_last() -> None:
    world = World([queue(wait_ms_max=5_000, delay_busy_ms=0)], [agent(1)])
    offer = offers(world.join(10))[0]
    world.now += 5_000
    assert [e.reason for e in ended(world.fail(offer, "busy"))] == ["timeout"]


@pytest.mark.parametrize(
    ("reason", "counter"), [("abandoned", "abandoned"), ("exit", "left"), ("moved", "left"), ("closed", "left")]
)
def test_ways_out_are_counted(reason: str, counter: str) -> None:
    world = World([queue()], [agent(1)], ready=False)
    world.join(10)
    assert world.do(events.CallLeft(10, reason)) == []
    assert tally(world)[counter] == 1
    assert world.do(events.CallLeft(10, reason)) == [], "twice is once"


def test_leaving_a_conversation_is_its_end() -> None:
    world = World([queue(wrap_up_ms=1_000)], [agent(1)])
    world.talk(10)
    assert changes(world.do(events.CallLeft(10, "abandoned"))) == [(1, "talking", "wrap_up", "abandoned")]
    assert tally(world)["completed"] == 1 and tally(world)["abandoned"] == 0


def test_only_the_agent_of_the_conversation_can_end_it() -> None:
    world = World([queue()], [agent(1), agent(2)])
    world.talk(10)
    assert world.end(10, 2) == [] and world.end(99, 1) == []
    assert world.state(1) == "talking"


def test_joining_twice_changes_nothing_and_joining_elsewhere_moves() -> None:
    world = World([queue(), queue(R)], [agent(1), agent(2, R)])
    offer = offers(world.join(10))[0]
    assert world.join(10) == []
    out = world.join(10, R)
    assert [(c.offer, c.reason) for c in cancels(out)] == [(offer.offer, "moved")]
    assert [(o.agent, o.queue) for o in offers(out)] == [(2, R)]
    assert world.distributor.queue_length(1) == 0 and world.distributor.queue_length(R) == 1


def test_joining_again_out_of_a_conversation_ends_that() -> None:
    world = World([queue(wrap_up_ms=1_000)], [agent(1), agent(2)])
    world.talk(10)
    out = world.join(10)
    assert changes(out)[0] == (1, "talking", "wrap_up", "moved")
    assert [offer.agent for offer in offers(out)] == [2]


def test_a_conversation_whose_end_was_lost_ends_by_itself() -> None:
    world = World([queue()], [agent(1)])
    world.talk(10)
    world.now += CALL_MS_MAX
    world.distributor.expire(world.now)
    out = world.distributor.settle(world.now)
    assert [c.rule for c in out if isinstance(c, Breach)] == ["entry.connected.deadline"]
    assert world.state(1) == "ready" and world.distributor.next_deadline() is None
