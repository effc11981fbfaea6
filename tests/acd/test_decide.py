"""Who gets whom: order across queues, ring-all and its races, no caller waiting beside an idle agent."""

from __future__ import annotations

from typing import Any

from engine.acd import decide, events, policy
from engine.acd.machine import Distributor
from tests.acd.world import Q, R, World, agent, cancels, changes, connects, endings, offers, queue


def test_an_agent_of_two_queues_takes_the_oldest_caller() -> None:
    world = World([queue(Q), queue(R)], [agent(1, Q, R)])
    world.talk(9)
    world.join(10, R)
    world.join(11, Q, after=1_000)
    world.join(12, Q, priority_ms=5_000, after=1_000)
    order, talking = [], 9
    for _ in range(3):
        offer = offers(world.end(talking, 1))[0]
        order.append(offer.call)
        world.answer(offer)
        talking = offer.call
    assert order == [12, 10, 11]


def test_weight_goes_before_age() -> None:
    world = World([queue(Q), queue(R, weight=1)], [agent(1, Q, R)])
    world.talk(9)
    world.join(10, Q)
    world.join(11, R, after=60_000)
    assert [offer.call for offer in offers(world.end(9, 1))] == [11]


def test_one_caller_each_when_several_agents_come_at_once() -> None:
    world = World([queue(Q), queue(R)], [agent(1, Q, R), agent(2, Q, R), agent(3, R)], ready=False)
    for call, where in ((10, Q), (11, R), (12, Q), (13, R)):
        world.join(call, where, after=100)
    logins = [events.AgentLoggedIn(who) for who in (1, 2, 3)]
    reach = [events.AgentReachable(who, True) for who in (1, 2, 3)]
    made = offers(world.do(*logins, *reach))
    assert [(offer.call, offer.agent) for offer in made] == [(10, 1), (11, 2), (13, 3)]


def test_callers_whom_nobody_idle_fits_are_stepped_over() -> None:
    world = World([queue()], [agent(1), agent(2, skills=((1, 5),))], ready=False)
    world.join(10, needs=((1, 5),))
    world.join(11, needs=((1, 5),))
    world.join(12)
    world.do(events.AgentReachable(1, True), events.AgentReachable(2, True))
    assert [offer.call for offer in offers(world.do(events.AgentLoggedIn(1)))] == [12]
    assert [offer.call for offer in offers(world.do(events.AgentLoggedIn(2)))] == [10]


def test_only_touched_queues_are_looked_at() -> None:
    world = World([queue(n) for n in range(1, 40)], [agent(1, 1), agent(2, 2)])
    looked: list[int] = []

    def spy(pool, line, needs, most):  # type: ignore[no-untyped-def]
        looked.append(line.spec.id)
        return policy.pick(pool, line, needs, most)

    pool = world.pool
    for number in range(3, 40):
        world.join(100 + number, number)
    world.distributor.apply(events.CallJoined(10, 2), world.now)
    assert pool.touched == [1]
    decide.decide(pool, spy, world.now)
    assert looked == [2] and pool.touched == []


# --- ring-progressively -----------------------------------------------------------------------------------
def progressive(*people: Any, **more: Any) -> World:
    return World([queue(strategy="ring-progressively", ring_ms_max=60_000, **more)], list(people))


def test_ring_progressively_one_more_phone_at_each_deadline_through_all_levels() -> None:
    world = progressive(agent(1, position=2), agent(2, position=1), agent(3, level=2), agent(4, level=3))
    start = world.now
    first = offers(world.join(10))
    assert [offer.agent for offer in first] == [2]
    assert world.distributor.next_deadline() == start + 10_000
    assert offers(world.wait(9_999)) == []
    assert [offer.agent for offer in offers(world.wait(1))] == [1]
    assert [offer.agent for offer in offers(world.wait(10_000))] == [3]
    more = offers(world.wait(10_000))
    assert [offer.agent for offer in more] == [4]
    out = world.answer(more[0])
    assert [found.agent for found in connects(out)] == [4] and {lost.agent for lost in cancels(out)} == {1, 2, 3}
    assert offers(world.wait(60_000)) == [], "no more phones for a conversation"


def test_ring_progressively_keeps_its_turn_for_who_becomes_idle() -> None:
    world = progressive(agent(1), agent(2), progress_ms=4_000)
    world.do(events.AgentNotReady(2, ""))
    world.join(10)
    assert offers(world.do(events.AgentReady(2), after=1_000)) == [], "not due yet"
    world.do(events.AgentNotReady(2, ""))
    assert offers(world.wait(20_000)) == []
    assert [offer.agent for offer in offers(world.do(events.AgentReady(2)))] == [2], "overdue: at once"


def test_ring_progressively_begins_anew_when_nothing_rings_and_is_bounded() -> None:
    world = progressive(agent(1), agent(2), agent(3), agent(4), offers_max=2, delay_reject_ms=0)
    first = offers(world.join(10))[0]
    again = offers(world.fail(first, "rejected", after=9_000))
    assert [offer.agent for offer in again] == [1]
    assert offers(world.wait(9_999)) == [], "10 s from the new beginning"
    assert [offer.agent for offer in offers(world.wait(1))] == [2]
    assert offers(world.wait(30_000)) == [], "offers_max"


def test_ring_progressively_one_fails_and_the_others_ring_on() -> None:
    world = progressive(agent(1), agent(2), agent(3))
    first = offers(world.join(10))[0]
    second = offers(world.wait(10_000))[0]
    assert offers(world.fail(second, "rejected", after=1_000)) == []
    assert [offer.agent for offer in offers(world.wait(9_000))] == [3], "10 s after the second, who still rests"
    assert [found.agent for found in connects(world.answer(first))] == [1]


def test_ring_progressively_serves_a_second_caller_before_a_second_phone() -> None:
    world = progressive(agent(1), agent(2), agent(3))
    world.join(10)
    assert [offer.agent for offer in offers(world.join(11, after=5_000))] == [2]
    assert [(offer.call, offer.agent) for offer in offers(world.wait(5_000))] == [(10, 3)]


def test_ring_progressively_over_an_outage_and_a_restore() -> None:
    world = progressive(agent(1), agent(2))
    world.join(10)
    world.now += 7_000
    world.distributor = Distributor.decode(world.distributor.encode())
    world.distributor.shift(60_000)
    assert offers(world.wait(62_999)) == []
    assert [offer.agent for offer in offers(world.wait(1))] == [2]


# --- ring-all -------------------------------------------------------------------------------------------
def test_the_first_answer_wins_and_the_others_stop() -> None:
    world = World([queue(strategy="ring-all", wrap_up_ms=5_000)], [agent(n) for n in (1, 2, 3)])
    first, second, third = offers(world.join(10))
    out = world.answer(second, after=3_000)
    assert [(c.offer, c.agent, c.waited_ms) for c in connects(out)] == [(second.offer, 2, 3_000)]
    assert [(c.offer, c.agent, c.reason) for c in cancels(out)] == [
        (first.offer, 1, "answered_elsewhere"), (third.offer, 3, "answered_elsewhere"),
    ]  # fmt: skip
    assert sorted(endings(out)) == [(1, "answered_elsewhere"), (2, "answered"), (3, "answered_elsewhere")]
    assert [world.state(who) for who in (1, 2, 3)] == ["ready", "talking", "ready"]
    late = world.answer(third)
    assert [(c.offer, c.reason) for c in cancels(late)] == [(third.offer, "answered_elsewhere")]
    assert connects(late) == []


def test_two_answers_in_the_same_millisecond_are_one_call_and_one_loser() -> None:
    world = World([queue(strategy="ring-all")], [agent(1), agent(2)])
    one, two = offers(world.join(10))
    out = world.do(events.OfferAnswered(two.offer), events.OfferAnswered(one.offer))
    assert [c.agent for c in connects(out)] == [2]
    assert [c.offer for c in cancels(out)] == [one.offer, one.offer], "told at the win, and again at the late answer"
    assert (world.state(1), world.state(2)) == ("ready", "talking")


def test_losers_are_free_for_the_next_caller_in_the_same_settle() -> None:
    world = World([queue(strategy="ring-all")], [agent(1), agent(2)])
    one, _ = offers(world.join(10))
    assert offers(world.join(11)) == []
    assert [(o.call, o.agent) for o in offers(world.answer(one))] == [(11, 2)]


def test_losers_keep_their_idle_time_and_their_misses() -> None:
    world = World([queue(strategy="ring-all")], [agent(1), agent(2)])
    before = list(world.pool.agents.idle_since[:2])
    offer = offers(world.join(10))[0]
    world.answer(offer, after=5_000)
    assert world.pool.agents.idle_since[1] == before[1]
    assert world.distributor.snapshot_agents(world.now)[1]["misses_in_a_row"] == 0


def test_one_refusal_leaves_the_others_ringing() -> None:
    world = World([queue(strategy="ring-all")], [agent(1), agent(2)])
    one, two = offers(world.join(10))
    out = world.fail(one, "rejected")
    assert cancels(out) == offers(out) == []
    assert [c.agent for c in connects(world.answer(two))] == [2]


def test_the_next_level_is_asked_when_the_best_has_failed() -> None:
    world = World([queue(strategy="ring-all")], [agent(1, level=1), agent(2, level=2)])
    one = offers(world.join(10))[0]
    assert [o.agent for o in offers(world.fail(one, "busy"))] == [2]


def test_an_agent_who_becomes_ready_joins_the_ringing() -> None:
    world = World([queue(strategy="ring-all")], [agent(1), agent(2), agent(3, level=2), agent(4, level=2)])
    world.do(*(events.AgentNotReady(who) for who in (1, 2, 3)))
    assert [o.agent for o in offers(world.join(10))] == [4]
    assert [o.agent for o in offers(world.do(events.AgentReady(3), after=1_000))] == [3]
    assert [o.agent for o in offers(world.do(events.AgentReady(2), after=1_000))] == [2], "a better level"
    out = world.wait(21_000)
    assert [who for who, reason in endings(out) if reason == "no_answer"] == [4, 3]
    assert world.distributor.position(10) == 1


def test_a_worse_level_does_not_join_the_ringing() -> None:
    world = World([queue(strategy="ring-all")], [agent(1, level=1), agent(2, level=2)])
    world.do(events.AgentNotReady(2))
    world.join(10)
    assert offers(world.do(events.AgentReady(2))) == []


def test_a_waiting_caller_goes_before_more_ringing_and_past_the_limit_there_is_no_more() -> None:
    world = World([queue(strategy="ring-all", wait_ms_max=3_000)], [agent(1), agent(2)])
    world.do(events.AgentNotReady(2))
    world.join(10)
    world.join(11)
    assert [o.call for o in offers(world.do(events.AgentReady(2)))] == [11]
    world.do(events.AgentNotReady(2))
    world.do(events.CallLeft(11, "abandoned"))
    world.wait(4_000)
    assert offers(world.do(events.AgentReady(2))) == []


def test_the_room_for_more_ringing_is_offers_max() -> None:
    world = World([queue(strategy="ring-all", offers_max=2)], [agent(n) for n in (1, 2, 3)])
    world.do(events.AgentNotReady(3), events.AgentNotReady(2))
    world.join(10)
    assert [o.agent for o in offers(world.do(events.AgentReady(2)))] == [2]
    assert offers(world.do(events.AgentReady(3))) == []
    assert changes(world.do(events.AgentNotReady(1)))[-1][:3] == (3, "ready", "alerting")


def test_the_same_unmet_needs_are_looked_up_once_a_settle() -> None:
    world = World([queue()], [agent(1)])
    world.do(events.AgentNotReady(1))
    for call in range(10, 60):
        world.join(call, needs=((1, 5),))
    looked: list[tuple[int, ...]] = []

    def spy(pool, line, needs, most):  # type: ignore[no-untyped-def]
        looked.append(needs)
        return policy.pick(pool, line, needs, most)

    world.distributor.apply(events.AgentReady(1), world.now)
    decide.decide(world.pool, spy, world.now)
    assert looked == [(1 << 8 | 5,)]
