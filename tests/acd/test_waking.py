"""Called back from a rest: who, for whom, and no more than are needed."""

from __future__ import annotations

from engine.acd import events
from engine.acd.model import RestRule
from tests.acd.world import Q, R, World, agent, changes, offers, queue

MINUTE = 60_000


def tired(gives_way_ms: int = MINUTE) -> RestRule:
    return RestRule(pause_ms=60 * MINUTE, gives_way_ms=gives_way_ms)


def send_to_rest(world: World, *numbers: int) -> None:
    for number in numbers:
        offer = world.talk(900 + number)
        assert offer.agent == number
        world.end(offer.call, number, after=1_000)
        assert world.state(number) == "resting"


def test_one_agent_a_look_the_one_who_has_rested_for_longest() -> None:
    world = World([queue(wait_ms_max=60 * MINUTE)], [agent(1, rests=tired()), agent(2, rests=tired())])
    send_to_rest(world, 1, 2)
    world.join(10)
    (offer,) = offers(world.wait(MINUTE))
    assert offer.agent == 1 and world.state(2) == "resting"
    world.answer(offer)
    world.join(11)
    assert [offer.agent for offer in offers(world.wait(MINUTE))] == [2]


def test_an_agent_who_does_not_fit_is_left_to_rest() -> None:
    agents = [agent(1, rests=tired()), agent(2, rests=tired(2 * MINUTE), skills=((3, 5),))]
    world = World([queue(wait_ms_max=60 * MINUTE)], agents)
    send_to_rest(world, 1, 2)
    world.join(10, needs=((3, 1),))
    assert changes(world.wait(2 * MINUTE - 1)) == []
    assert [offer.agent for offer in offers(world.wait(1))] == [2]
    assert world.state(1) == "resting"


def test_a_rest_after_a_miss_is_no_favour_to_give_up() -> None:
    world = World([queue(delay_no_answer_ms=10 * MINUTE)], [agent(1, rests=tired())])
    (offer,) = offers(world.join(10))
    world.fail(offer, "no_answer")
    assert offers(world.wait(9 * MINUTE)) == [] and world.state(1) == "resting"


def test_when_the_first_misses_the_call_the_next_is_called_back_soon() -> None:
    line = queue(wait_ms_max=60 * MINUTE, delay_no_answer_ms=30 * MINUTE)
    world = World([line], [agent(1, rests=tired()), agent(2, rests=tired())])
    send_to_rest(world, 1, 2)
    world.join(10)
    (offer,) = offers(world.wait(MINUTE))
    world.fail(offer, "no_answer")
    assert [offer.agent for offer in offers(world.wait(6_000))] == [2]


def test_only_the_agents_of_his_queue() -> None:
    world = World([queue(Q), queue(R)], [agent(1, Q, rests=tired()), agent(2, R)])
    send_to_rest(world, 1)
    world.do(events.AgentNotReady(2))
    world.join(10, R)
    world.wait(5 * MINUTE)
    assert world.state(1) == "resting"
