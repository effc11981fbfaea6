"""Every event has its rule, and every deadline the machine's own."""

from __future__ import annotations

from typing import get_args

import pytest

from engine import limits
from engine.acd import events, happenings
from engine.acd.commands import Breach
from engine.acd.deadlines import AGENT
from engine.acd.pool import OFFER_GRACE_MS
from tests.acd.streams import start
from tests.acd.world import Q, R, World, agent, cancels, changes, connects, endings, offers, queue


def test_every_event_of_the_contract_is_handled() -> None:
    assert set(happenings.HANDLERS) == set(get_args(events.AcdEvent))


def test_who_has_picked_up_is_given_time_for_his_word_and_no_more() -> None:
    """The offer, his state and the caller's last as long as was said; nothing is ever made shorter or endless."""
    world = World([queue(ring_ms_max=10_000)], [agent(1)])
    (offer,) = offers(world.join(10))
    world.do(events.OfferHeld(offer.offer, 3_000), after=1_000)
    first = world.now - 1_000 + 10_000 + OFFER_GRACE_MS
    assert world.pool.offers.deadline[0] == first, "a shorter time changes nothing"
    world.do(events.OfferHeld(offer.offer, 10_000), after=8_000)
    until = world.now + 10_000 + OFFER_GRACE_MS
    assert world.pool.offers.deadline[0] == world.pool.agents.deadline[0] == world.pool.entries.deadline[0] == until
    assert endings(world.wait(10_000 + OFFER_GRACE_MS - 1)) == [] and world.state(1) == "alerting"
    assert endings(world.wait(1)) == [(1, "no_answer")]
    world = World([queue(ring_ms_max=10_000)], [agent(1)])
    (again,) = offers(world.join(10))
    out = []
    for _ in range(100):
        out += [*world.do(events.OfferHeld(again.offer, limits.ring_ms_max)), *world.wait(10_000)]
    assert endings(out)[0] == (1, "no_answer"), "at last it ends"


@pytest.mark.parametrize("seed", range(5))
def test_events_about_nobody_leave_no_trace(seed: int) -> None:
    """Ids that were never given out: the only answer is the CancelOffer for an unknown offer."""
    distributor, stream = start(seed)
    for _ in range(50):
        stream.step(distributor)
    distributor.expire(stream.now)
    distributor.settle(stream.now)
    before = distributor.encode()
    for event in (
        events.CallLeft(9_999_999, "abandoned"), events.CallPicked(9_999_999, 10),
        events.CallEnded(9_999_999, 10), events.CallEnded(stream.call, 99),
        events.OfferFailed(3, "busy"), events.OfferHeld(3, 5_000), events.AgentLoggedIn(99),
        events.AgentOccupied(99, True),
    ):  # fmt: skip
        distributor.apply(event, stream.now)
        assert distributor.encode() == before


def test_an_agents_own_net_catches_what_his_offer_lost() -> None:
    """The agent's deadline comes after the offer's; when that was lost, he goes home and the breach is told."""
    world = World([queue()], [agent(1)])
    world.join(10)
    pool = world.pool
    happenings.deadline(pool, AGENT, 0, world.now)
    out = world.distributor.settle(world.now)
    assert [c.rule for c in out if isinstance(c, Breach)] == ["agent.alerting.deadline"]
    assert changes(out)[0][:3] == (1, "alerting", "ready")
    assert [offer.call for offer in offers(out)] == [10], "and the caller is served again"
    assert world.distributor.check(world.now) == []


def test_an_agents_own_net_catches_what_his_call_lost() -> None:
    world = World([queue(wrap_up_ms=3_000)], [agent(1)])
    world.talk(10)
    happenings.agent_deadline(world.pool, 0, world.now)
    out = world.distributor.settle(world.now)
    assert [c.rule for c in out if isinstance(c, Breach)] == ["entry.connected.deadline"]
    assert world.state(1) == "wrap_up" and world.distributor.check(world.now) == []


def test_an_offer_deadline_of_a_won_offer_is_a_breach_and_nothing_else() -> None:
    world = World([queue()], [agent(1)])
    offer = world.talk(10)
    happenings.end_offer(world.pool, offer.offer & 0xFFFF, happenings.O_DEADLINE, "no_answer", world.now, cancel=True)
    assert [getattr(c, "rule", "") for c in world.distributor.settle(world.now)] == ["offer.deadline"]
    assert world.state(1) == "talking"


def test_who_picks_a_caller_has_him_and_the_phone_that_rang_has_missed_nobody() -> None:
    """Talking, the queue's wrap-up, its figures: as if he had been offered the call."""
    world = World([queue(wrap_up_ms=8_000, service_level_ms=20_000)], [agent(1), agent(2, level=2)])
    (offer,) = offers(world.join(10))
    out = world.do(events.CallPicked(10, 2), after=4_000)
    assert [(each.offer, each.reason) for each in cancels(out)] == [(offer.offer, "answered_elsewhere")]
    assert endings(out) == [(1, "answered_elsewhere")] and not connects(out)
    assert changes(out) == [(1, "alerting", "ready", "answered_elsewhere"), (2, "ready", "talking", "picked_up")]
    assert world.distributor.entry_state(10) == "connected" and not world.pool.agents.misses[0]
    tally = world.pool.queues[0].tally
    assert (tally.answered, tally.answered_in_time, tally.waited_ms, tally.missed) == (1, 1, 4_000, 0)
    out = world.end(10, 2, after=30_000)
    assert changes(out) == [(2, "talking", "wrap_up", "call_ended")] and tally.talked_ms == 30_000
    assert changes(world.wait(8_000)) == [(2, "wrap_up", "ready", "wrap_up_over")]


@pytest.mark.parametrize(("before", "after"), [
    ([events.AgentNotReady(2, "tea")], "not_ready"), ([events.AgentOccupied(2, True, "internal")], "occupied"),
    ([], "ready"),
])
def test_what_he_was_at_before_he_picked_is_where_he_is_again(before: list[events.AcdEvent], after: str) -> None:
    """Another queue's agent, in a pause, on a call of another kind: he has the caller, then he goes on."""
    world = World([queue(), queue(R)], [agent(1), agent(2, R)])
    world.do(*before)
    world.join(10)
    assert (2, after, "talking", "picked_up") in changes(world.do(events.CallPicked(10, 2)))
    assert world.state(2) == "talking"
    assert changes(world.end(10, 2)) == [(2, "talking", after, "tea" if after == "not_ready" else "call_ended")]


def test_who_picks_while_his_own_phone_rings_leaves_that_caller_his_place() -> None:
    world = World([queue()], [agent(1), agent(2)])
    for call in (10, 11):
        world.join(call)
    assert (world.state(1), world.state(2)) == ("alerting", "alerting")
    world.join(12)
    out = world.do(events.CallPicked(12, 1))
    assert endings(out) == [(1, "agent_state")] and world.state(1) == "talking"
    assert world.distributor.position(10) == 1 and not world.pool.agents.missed[0]


@pytest.mark.parametrize("late", [False, True])
def test_who_picks_the_caller_for_whom_his_own_phone_rings(late: bool) -> None:
    """Even past the caller's limit, which waits for the ringing phone."""
    world = World([queue(wait_ms_max=5_000)], [agent(1)])
    world.join(10)
    out = world.do(events.CallPicked(10, 1), after=6_000 if late else 1_000)
    assert endings(out) == [(1, "answered_elsewhere")] and world.state(1) == "talking"
    assert world.distributor.entry_state(10) == "connected"


def test_who_is_not_on_duty_or_has_a_caller_answers_outside_the_distributor() -> None:
    """His state stays; the caller is answered, in time, and nobody has missed him."""
    world = World([queue(service_level_ms=20_000)], [agent(1), agent(2)])
    world.talk(9)
    world.do(events.AgentLoggedOut(2))
    for call, who in ((10, 1), (11, 2), (12, 99)):
        world.join(call)
        out = world.do(events.CallPicked(call, who), after=1_000)
        assert changes(out) == [] and world.distributor.entry_state(call) == "ended"
    tally = world.pool.queues[0].tally
    assert (tally.answered, tally.answered_in_time, tally.completed, tally.left) == (4, 4, 3, 0)
    assert (world.state(1), world.state(2)) == ("talking", "logged_out")


def test_only_who_waits_on_the_line_is_picked() -> None:
    world = World([queue()], [agent(1), agent(2)])
    world.talk(9)
    world.do(events.CallJoined(10, Q, away="held"))
    before = world.distributor.encode()
    for call in (9, 10):
        world.distributor.apply(events.CallPicked(call, 2), world.now)
    assert world.distributor.encode() == before and world.state(2) == "ready"
