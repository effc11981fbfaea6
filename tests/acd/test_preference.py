"""One agent first: even while he talks, for a time; and the team at once when he isn't there."""

from __future__ import annotations

from typing import Any

import pytest

from engine.acd import events, preference
from engine.acd.machine import Distributor
from engine.acd.model import Ring
from engine.acd.policy import NAMES
from tests.acd.world import R, World, agent, connects, offers, queue

OWNER: dict[str, Any] = {"prefer": 2, "prefer_ms": 45_000}


def team(**more: Any) -> World:
    return World([queue(**more), queue(R)], [agent(1), agent(2), agent(3, R)])


def test_he_is_asked_before_who_is_idle_for_longer() -> None:
    assert [offer.agent for offer in offers(team().join(10, **OWNER))] == [2]


def test_he_is_asked_whatever_skills_and_rings_say() -> None:
    world = World([queue(rings=(Ring(level=1, for_ms=9_000), Ring()))], [agent(1), agent(2, level=5)])
    assert [offer.agent for offer in offers(world.join(10, needs=((1, 9),), **OWNER))] == [2]


def test_while_he_talks_the_caller_waits_for_him_and_the_next_caller_is_served() -> None:
    world = team()
    world.answer(offers(world.join(9, **OWNER))[0])
    assert offers(world.join(10, **OWNER)) == []
    assert [offer.call for offer in offers(world.join(11))] == [11], "the team serves who is behind"
    world.answer(offers(world.log)[-1])
    assert [(offer.call, offer.agent) for offer in offers(world.end(9, 2, after=20_000))] == [(10, 2)]


def test_after_his_time_the_team_is_asked_and_the_place_is_kept() -> None:
    world = team()
    world.answer(offers(world.join(9, **OWNER))[0])
    world.join(10, **OWNER)
    assert offers(world.wait(44_999)) == []
    assert [(offer.call, offer.agent) for offer in offers(world.wait(1))] == [(10, 1)]


@pytest.mark.parametrize("away", ["logged out", "not ready", "phone gone", "another team", "unknown"])
def test_the_team_is_asked_at_once_when_he_is_not_there(away: str) -> None:
    world = team()
    wanted = dict(OWNER)
    if away == "logged out":
        world.do(events.AgentLoggedOut(2))
    elif away == "not ready":
        world.do(events.AgentNotReady(2, "lunch"))
    elif away == "phone gone":
        world.do(events.AgentReachable(2, False))
    else:
        wanted["prefer"] = 3 if away == "another team" else 77
    assert [offer.agent for offer in offers(world.join(10, **wanted))] == [1]


@pytest.mark.parametrize(
    "gone", [events.AgentLoggedOut(2), events.AgentNotReady(2, "lunch"), events.AgentReachable(2, False)]
)
def test_the_team_is_asked_in_the_moment_in_which_he_goes(gone: events.AcdEvent) -> None:
    world = team()
    world.answer(offers(world.join(9, **OWNER))[0])
    assert offers(world.join(10, **OWNER)) == []
    assert [(offer.call, offer.agent) for offer in offers(world.do(gone, after=5_000))] == [(10, 1)]


def test_a_reload_that_takes_him_away_frees_the_caller() -> None:
    world = team()
    world.answer(offers(world.join(9, **OWNER))[0])
    world.join(10, **OWNER)
    world.distributor.configure([queue(), queue(R)], [agent(1), agent(3, R)], world.now)
    assert [(offer.call, offer.agent) for offer in offers(world.settle())] == [(10, 1)]


def test_even_if_away_waits_for_him_until_his_time_is_over() -> None:
    world = team()
    world.do(events.AgentNotReady(2, "lunch"))
    assert offers(world.join(10, prefer_away=True, **OWNER)) == []
    assert [offer.agent for offer in offers(world.do(events.AgentReady(2), after=30_000))] == [2]
    world.answer(offers(world.log)[-1])
    world.join(11, prefer_away=True, **OWNER)
    assert [(offer.call, offer.agent) for offer in offers(world.wait(45_000))] == [(11, 1)]


def test_an_offer_that_he_missed_ends_it() -> None:
    world = team()
    (offer,) = offers(world.join(10, **OWNER))
    assert [offer.agent for offer in offers(world.fail(offer, "rejected"))] == [1]


def test_he_is_not_waited_for_when_he_has_just_passed_the_caller_on() -> None:
    world = team()
    assert offers(world.join(10, avoid=2, avoid_ms=60_000, **OWNER)) == []
    assert [offer.agent for offer in offers(world.wait(45_000))] == [1]


def test_it_outlives_encoding_and_reindexing() -> None:
    world = team()
    world.answer(offers(world.join(9, **OWNER))[0])
    world.join(10, **OWNER)
    world.distributor = Distributor.decode(world.distributor.encode())
    assert world.pool.preferences
    assert [(offer.call, offer.agent) for offer in offers(world.do(events.AgentLoggedOut(2)))] == [(10, 1)]
    assert preference.holds(world.pool, world.pool.queue_at(0), world.pool.calls[10], world.now) is False


@pytest.mark.parametrize("strategy", NAMES)
@pytest.mark.parametrize("kernels", ["python", "numba"])
def test_under_every_strategy(strategy: str, kernels: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.acd.policy.KERNEL_FROM", 1)
    world = World([queue(strategy=strategy)], [agent(1), agent(2)], kernels=kernels)
    (offer,) = offers(world.join(10, **OWNER))
    assert offer.agent == 2 and connects(world.answer(offer))
