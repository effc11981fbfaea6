"""What managers see: the five figures, and one agent's row."""

from __future__ import annotations

from engine.acd import events
from tests.acd.world import Q, R, World, agent, queue


def test_the_five_figures_of_a_queue() -> None:
    world = World([queue(service_level_ms=5_000), queue(R)], [agent(1, Q), agent(2, Q), agent(3, R)], ready=False)
    for who in (1, 2):
        world.do(events.AgentReachable(who, True), events.AgentLoggedIn(who))
    world.talk(10)  # at once
    world.end(10, 1, after=30_000)
    world.do(events.AgentNotReady(1), events.AgentNotReady(2), after=10_000)
    world.join(11)
    world.join(12)
    world.join(13)
    world.do(events.CallLeft(11, "abandoned"), after=2_000)
    world.do(events.CallLeft(12, "abandoned"), after=8_000)
    row = world.distributor.snapshot_queues(world.now)[0]
    assert (row["offered"], row["answered"], row["abandoned"], row["waiting"]) == (4, 1, 2, 1)
    assert row["longest_wait_ms"] == 10_000
    assert (row["service_level"], row["service_level_patient"]) == (333, 500)
    assert row["utilisation"] == 300  # 30 s talking of 2 × 50 s logged in
    assert row["on_duty"] == [
        {"agent": 1, "name": "agent1", "state": "not_ready"}, {"agent": 2, "name": "agent2", "state": "not_ready"},
    ]  # fmt: skip
    assert world.distributor.snapshot_queues(world.now)[1]["on_duty"] == []


def test_counts_of_a_busy_queue() -> None:
    world = World([queue()], [agent(1), agent(2)])
    world.talk(10)
    world.join(11)
    world.join(12)
    row = world.distributor.snapshot_queues(world.now)[0]
    assert (row["waiting"], row["alerting"], row["connected"], row["ready"]) == (1, 1, 1, 0)


def test_an_agents_row() -> None:
    world = World([queue(wrap_up_ms=9_000)], [agent(1, tenant="acme")])
    world.talk(10)
    world.wait(4_000)
    row = world.distributor.snapshot_agents(world.now)[0]
    assert (row["name"], row["tenant"], row["state"]) == ("agent1", "acme", "talking")
    assert (row["state_ms"], row["call"]) == (4_000, 10)
    world.end(10, 1)
    world.wait(2_000)
    row = world.distributor.snapshot_agents(world.now)[0]
    assert (row["state"], row["until_ms"], row["call"], row["utilisation"]) == ("wrap_up", 7_000, -1, 1000)


def test_rows_are_sorted_by_id() -> None:
    world = World([queue(9), queue(4)], [agent(7, 9), agent(3, 4)])
    assert [row["queue"] for row in world.distributor.snapshot_queues(0)] == [4, 9]
    assert [row["agent"] for row in world.distributor.snapshot_agents(0)] == [3, 7]


def test_an_alerting_agent_shows_the_call_and_a_pausing_one_the_reason() -> None:
    world = World([queue()], [agent(1), agent(2)])
    world.join(10)
    world.do(events.AgentNotReady(2, "lunch"), events.AgentOccupied(2, True))
    first, second = world.distributor.snapshot_agents(world.now)
    assert (first["state"], first["call"]) == ("alerting", 10)
    assert (second["reason"], second["other_call"]) == ("lunch", True)
