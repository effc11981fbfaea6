"""Configure as a reload: state by id stays, what left drains, a bad configuration changes nothing."""

from __future__ import annotations

import pytest

from engine import limits
from engine.acd import events
from engine.acd.model import AgentSpec
from engine.errors import LimitExceeded, LocalError
from tests.acd.world import Q, R, World, agent, changes, connects, ended, offers, queue


def reload(world: World, queues: list, agents: list) -> list:
    world.distributor.configure(queues, agents, world.now)
    return world.settle()


def test_the_same_again_changes_nothing() -> None:
    queues, agents = [queue(Q, wrap_up_ms=5_000), queue(R)], [agent(1, Q, R), agent(2, R)]
    world = World(queues, agents)
    world.talk(10)
    world.join(11, R)
    world.join(12, R)
    before = world.distributor.encode()
    assert reload(world, queues, agents) == []
    assert world.distributor.encode() == before


def test_state_stays_by_id_whatever_the_order() -> None:
    world = World([queue(Q), queue(R)], [agent(1, Q), agent(2, R)])
    world.talk(10)
    reload(world, [queue(R), queue(Q, wrap_up_ms=7_000)], [agent(2, R), agent(1, Q)])
    assert (world.state(1), world.state(2)) == ("talking", "ready")
    assert world.distributor.snapshot_queues(world.now)[0]["answered"] == 1
    world.end(10, 1)
    assert world.state(1) == "ready", "his wrap-up was fixed when the conversation began"


def test_a_new_membership_serves_who_waits() -> None:
    world = World([queue(Q), queue(R)], [agent(1, Q)])
    world.join(10, R)
    out = reload(world, [queue(Q), queue(R)], [agent(1, Q, R)])
    assert [(o.call, o.agent) for o in offers(out)] == [(10, 1)]


def test_a_lost_membership_offers_no_more() -> None:
    world = World([queue(Q), queue(R)], [agent(1, Q, R)])
    reload(world, [queue(Q), queue(R)], [agent(1, R)])
    assert offers(world.join(10, Q)) == []


def test_a_removed_agent_finishes_what_he_does() -> None:
    world = World([queue(wrap_up_ms=2_000)], [agent(1), agent(2), agent(3)])
    world.talk(10)
    ringing = offers(world.join(11))[0]
    assert ringing.agent == 2
    out = reload(world, [queue(wrap_up_ms=2_000)], [])
    assert changes(out) == [(3, "ready", "logged_out", "reload")]
    assert [world.state(who) for who in (1, 2, 3)] == ["talking", "alerting", ""]
    assert [c.agent for c in connects(world.answer(ringing))] == [2]
    world.end(10, 1)
    assert world.state(1) == "wrap_up"
    assert changes(world.wait(2_000)) == [(1, "wrap_up", "logged_out", "wrap_up_over")]
    assert world.state(1) == ""
    world.end(11, 2)
    world.wait(2_000)
    assert world.distributor.snapshot_agents(world.now) == []
    assert len(world.pool.agents) == 0


def test_a_removed_agent_who_comes_back_goes_on() -> None:
    world = World([queue()], [agent(1)])
    world.talk(10)
    reload(world, [queue()], [])
    assert world.do(events.AgentLoggedIn(1)) == []
    reload(world, [queue()], [agent(1)])
    world.end(10, 1)
    assert world.state(1) == "ready"


def test_a_row_is_used_again_by_somebody_fresh() -> None:
    world = World([queue()], [agent(1)])
    world.talk(10)
    world.end(10, 1)
    reload(world, [queue()], [])
    reload(world, [queue()], [agent(2)])
    row = world.distributor.snapshot_agents(world.now)[0]
    assert (row["agent"], row["state"], row["answered"], row["reachable"]) == (2, "logged_out", 0, False)


def test_a_removed_queue_drains_with_the_agents_it_had() -> None:
    world = World([queue(Q), queue(R)], [agent(1, Q)])
    world.talk(10, Q)
    world.join(11, Q)
    reload(world, [queue(R)], [agent(1, R)])
    assert [e.reason for e in ended(world.join(12, Q))] == ["no_agents"]
    assert [(o.call, o.queue) for o in offers(world.end(10, 1))] == [(11, Q)]
    world.answer(offers(world.log)[-1])
    assert [row["draining"] for row in world.distributor.snapshot_queues(world.now)] == [True, False]
    world.end(11, 1)
    reload(world, [queue(R)], [agent(1, R)])
    assert [row["queue"] for row in world.distributor.snapshot_queues(world.now)] == [R]


def test_a_drained_queues_row_is_not_mistaken_for_another() -> None:
    world = World([queue(Q), queue(R)], [agent(1, Q), agent(2, R)])
    world.talk(10, R)
    reload(world, [queue(R), queue(5)], [agent(2, R)])
    assert offers(world.join(11, 5)) == [], "agent 1 is gone, queue 5 sits on his old queue's row"
    reload(world, [queue(R), queue(5)], [agent(2, R), agent(3, 5)])
    out = world.do(events.AgentReachable(3, True), events.AgentLoggedIn(3))
    assert [(o.call, o.agent) for o in offers(out)] == [(11, 3)]


def test_a_second_line_given_or_taken_shows_at_once() -> None:
    world = World([queue()], [agent(1)])
    world.do(events.AgentOccupied(1, True))
    assert changes(reload(world, [queue()], [agent(1, second_line=True)])) == [(1, "occupied", "ready", "reload")]
    assert changes(reload(world, [queue()], [agent(1)])) == [(1, "ready", "occupied", "reload")]


def test_a_caller_keeps_the_wait_limit_he_joined_with() -> None:
    world = World([queue(wait_ms_max=10_000)], [agent(1)], ready=False)
    world.join(10)
    reload(world, [queue(wait_ms_max=60_000)], [agent(1)])
    assert [e.waited_ms for e in ended(world.wait(20_000))] == [10_000]


def test_a_changed_strategy_counts_from_the_next_decision() -> None:
    world = World([queue()], [agent(1), agent(2)])
    reload(world, [queue(strategy="ring-all")], [agent(1), agent(2)])
    assert len(offers(world.join(10))) == 2


@pytest.mark.parametrize(
    ("queues", "agents", "message"),
    [
        ([queue(), queue()], [agent(1)], "used twice"),
        ([queue()], [agent(1), agent(1)], "used twice"),
        ([queue(strategy="best")], [agent(1)], "unknown strategy 'best'"),
        ([queue()], [agent(1, R)], "agent agent1: no queue has the id 2"),
        ([queue()], [AgentSpec(1, "x", queues=((Q, 1, 0), (Q, 2, 0)))], "named twice"),
        ([queue()], [agent(1, skills=((1, 17),))], "skill 1 level 17"),
        ([queue()], [agent(1, skills=((-1, 2),))], "skill -1 level 2"),
    ],
)
def test_a_bad_configuration_changes_nothing(queues: list, agents: list, message: str) -> None:
    world = World([queue()], [agent(1)])
    world.talk(10)
    before = world.distributor.encode()
    with pytest.raises(LocalError, match=message):
        world.distributor.configure(queues, agents, world.now)
    assert world.distributor.encode() == before


def test_limits_of_queues_and_agents() -> None:
    world = World([queue()], [agent(1), agent(2)], agents_max=3)
    world.talk(10)
    with pytest.raises(LimitExceeded, match="agents_max"):
        world.distributor.configure([queue()], [agent(n) for n in (5, 6)], world.now)
    with pytest.raises(LimitExceeded, match="queues_max"):
        world.distributor.configure([queue(n) for n in range(1, limits.queues_max + 2)], [], world.now)
