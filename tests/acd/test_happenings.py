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
from tests.acd.world import World, agent, changes, endings, offers, queue


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
        events.CallLeft(9_999_999, "abandoned"), events.CallEnded(9_999_999, 10), events.CallEnded(stream.call, 99),
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
