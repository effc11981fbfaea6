"""What speaks against an agent: true word by word, and gone when its cause is."""

from __future__ import annotations

from random import Random

import msgspec
import pytest

from engine.acd import bars, custom, events, policy, preference, reasons
from engine.acd.model import Policy, RestRule, Ring
from engine.acd.pool import Pool, Queue
from engine.acd.tables import READY
from tests.acd.streams import start
from tests.acd.world import World, agent, offers, queue

KINDS = ("lacks", "ring", "avoid", "preference", "reserve", "hard")


def words(world: World, number: int, call: int = 90) -> tuple[reasons.Reason, ...]:
    """Against the agent of this id, for the caller."""
    pool: Pool = world.pool
    entry = pool.calls[call]
    home = pool.queue_at(pool.entries.queue[entry])
    shut = reasons.barred(pool, home, entry, world.now)
    row = next(row for seat, row in pool.seats[pool.agent_rows[number]] if seat is home)
    needs = () if preference.holds(pool, home, entry, world.now) else pool.needs_of(entry)
    return reasons.against(pool, row, needs, shut)


def test_states_in_words() -> None:
    world = World([queue(wrap_up_ms=5_000, delay_no_answer_ms=9_000)], [agent(n) for n in range(1, 10)])
    one = offers(world.join(10))[0]
    world.answer(one)
    two = offers(world.join(11))[0]
    world.answer(two)
    world.end(11, two.agent)
    three = offers(world.join(12))[0]
    world.fail(three, "no_answer")
    world.do(events.CallLeft(12, "abandoned"))
    world.do(
        events.AgentNotReady(5, "lunch"), events.AgentLoggedOut(6), events.AgentReachable(7, False),
        events.AgentOccupied(8, True, "direct"), events.AgentNotReady(4, ""), events.AgentNotReady(9, ""),
    )  # fmt: skip
    world.join(90)
    expected = {
        one.agent: "talking", two.agent: "wrap_up", three.agent: "resting", 6: "logged_out", 7: "unreachable",
        8: "occupied",
    }  # fmt: skip
    assert {number: words(world, number) for number in expected} == {
        number: ((word, ""),) for number, word in expected.items()
    }
    assert words(world, 5) == (("not_ready", "lunch"),)


def test_skills_rings_and_bars_in_words() -> None:
    spec = queue(rings=(Ring(level=1, for_ms=60_000), Ring()))
    people = [agent(1, skills=((3, 5),)), agent(2, level=2, skills=((3, 9), (4, 1))), agent(3, skills=((3, 9), (4, 1)))]
    world = World([spec], people)
    world.join(90, needs=((3, 9), (4, 1)), avoid=3, avoid_ms=20_000)
    assert words(world, 1) == (("lacks", "3"), ("lacks", "4"))
    assert words(world, 2) == (("ring", ""),)
    assert words(world, 3) == (("avoid", ""),)
    world.wait(20_000)
    assert world.state(3) == "alerting", "the bar was the only thing against him"


def test_who_waits_for_one_agent_asks_no_other_whatever_their_skills() -> None:
    world = World([queue()], [agent(1), agent(2)])
    world.talk(10)
    talking = next(number for number in (1, 2) if world.state(number) == "talking")
    world.join(90, needs=((3, 9),), prefer=talking, prefer_ms=30_000)
    assert words(world, 3 - talking) == (("preference", ""),)
    assert words(world, talking) == (("talking", ""),)


def lined_up(pool: Pool) -> list[tuple[Queue, int]]:
    return [(home, entry) for home in pool.queues if home is not None for _, _, entry in home.waiting]


@pytest.mark.parametrize("seed", range(20))
def test_words_are_those_of_the_bars_and_reading_changes_nothing(seed: int) -> None:
    """Who is barred has a word for it, nobody else has; the pool encodes as before."""
    distributor, stream = start(seed)
    pool, seen = distributor._pool, 0
    for _ in range(250):
        stream.step(distributor)
        for home, entry in lined_up(pool):
            before, due = distributor.encode(), distributor.next_deadline()
            shut = reasons.barred(pool, home, entry, pool.now_ms)
            assert distributor.encode() == before and distributor.next_deadline() == due and not home.barred
            if not bars.apply_to(pool, entry, pool.now_ms):
                assert shut == {}
                continue
            bars.write(pool, home, entry, pool.now_ms)
            written = [row for row in reasons.seats(pool, home) if pool.team.barred[row]]
            bars.clear(pool, home)
            others = [row for row in shut if shut[row] != [("preference", "")]]
            assert sorted(others) == written, "a word for each bar, no word without one"
            assert all(shut.values())
            hard = [row for row, found in shut.items() if ("hard", "") in found]
            assert not hard or pool.entries.hard[entry], "only a hard call's share bars by it"
            seen += len(written)
    assert seen or seed


@pytest.mark.parametrize("seed", range(20))
def test_a_reason_taken_away_makes_a_candidate(seed: int) -> None:
    """Where one thing alone speaks against an agent, removing it makes the pick take him, when nobody else is free."""
    distributor, stream = start(seed)
    chance, tried = Random(seed), dict.fromkeys((*KINDS, "state"), 0)
    for _ in range(300):
        stream.step(distributor)
        waiting = lined_up(distributor._pool)
        if not waiting:
            continue
        home, entry = chance.choice(waiting)
        copy = distributor.decode(distributor.encode())._pool
        seats = reasons.seats(copy, copy.queue_at(home.row))
        if not seats or home.spec.policy is not None:
            continue
        word = _remove(copy, home.row, entry, chance.choice(seats))
        if word:
            tried[word] += 1
    assert sum(tried.values()) > 10


def _remove(pool: Pool, queue_row: int, entry: int, row: int) -> str:
    """On a copy: everybody else goes, the one reason against this agent is removed; its kind, "" if not just one."""
    home, entries, agent_row = pool.queue_at(queue_row), pool.entries, pool.team.agent[row]
    now, needs = pool.now_ms, pool.needs_of(entry)
    for other in [each for each in home.idle if each != row]:
        pool.set_idle(pool.team.agent[other], 0)
    prefers = preference.holds(pool, home, entry, now)
    found = reasons.against(pool, row, () if prefers else needs, reasons.barred(pool, home, entry, now))
    picked = bars.pick(pool, policy.pick, home, entry, 1, now)
    assert picked == ([] if found else [row])
    if len(found) != 1:
        return ""
    word, detail = found[0]
    if word == "lacks":
        held = dict(pool.skill_of[agent_row]) | {int(detail): 16}
        pool.give_skills(agent_row, tuple(sorted(held.items())))
    elif word == "ring":
        entries.ring[entry] = home.ring_top
    elif word == "avoid":
        entries.avoid[entry] = -1
    elif word == "preference":
        entries.prefer[entry] = -1
        if not all(pool.skill_of[agent_row].get(need >> 8, 0) >= need & 0xFF for need in needs):
            return ""
        if reasons.against(pool, row, needs, reasons.barred(pool, home, entry, now)):
            return ""  # a ring or an avoided agent behind it
    elif word == "reserve":
        home.spec = msgspec.structs.replace(home.spec, reserve=())
    elif word == "hard":
        entries.hard[entry] = 0
    else:
        assert pool.agents.state[agent_row] != READY or word in ("unreachable", "leaving", "aside")
        pool.set_idle(agent_row, 1)
    left = reasons.against(pool, row, () if prefers else needs, reasons.barred(pool, home, entry, now))
    if word not in ("reserve", "hard") and left and all(each in ("reserve", "hard") for each, _ in left):
        return ""  # these look at who is idle and fits, which he is only now
    assert bars.pick(pool, policy.pick, home, entry, 1, now) == [row], (word, detail)
    return word if word in KINDS else "state"


def test_a_policy_that_refuses_is_named() -> None:
    idle = (custom.FIELD, custom.FIELDS.index("agent.idle"))
    rule = Policy(((idle,),), (idle, (custom.CONST, 60_000), (custom.GE, 0)))
    world = World([queue(strategy="custom", policy=rule)], [agent(1), agent(2)])
    assert not offers(world.join(90))
    assert words(world, 1) == (("policy", ""),) == words(world, 2)
    assert offers(world.wait(60_000)), "the reason ends by time"


def test_what_is_kept_for_others_and_had_its_share_is_named() -> None:
    spec = queue(reserve=((0, 7, 1),), hard_hold_ms=60_000)
    world = World([spec], [agent(1), agent(2)])
    world.do(events.AgentNotReady(2, "lunch"))
    world.join(90)
    assert words(world, 1) == (("reserve", ""),), "the last one is kept for the class 7"
    plain = World([queue(hard_hold_ms=60_000)], [agent(1), agent(2)])
    plain.do(events.AgentNotReady(2, "lunch"))
    plain.pool.agents.owed[0] = -3 << 16
    plain.join(90, hard=True)
    assert words(plain, 1) == (("hard", ""),)


def test_a_rest_that_is_owed_tells_its_rule() -> None:
    rule = RestRule(pause_ms=30_000)
    world = World([queue()], [agent(1, rests=rule)])
    offer = world.talk(10)
    world.end(10, offer.agent)
    world.join(90)
    assert words(world, 1) == (("resting", "between_calls"),)
