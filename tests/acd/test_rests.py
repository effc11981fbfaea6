"""Rests that are owed: each cause in virtual time, its bound, and who is told what."""

from __future__ import annotations

from random import Random

import pytest

from engine.acd import events, rests
from engine.acd.machine import Distributor
from engine.acd.model import RestRule
from tests.acd.floor import Floor, inside
from tests.acd.world import Q, World, agent, changes, offers, queue

MINUTE, HOUR = 60_000, 3_600_000


def serve(world: World, call: int, talk_ms: int, number: int = 1) -> bool:
    """One call from joining to its end, answered after a second; False when nobody was offered it."""
    made = offers(world.join(call))
    if not made:
        world.do(events.CallLeft(call, "abandoned"))
        return False
    world.answer(made[0], after=1_000)
    world.end(call, number, after=talk_ms)
    return True


def test_a_pause_between_calls_has_a_reason_and_a_deadline() -> None:
    world = World([queue()], [agent(1, rests=RestRule(pause_ms=10_000))])
    assert serve(world, 10, 5_000)
    assert changes(world.log)[-1] == (1, "talking", "resting", "between_calls")
    assert offers(world.join(11)) == [] and offers(world.wait(9_999)) == []
    assert [offer.call for offer in offers(world.wait(1))] == [11]


def test_after_a_wrap_up_the_pause_begins_with_its_end() -> None:
    world = World([queue(wrap_up_ms=4_000)], [agent(1, rests=RestRule(pause_ms=10_000))])
    assert serve(world, 10, 5_000)
    assert changes(world.wait(4_000)) == [(1, "wrap_up", "resting", "between_calls")]
    assert changes(world.wait(10_000)) == [(1, "resting", "ready", "rest_over")]


def test_long_talk_earns_a_rest_and_a_pause_in_between_counts() -> None:
    rule = RestRule(long_talk_ms=30 * MINUTE, rest_ms=5 * MINUTE)
    world = World([queue()], [agent(1, rests=rule)])
    assert serve(world, 10, 20 * MINUTE) and world.state(1) == "ready"
    assert serve(world, 11, 15 * MINUTE)
    assert changes(world.log)[-1] == (1, "talking", "resting", "long_talk")
    assert changes(world.wait(5 * MINUTE)) == [(1, "resting", "ready", "rest_over")]
    assert serve(world, 12, 25 * MINUTE) and world.state(1) == "ready"
    world.wait(5 * MINUTE)  # nobody called: that was a rest too
    assert serve(world, 13, 25 * MINUTE) and world.state(1) == "ready"
    world.do(events.AgentNotReady(1, "tea"))
    assert serve(world, 14, MINUTE) is False
    world.do(events.AgentReady(1), after=MINUTE)
    assert serve(world, 15, 10 * MINUTE) and world.state(1) == "resting"
    world.do(events.AgentNotReady(1, "tea"))
    assert changes(world.do(events.AgentReady(1), after=2 * MINUTE)) == [(1, "not_ready", "resting", "long_talk")]
    world.wait(5 * MINUTE)
    assert world.state(1) == "ready"


def test_ready_does_not_end_it_nor_does_leaving_and_coming_back() -> None:
    world = World([queue()], [agent(1, rests=RestRule(pause_ms=60_000))])
    assert serve(world, 10, 5_000)
    world.do(events.AgentReady(1), after=1_000)
    assert world.state(1) == "resting"
    world.do(events.AgentLoggedOut(1))
    world.do(events.AgentLoggedIn(1), after=1_000)
    assert world.state(1) == "resting"
    world.wait(58_000)
    assert world.state(1) == "ready"


BUSY = ("alerting", "talking", "wrap_up", "occupied")


@pytest.mark.parametrize("seed", range(4))
def test_no_window_holds_more_work_than_the_ceiling_and_one_call(seed: int) -> None:
    """Eight hours, callers always wait: in whichever hour, work is 85 % of it, but for the call it ends in."""
    chance = Random(seed)
    talks = (30_000, 2 * MINUTE, 6 * MINUTE)
    longest = max(talks) + 1_000 + 20_000
    floor = Floor([queue(wrap_up_ms=20_000, wait_ms_max=HOUR)], [agent(1, rests=RestRule(ceiling=850)), agent(2)])
    for number in range(8 * 60):
        floor.call(number * MINUTE, number, Q, chance.choice(talks))
    floor.run(8 * HOUR)
    spans, free = floor.spans(1, BUSY), floor.spans(2, BUSY)
    windows = [(max(0, end - HOUR), end) for _, end in spans] + [(at, at + HOUR) for at in range(0, 7 * HOUR, MINUTE)]
    most = max(inside(spans, begin, end) for begin, end in windows)
    assert most <= 0.85 * HOUR + longest, f"{most / MINUTE:.1f} min"
    assert max(inside(free, begin, end) for begin, end in windows) > 0.98 * HOUR  # who has no ceiling never rests
    rests_of_his = [(at, reason) for at, state, reason in floor.states[1] if state == "resting"]
    assert len(rests_of_his) >= 5 and {reason for _, reason in rests_of_his} == {"occupancy"}
    assert inside(spans, 0, 8 * HOUR) >= 0.75 * 8 * HOUR  # and the ceiling doesn't waste him


def test_the_count_of_a_window_is_never_below_the_truth_and_at_most_a_bucket_above() -> None:
    chance = Random(5)
    world = World([queue()], [agent(1, rests=RestRule(ceiling=990, window_ms=12_000))])
    busy: list[tuple[int, int]] = []
    for number in range(200):
        world.wait(chance.choice((0, 10, 400, 3_000, 20_000)))
        if world.state(1) != "ready":
            continue
        (offer,) = offers(world.join(number))
        begin = world.now
        world.answer(offer, after=chance.choice((0, 100)))
        world.end(number, 1, after=chance.choice((1, 300, 2_000, 5_000, 30_000)))
        busy.append((begin, world.now))
        counted = rests.busy_ms(world.pool, 0, world.now)
        assert inside(busy, world.now - 12_000, world.now) <= counted <= inside(busy, world.now - 13_000, world.now)


def test_a_rest_gives_way_to_who_has_waited_too_long_and_to_nobody_else() -> None:
    rule = RestRule(pause_ms=HOUR, gives_way_ms=5 * MINUTE)
    world = World([queue()], [agent(1, rests=rule)])
    assert serve(world, 10, 5_000)
    world.join(11)
    world.wait(5 * MINUTE - 1)
    assert world.state(1) == "resting"
    told = world.wait(1)
    assert changes(told)[0] == (1, "resting", "ready", "caller_waits")
    assert [offer.call for offer in offers(told)] == [11]


def test_who_has_waited_too_long_keeps_others_from_resting() -> None:
    world = World([queue()], [agent(1, rests=RestRule(pause_ms=HOUR, gives_way_ms=5 * MINUTE))])
    (offer,) = offers(world.join(10))
    world.answer(offer)
    world.join(11)
    told = world.end(10, 1, after=6 * MINUTE)
    assert [offer.call for offer in offers(told)] == [11]


def test_a_new_agent_gets_more_calls_day_by_day_until_his_ramp_is_over() -> None:
    rule = RestRule(ramp_days=20, ramp_from=4, ramp_to=12)
    day = rests.DAY_MS
    assert [rests.gap_ms(rule, at * day) for at in (0, 1, 10, 19, 20)] == [
        HOUR // 4, HOUR // 4, HOUR // 8, HOUR // 11, 0,
    ]  # fmt: skip
    world = World([queue()], [agent(1, rests=rule)])
    assert serve(world, 10, MINUTE)
    assert changes(world.log)[-1] == (1, "talking", "resting", "new_agent")
    world.wait(HOUR // 4 - MINUTE - 1)
    assert world.state(1) == "resting"
    world.wait(1)
    assert world.state(1) == "ready"
    started_long_ago = World([queue()], [agent(1, rests=RestRule(started_ms=-20 * day, ramp_days=20, ramp_from=1))])
    assert serve(started_long_ago, 10, MINUTE) and started_long_ago.state(1) == "ready"


def test_no_hour_of_a_new_agent_holds_more_calls_than_his_share() -> None:
    rule = RestRule(ramp_days=10, ramp_from=5, ramp_to=5)
    floor = Floor([queue(wait_ms_max=HOUR)], [agent(1, rests=rule), agent(2)])
    for number in range(8 * 60):
        floor.call(number * MINUTE, number, Q, 50_000)
    floor.run(8 * HOUR)
    his = [at for at, _, who, _ in floor.served if who == 1]
    assert 36 <= len(his) <= 40
    assert max(sum(begin <= at < begin + HOUR for at in his) for begin in his) <= 5


def test_state_outlives_encoding_and_a_reload_that_changes_the_rule() -> None:
    rule = RestRule(ceiling=500, window_ms=12 * MINUTE)
    world = World([queue()], [agent(1, rests=rule)])
    assert serve(world, 10, 8 * MINUTE) and world.state(1) == "resting"
    row = world.distributor.snapshot_agents(world.now)[0]
    assert row["reason"] == "occupancy" and row["rests"]["occupancy"] == 1 and row["until_ms"] > 0
    world.distributor = Distributor.decode(world.distributor.encode())
    assert world.distributor.snapshot_agents(world.now)[0] == row
    world.distributor.configure([queue()], [agent(1)], world.now)
    world.settle()
    assert world.state(1) == "ready", "without the rule there is no rest"
