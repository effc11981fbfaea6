"""Occupancy: its arithmetic against floating point, its order against the definition, and who is asked by it."""

from __future__ import annotations

from math import log2
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.acd import events, occupancy
from engine.acd.machine import Distributor
from engine.acd.occupancy import HALF_MS, KINDS, LOG_UNIT, ONE, ROOTS, WAITING, WORKING, faded
from engine.acd.tables import AGENT_STATES
from tests.acd.world import R, World, agent, offers, queue


def test_roots_of_a_half() -> None:
    assert [abs(root - 2 ** (32 - 2.0**-place)) < 1 for place, root in enumerate(ROOTS, 1)] == [True] * 16


@given(st.integers(0, ONE), st.integers(0, 40 * HALF_MS))
def test_fading_is_halving(value: int, ms: int) -> None:
    exact = value * 2 ** (-ms / HALF_MS)
    assert exact * 0.99998 - 18 <= faded(value, ms) <= exact * 1.00002 + 1


@given(st.integers(1, ONE))
def test_logarithm(value: int) -> None:
    assert abs(occupancy.log2(value) / LOG_UNIT - log2(value / ONE)) < 2 / LOG_UNIT
    assert occupancy.log2(0) == occupancy.log2(1) == -32 * LOG_UNIT


@given(
    st.lists(st.tuples(st.integers(1 << 12, ONE), st.integers(0, HALF_MS)), min_size=2, max_size=5),
    st.integers(0, HALF_MS),
)
def test_the_key_orders_those_who_wait_as_their_occupancies_at_any_later_moment(states, later) -> None:  # type: ignore[no-untyped-def]
    now = HALF_MS + later
    exact = [value * 2 ** (-(now - since) / HALF_MS) for value, since in states]
    keys = [occupancy.key(value, since) for value, since in states]
    for one in range(len(states)):
        for other in range(len(states)):
            if exact[one] < exact[other] * 0.9999:
                assert keys[one] < keys[other]


def test_every_state_is_work_waiting_or_away() -> None:
    kinds = {name: KINDS[state] for state, name in enumerate(AGENT_STATES)}
    assert [name for name, kind in kinds.items() if kind == WORKING] == ["talking", "wrap_up"]
    assert sorted(name for name, kind in kinds.items() if kind == WAITING) == ["alerting", "ready", "resting"]


def test_an_hour_of_work_is_a_half_and_an_hour_of_waiting_halves_it() -> None:
    world = World([queue(strategy="ucd-loa", wrap_up_ms=600_000)], [agent(1)])
    world.talk(10)
    world.end(10, 1, after=3_000_000)
    world.wait(600_000)
    assert world.state(1) == "ready" and abs(occupancy.at(world.pool, 0, world.now) / ONE - 0.5) < 1e-3
    world.wait(HALF_MS)
    assert abs(occupancy.at(world.pool, 0, world.now) / ONE - 0.25) < 1e-3
    world.do(events.AgentNotReady(1, "lunch"))
    world.wait(HALF_MS)
    assert abs(occupancy.at(world.pool, 0, world.now) / ONE - 0.25) < 1e-3, "a pause neither rests nor tires"


def test_the_least_occupied_is_asked_over_all_levels_even_when_he_was_idle_for_a_shorter_time() -> None:
    world = World([queue(strategy="ucd-loa")], [agent(1), agent(2, level=2)])
    for number, call, ms in ((1, 10, 900_000), (2, 11, 60_000)):
        offer = offers(world.join(call))[0]
        assert offer.agent == number
        world.answer(offer)
        world.end(call, number, after=ms)
    assert world.pool.agents.idle_since[0] < world.pool.agents.idle_since[1]
    assert offers(world.join(12))[0].agent == 2


def test_among_experts_the_least_occupied_and_an_expert_before_who_is_less_occupied() -> None:
    people = [agent(1, skills=((1, 9),)), agent(2, skills=((1, 9),)), agent(3, skills=((1, 2),))]
    world = World([queue(strategy="ead-loa")], people)
    need = ((1, 1),)
    for call, ms in ((10, 900_000), (11, 300_000)):
        offer = offers(world.join(call, needs=need))[0]
        world.answer(offer)
        world.end(call, offer.agent, after=ms)
    assert [offers(world.join(20 + turn, needs=need))[0].agent for turn in range(3)] == [2, 1, 3]


def test_who_is_new_or_comes_back_is_not_flooded() -> None:
    world = World([queue(strategy="ucd-loa")], [agent(1), agent(2)], ready=False)
    for number in (1, 2):
        world.do(events.AgentReachable(number, True))
    world.do(events.AgentLoggedIn(1))
    world.talk(10)
    world.end(10, 1, after=HALF_MS)
    world.talk(11)
    world.do(events.AgentLoggedIn(2), after=60_000)
    agents = world.pool.agents
    assert agents.occupancy[1] == agents.occupancy[0] > ONE // 4, "as much as his equal had when his last call began"
    before = agents.occupancy[1]
    world.do(events.AgentLoggedOut(2), after=1_000)
    world.do(events.AgentLoggedIn(2), after=1_000)
    assert agents.occupancy[1] >= before * 999 // 1_000, "logging out and in gains nothing"


def test_it_is_kept_only_where_it_is_read_and_begins_with_a_reload() -> None:
    world = World([queue(), queue(R)], [agent(1)])
    world.talk(10)
    world.end(10, 1, after=HALF_MS)
    assert not world.pool.occupancy and world.pool.agents.occupancy[0] == 0
    world.distributor.configure([queue(strategy="least-occupied"), queue(R)], [agent(1)], world.now)
    world.settle()
    assert world.pool.occupancy and world.pool.agents.occupancy_since[0] == world.now
    assert Distributor.decode(world.distributor.encode())._pool.occupancy
    world.talk(11)
    world.end(11, 1, after=HALF_MS)
    assert abs(world.pool.agents.occupancy[0] / ONE - 0.5) < 1e-3


@pytest.mark.parametrize("seed", range(3))
def test_work_is_shared_by_occupancy(seed: int) -> None:
    """Random calls of very different length: the agents' occupancies stay close, where longest idle lets them drift."""

    def spread(strategy: str) -> float:
        chance = Random(seed)
        world = World([queue(strategy=strategy), queue(R, strategy="ucd-loa")], [agent(n) for n in range(1, 5)])
        ends: list[tuple[int, int, int]] = []
        for call in range(100, 500):
            while ends and ends[0][0] <= world.now:
                _, ended, who = ends.pop(0)
                world.end(ended, who)
            made = offers(world.join(call))
            if made:
                world.answer(made[0])
                ends.append((world.now + chance.choice((20_000, 900_000)), call, made[0].agent))
                ends.sort()
            else:
                world.do(events.CallLeft(call, "abandoned"))
            world.wait(120_000)
        shares = [occupancy.at(world.pool, row, world.now) for row in range(4)]
        return (max(shares) - min(shares)) / ONE

    assert spread("ucd-loa") <= spread("ucd-mia") + 0.02
