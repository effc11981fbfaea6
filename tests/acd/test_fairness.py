"""Shares of calls and talk: even, fading, and neither a flood for who comes back nor a jump for who logs in again."""

from __future__ import annotations

from collections import Counter

import pytest

from engine.acd import events, fairness
from tests.acd.world import Q, R, World, agent, offers, queue

FAIR = ("fewestcalls", "agent-with-least-talk-time")


def serve(world: World, calls: range, talk_ms: int = 60_000) -> list[int]:
    """One call after another; who took each."""
    took = []
    for call in calls:
        took.append(world.talk(call).agent)
        world.end(call, took[-1], after=talk_ms)
    return took


def test_fewest_calls_in_the_order_of_counts_then_position() -> None:
    people = [agent(1, position=2), agent(2, position=1), agent(3, position=3), agent(4, level=2)]
    world = World([queue(strategy="fewestcalls")], people)
    assert serve(world, range(10, 17)) == [2, 1, 3, 2, 1, 3, 2]
    one, two, three = (world.pool.agents.call_load[row] for row in (0, 1, 2))
    assert (one, two, three) == (2 * fairness.CALL, 3 * fairness.CALL, 2 * fairness.CALL)
    assert [offers(world.join(20 + turn))[0].agent for turn in range(4)] == [1, 3, 2, 4]


def test_an_offer_that_nobody_answers_is_no_call() -> None:
    world = World([queue(strategy="agent-with-fewest-calls", delay_reject_ms=0)], [agent(1), agent(2)])
    offer = offers(world.join(10))[0]
    again = offers(world.fail(offer, "rejected"))[0]
    assert (offer.agent, again.agent) == (1, 1), "still the fewest calls and the better place"


def test_least_talk_time_in_the_order_of_time_talked() -> None:
    world = World([queue(strategy="agent-with-least-talk-time")], [agent(1), agent(2), agent(3)])
    took = []
    for call, talked in ((10, 9_000), (11, 3_000), (12, 5_000), (13, 1_000), (14, 2_000), (15, 1)):
        took += serve(world, range(call, call + 1), talked)
    assert took == [1, 2, 3, 2, 2, 3], "9 s; 3 s; 5 s; 3 + 1 s; 4 + 2 s; 5 s"


@pytest.mark.parametrize("strategy", FAIR)
@pytest.mark.parametrize("way", ["logout", "pause", "phone", "other call"])
def test_who_comes_back_is_not_flooded(strategy: str, way: str) -> None:
    gone, back = {
        "logout": (events.AgentLoggedOut(3), events.AgentLoggedIn(3)),
        "pause": (events.AgentNotReady(3, "lunch"), events.AgentReady(3)),
        "phone": (events.AgentReachable(3, False), events.AgentReachable(3, True)),
        "other call": (events.AgentOccupied(3, True, "direct"), events.AgentOccupied(3, False, "direct")),
    }[way]
    world = World([queue(strategy=strategy)], [agent(1), agent(2), agent(3)])
    world.do(gone)
    assert Counter(serve(world, range(10, 30))) == {1: 10, 2: 10}
    world.do(back)
    took = serve(world, range(30, 39))
    assert Counter(took) == {1: 3, 2: 3, 3: 3}, took
    assert 3 in took[:3], "and he isn't starved either"


@pytest.mark.parametrize("strategy", FAIR)
def test_a_new_login_does_not_jump_the_line(strategy: str) -> None:
    world = World([queue(strategy=strategy)], [agent(1), agent(2)])
    assert serve(world, range(10, 13)) == [1, 2, 1]
    for _ in range(3):
        world.do(events.AgentLoggedOut(1))
        world.do(events.AgentLoggedIn(1))
    assert serve(world, range(13, 14)) == [2]


@pytest.mark.parametrize("strategy", FAIR)
def test_who_has_done_more_keeps_it_over_an_absence(strategy: str) -> None:
    """Absence neither lowers nor, beyond the least of the others, raises."""
    world = World([queue(strategy=strategy)], [agent(1), agent(2), agent(3)])
    world.do(events.AgentLoggedOut(2), events.AgentLoggedOut(3))
    assert serve(world, range(10, 14)) == [1] * 4
    world.do(events.AgentLoggedOut(1), events.AgentLoggedIn(2), events.AgentLoggedIn(3))
    world.do(events.AgentLoggedIn(1))
    assert Counter(serve(world, range(14, 22))) == {2: 4, 3: 4}


def test_loads_fade_by_half_an_hour_for_everybody() -> None:
    world = World([queue(strategy="fewestcalls")], [agent(1), agent(2)])
    world.do(events.AgentLoggedOut(2))
    serve(world, range(10, 18), 1_000)
    agents = world.pool.agents
    assert agents.call_load[0] == 8 * fairness.CALL and agents.talk_load[0] == 8_000
    world.wait(fairness.HALVING_MS)
    serve(world, range(20, 21), 1_000)
    assert agents.call_load[0] == 5 * fairness.CALL and agents.talk_load[0] == 5_000, "8 / 2 + 1"
    world.wait(3 * fairness.HALVING_MS)
    serve(world, range(21, 22), 0)
    assert agents.call_load[0] == fairness.CALL * 5 // 8 + fairness.CALL and agents.talk_load[0] == 625
    world.wait(100 * fairness.HALVING_MS)
    serve(world, range(22, 23), 0)
    assert agents.call_load[0] == fairness.CALL and agents.talk_load[0] == 0, "forgotten"


def test_equals_are_of_the_same_queue_and_level() -> None:
    """A backup level with few calls doesn't open the flood, and the busier of two queues decides."""
    people = [
        agent(1, Q), agent(2, seats=((Q, 2, 0),)), agent(3, Q, R), agent(4, R), agent(5, R),
    ]  # fmt: skip
    world = World([queue(Q, strategy="fewestcalls"), queue(R, strategy="fewestcalls")], people)
    agents = world.pool.agents
    world.do(events.AgentLoggedOut(3))
    for row, calls in ((0, 7), (1, 0), (3, 4), (4, 2)):
        agents.call_load[row] = calls * fairness.CALL
    world.do(events.AgentLoggedIn(3))
    assert agents.call_load[2] == 7 * fairness.CALL, "7 in Q at his level, 2 in R"


def test_who_is_away_himself_is_no_measure() -> None:
    world = World([queue(strategy="fewestcalls")], [agent(n) for n in range(1, 6)])
    agents = world.pool.agents
    world.do(
        events.AgentLoggedOut(1), events.AgentNotReady(2, ""), events.AgentReachable(3, False),
        events.AgentOccupied(4, True, "direct"),
    )  # fmt: skip
    agents.call_load[4] = 5 * fairness.CALL
    world.do(events.AgentLoggedIn(1))
    assert agents.call_load[0] == 5 * fairness.CALL


def test_other_strategies_leave_the_loads_alone() -> None:
    world = World([queue()], [agent(1), agent(2)])
    world.do(events.AgentLoggedOut(2))
    serve(world, range(10, 14))
    world.do(events.AgentLoggedIn(2))
    assert world.pool.agents.call_load[1] == 0 and world.pool.agents.call_load[0] == 4 * fairness.CALL
