"""What is kept of every decision agrees with the whole explanation, for small teams and large ones."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from engine.acd import brief, events, explain
from engine.acd.commands import Decided, Offer
from engine.acd.pool import Pool, Queue
from engine.acd.saving import encode
from tests.acd.states import random_needs, random_pool, shuffle
from tests.acd.streams import start
from tests.acd.world import World, agent, offers, queue


@pytest.mark.parametrize("seed", range(24))
def test_what_is_kept_agrees_with_the_whole_in_a_living_pool(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each decision of a random stream: asked, counts, names and key are those of the full explanation; each offer
    has its decision before it. Half of the streams take the way for many agents."""
    if seed % 2:
        monkeypatch.setattr(brief, "ONE_BY_ONE_MAX", 0)
    distributor, stream = start(seed)
    kinds = Counter[str]()

    def both(pool: Pool, home: Queue, entry: int, rows: list[int], now_ms: int) -> None:
        brief.brief(pool, home, entry, rows, now_ms)
        kept = pool.out[-1]
        assert isinstance(kept, Decided)
        before = encode(pool)
        told = explain.explain(pool, home, entry, now_ms, len(rows) if pool.entries.ringing[entry] else 0)
        assert encode(pool) == before
        _agree(kept, told)
        kinds[kept.strategy if kept.asked else "nobody"] += 1

    distributor.explains(both)
    for _ in range(250):
        out = stream.step(distributor)
        asked = [(each.call, number) for each in out if isinstance(each, Decided) for number in each.asked]
        made = [(each.call, each.agent) for each in out if isinstance(each, Offer)]
        assert made == asked
    assert kinds["nobody"] and len(kinds) > 1


def _agree(kept: Decided, told: explain.Explanation) -> None:
    assert (kept.call, kept.queue, kept.strategy) == (told.call, told.queue, told.strategy)
    assert sorted(kept.asked) == sorted(told.picked)
    first = Counter(seat.against[0] for seat in told.seats if seat.against)
    assert dict(kept.against) == dict(first)
    seats = {seat.agent: seat for seat in told.seats}
    assert kept.others == sum(not seat.against and not seat.picked for seat in told.seats)
    assert len(kept.near) <= brief.NAMED_MAX
    near = list(kept.near)
    assert len({number for number, _, _ in near}) == len(near)
    for number, word, detail in near:
        seat = seats[number]
        free = (explain.ORDER if not kept.asked else seat.lost_by, "")
        assert (word, detail) == (seat.against[0] if seat.against else free)
        assert not (kept.asked and seat.against)
    there = [seat for seat in told.seats if seat.against and seat.against[0][0] != "logged_out"]
    named_max = brief.LOSERS_MAX if kept.asked else brief.NAMED_MAX
    assert len(near) == min(named_max, kept.others + (0 if kept.asked else len(there)))
    if kept.asked:
        assert kept.key == seats[kept.asked[0]].shown


def test_key_and_losers_in_words_that_people_know() -> None:
    world = World([queue()], [agent(1), agent(2), agent(3, level=2), agent(4)])
    world.distributor.explains()
    world.do(events.AgentNotReady(4, "lunch"))
    told, offer = (each for each in world.join(10, after=5_000) if isinstance(each, Decided | Offer))
    assert isinstance(told, Decided) and isinstance(offer, Offer)
    assert told.asked == (offer.agent,) == (1,) and told.strategy == "longest-idle-agent" and told.others == 2
    assert told.key == (("level", 1), ("idle_ms", 5_004)) and told.against == ((("not_ready", "lunch"), 1),)
    assert told.near == ((2, "idle_ms", ""), (3, "level", ""))


def test_who_begins_to_wait_is_told_once_and_again_when_his_phone_stopped_in_vain() -> None:
    world = World([queue(ring_ms_max=4_000)], [agent(1)])
    world.distributor.explains()
    offer = offers(world.join(10))[0]
    (nobody,) = (each for each in world.join(11) if isinstance(each, Decided))
    assert nobody.call == 11 and nobody.asked == () == nobody.key and nobody.against == ((("alerting", ""), 1),)
    told = [each for each in world.fail(offer, "busy") if isinstance(each, Decided)]
    assert [(each.call, each.asked, dict(each.against)) for each in told] == [(10, (), {("resting", ""): 1})]
    assert not [each for each in world.wait(3_000) if isinstance(each, Decided)], "nothing began"


def test_without_an_explainer_nothing_is_told_or_kept() -> None:
    world = World([queue()], [agent(1)])
    world.join(10)
    world.join(11)
    assert not [each for each in world.log if isinstance(each, Decided)] and world.pool.begun == []


@pytest.mark.parametrize("seed", range(10))
def test_a_walk_and_whole_columns_say_the_same(seed: int) -> None:
    chance, told = Random(seed), Counter[str]()
    for _ in range(40):
        pool = random_pool(chance, chance.choice((0, 3, 25, 90)))
        shuffle(chance, pool)
        for row in range(len(pool.specs)):
            if not pool.agents.idle[row]:
                pool.agents.state[row] = chance.randrange(8)
                pool.agents.reachable[row] = chance.randrange(2)
                pool.pause_reasons[row] = chance.choice(("", "lunch", "break"))
        needs = random_needs(chance)
        for home in pool.queues:
            assert home is not None
            rows = home.idle[: chance.choice((0, 1, 1, 2))]
            rows = [row for row in rows if not needs or chance.random() < 0.5]
            rows = [
                row
                for row in rows
                if all(pool.skill_of[pool.team.agent[row]].get(need >> 8, 0) >= need & 0xFF for need in needs)
            ]
            walk = brief._each(pool, home, needs, {}, rows)
            whole = brief._many(pool, home, needs, rows)
            assert walk[:2] == (dict(whole[0]), whole[1])
            assert walk[2][: brief.NAMED_MAX] == whole[2][: brief.NAMED_MAX]
            told.update(word for word, _ in walk[0])
    assert len(told) >= 9, told


def test_of_a_large_team_only_the_first_reasons_are_looked_at() -> None:
    world = World([queue()], [agent(number) for number in range(1, 101)])
    for number in range(2, 101):
        world.do(events.AgentNotReady(number, f"r{number % 2}"))
    world.distributor.explains()
    (told,) = (each for each in world.join(10) if isinstance(each, Decided))
    assert dict(told.against) == {("not_ready", "r0"): 32, ("not_ready", "r1"): 32, ("not_ready", ""): 35}
    assert told.asked == (1,) and told.near == ()
