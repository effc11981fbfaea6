"""Every event has its rule, and every deadline the machine's own."""

from __future__ import annotations

from typing import get_args

import pytest

from engine.acd import events, happenings
from engine.acd.commands import Breach
from engine.acd.deadlines import AGENT
from tests.acd.streams import start
from tests.acd.world import World, agent, changes, offers, queue


def test_every_event_of_the_contract_is_handled() -> None:
    assert set(happenings.HANDLERS) == set(get_args(events.AcdEvent))


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
        events.OfferFailed(3, "busy"), events.AgentLoggedIn(99), events.AgentOccupied(99, True),
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
