"""Offers: RONA and its reasons, late answers, the machine's own ring limit, ids that are never reused."""

from __future__ import annotations

import pytest

from engine import limits
from engine.acd import events
from engine.acd import offers as offer_rows
from engine.acd.offers import FAILURES, REASONS
from engine.acd.pool import LATE_MS, OFFER_GRACE_MS
from tests.acd.world import World, agent, cancels, changes, connects, endings, offers, queue

DELAYS = {
    "no_answer": 1_000, "busy": 2_000, "rejected": 3_000, "do_not_disturb": 7_000, "forwarded": 4_000,
    "unreachable": 5_000, "error": 6_000,
}  # fmt: skip
SPEC = {
    "delay_no_answer_ms": 1_000, "delay_busy_ms": 2_000, "delay_reject_ms": 3_000, "delay_do_not_disturb_ms": 7_000,
    "delay_forwarded_ms": 4_000, "delay_unreachable_ms": 5_000, "delay_error_ms": 6_000,
}  # fmt: skip


@pytest.mark.parametrize("reason", list(DELAYS))
def test_each_failure_rests_for_its_own_time(reason: str) -> None:
    world = World([queue(**SPEC)], [agent(1)])
    offer = offers(world.join(10))[0]
    out = world.fail(offer, reason, after=400)
    assert endings(out) == [(1, reason)] and cancels(out) == []
    assert changes(out) == [(1, "alerting", "resting", reason)]
    world.wait(DELAYS[reason] - 1)
    assert world.state(1) == "resting"
    out = world.wait(1)
    assert changes(out)[0] == (1, "resting", "ready", "rest_over")
    assert [again.call for again in offers(out)] == [10], "the caller kept his place"


def test_an_unknown_reason_is_our_own_error() -> None:
    world = World([queue(**SPEC)], [agent(1)])
    assert endings(world.fail(offers(world.join(10))[0], "martians")) == [(1, "error")]


def test_every_reason_of_the_contract_is_known() -> None:
    assert set(FAILURES) == {"no_answer", "busy", "rejected", "do_not_disturb", "forwarded", "unreachable", "error"}
    assert set(FAILURES) < set(REASONS)
    assert all(field in type(queue()).__struct_fields__ for field, _ in FAILURES.values())


def test_misses_in_a_row_end_in_not_ready_and_ready_begins_anew() -> None:
    world = World([queue(misses_max=2, delay_no_answer_ms=1_000)], [agent(1)])
    first = offers(world.join(10))[0]
    world.fail(first, "no_answer")
    second = offers(world.wait(1_000))[0]
    assert changes(world.fail(second, "forwarded")) == [(1, "alerting", "not_ready", "missed")]
    assert world.distributor.snapshot_agents(world.now)[0]["reason"] == "missed"
    third = offers(world.do(events.AgentReady(1)))[0]
    assert changes(world.fail(third, "no_answer"))[0][2] == "resting"


def test_only_nobody_at_the_desk_counts_as_a_miss() -> None:
    world = World([queue(misses_max=1, **dict.fromkeys(SPEC, 0))], [agent(1)])
    out = world.join(10)
    for reason in ("busy", "rejected", "do_not_disturb", "unreachable", "error"):
        out = world.fail(offers(out)[0], reason)
    assert changes(world.fail(offers(out)[0], "no_answer"))[0][2:] == ("not_ready", "missed")


def test_an_answer_resets_the_misses() -> None:
    world = World([queue(misses_max=2, delay_no_answer_ms=0)], [agent(1)])
    again = offers(world.fail(offers(world.join(10))[0], "no_answer"))[0]
    world.answer(again)
    world.end(10, 1)
    assert world.state(1) == "ready"
    world.fail(offers(world.join(11))[0], "no_answer")
    assert world.state(1) == "alerting"


def test_misses_max_zero_never_pauses_anybody() -> None:
    world = World([queue(misses_max=0, delay_no_answer_ms=0)], [agent(1)])
    out = world.join(10)
    for _ in range(10):
        out = world.fail(offers(out)[0], "no_answer")
    assert world.state(1) == "alerting"


def test_ready_ends_the_rest() -> None:
    world = World([queue()], [agent(1)])
    world.fail(offers(world.join(10))[0], "busy")
    assert len(offers(world.do(events.AgentReady(1)))) == 1


def test_an_owner_who_never_answers_loses_the_offer_by_itself() -> None:
    world = World([queue(ring_ms_max=15_000)], [agent(1)])
    offer = offers(world.join(10))[0]
    assert offer.ring_ms_max == 15_000
    assert world.distributor.next_deadline() == world.now + 15_000 + OFFER_GRACE_MS
    out = world.wait(15_000 + OFFER_GRACE_MS)
    assert [(c.offer, c.reason) for c in cancels(out)] == [(offer.offer, "timeout")]
    assert endings(out) == [(1, "no_answer")]
    assert [c.reason for c in cancels(world.answer(offer))] == ["timeout"]


@pytest.mark.parametrize("ring", [0, -5, 10**9])
def test_ring_time_is_bounded(ring: int) -> None:
    world = World([queue(ring_ms_max=ring)], [agent(1)])
    assert offers(world.join(10))[0].ring_ms_max == limits.ring_ms_max


def test_a_crossing_answer_is_told_why_it_lost_and_costs_the_agent_nothing() -> None:
    world = World([queue(wrap_up_ms=9_000)], [agent(1)])
    offer = offers(world.join(10))[0]
    out = world.do(events.CallLeft(10, "abandoned"), after=3_000)
    assert [c.reason for c in cancels(out)] == ["caller_gone"]
    assert changes(out) == [(1, "alerting", "ready", "caller_gone")]
    out = world.answer(offer)
    assert [(c.offer, c.agent, c.call, c.reason) for c in cancels(out)] == [(offer.offer, 1, 10, "caller_gone")]
    assert connects(out) == [] and world.state(1) == "ready"


def test_a_moved_caller_cancels_as_moved() -> None:
    world = World([queue()], [agent(1)])
    world.join(10)
    assert [c.reason for c in cancels(world.do(events.CallLeft(10, "moved")))] == ["moved"]


def test_the_same_answer_twice_does_not_end_the_conversation() -> None:
    world = World([queue()], [agent(1)])
    offer = world.talk(10)
    assert world.answer(offer) == []
    assert world.fail(offer, "error") == []
    assert world.state(1) == "talking"
    world.end(10, 1)
    assert [c.reason for c in cancels(world.answer(offer))] == ["caller_gone"]


@pytest.mark.parametrize("number", [0, -1, 1, 65_535, 65_536 * 9, 2**40])
def test_unknown_offers_are_cancelled_by_their_own_number(number: int) -> None:
    world = World([queue()], [agent(1)])
    out = world.do(events.OfferAnswered(number))
    assert [(c.offer, c.agent, c.call, c.reason) for c in cancels(out)] == [(number, -1, -1, "timeout")]
    assert world.do(events.OfferFailed(number, "busy")) == []


def test_ids_are_not_reused_and_rows_are() -> None:
    world = World([queue(delay_reject_ms=0)], [agent(1)])
    out = world.join(10)
    seen = []
    for _ in range(20):
        offer = offers(out)[0]
        seen.append(offer.offer)
        out = world.fail(offer, "rejected", after=LATE_MS // 4)
    assert len(set(seen)) == 20
    assert world.pool.offers.used < 10
    assert [c.agent for c in cancels(world.do(events.OfferAnswered(seen[0])))] == [-1], "forgotten after LATE_MS"
    assert [c.agent for c in cancels(world.do(events.OfferAnswered(seen[-1])))] == [1], "still remembered"


def test_when_every_row_is_in_use_the_oldest_closed_one_is_forgotten() -> None:
    world = World([queue(delay_reject_ms=0)], [agent(1)])
    world.pool.offers.capacity_max = 3
    out = world.join(10)
    first = offers(out)[0]
    for _ in range(5):
        out = world.fail(offers(out)[0], "rejected")
    assert len(world.pool.offers) == 3
    assert offer_rows.find(world.pool, first.offer) == -1


def test_no_row_at_all_leaves_the_caller_waiting_and_says_so() -> None:
    world = World([queue()], [agent(1), agent(2)])
    world.pool.offers.capacity_max = 1
    world.join(10)
    world.distributor.apply(events.CallJoined(11, 1), world.now)
    out = world.distributor.settle(world.now)
    assert [getattr(command, "rule", "") for command in out] == ["offers_max"]
    assert world.distributor.position(11) == 2 and world.state(2) == "ready"
