"""Explanations: their winner is the pick's, in random pools of every strategy; what is always kept agrees with them."""

from __future__ import annotations

from collections import Counter
from random import Random

import msgspec
import pytest

from engine.acd import bars, commands, custom, events, explain, policy, turns
from engine.acd.commands import Decided, Offer
from engine.acd.model import Policy
from engine.acd.pool import Pool, Queue
from engine.acd.saving import encode
from tests.acd.states import random_needs, random_pool, shuffle
from tests.acd.streams import start
from tests.acd.world import World, agent, offers, queue

BY_CALLS = Policy((((custom.FIELD, custom.FIELDS.index("agent.calls")),),), ())


def give_needs(pool: Pool, needs: tuple[int, ...]) -> None:
    for place, column in enumerate(pool.entries.needs):
        column[0] = needs[place] if place < len(needs) else 0


@pytest.mark.parametrize("seed", range(20))
def test_the_winner_is_the_picks(seed: int) -> None:
    """10⁴ states in all, of every strategy; a full key decides as the pick does, term after term."""
    chance, met = Random(seed), Counter[str]()
    for _ in range(25):
        pool = random_pool(chance, chance.choice((1, 4, 12, 40)))
        queues = [home for home in pool.queues if home is not None]
        for home in queues:
            if policy.STRATEGIES[home.strategy].name == "custom":
                home.spec = msgspec.structs.replace(home.spec, policy=BY_CALLS)
        pool.policies = True
        for _ in range(10):
            shuffle(chance, pool)
            give_needs(pool, random_needs(chance))
            for home in queues:
                bars.clear(pool, home)
                pool.entries.queue[0] = home.row
                turns.prepare(pool, home, 0)
                rows = bars.pick(pool, policy.pick, home, 0, policy.offers_first(home), 1)
                before = encode(pool)
                told = explain.explain(pool, home, 0, 1)
                assert encode(pool) == before
                assert sorted(told.picked) == sorted(pool.agents.id[pool.team.agent[row]] for row in rows)
                _candidates_lost_for_a_reason(told)
                met[told.strategy] += 1
    assert sum(met.values()) == 500 and len(met) > 10


def _candidates_lost_for_a_reason(told: explain.Explanation) -> None:
    winner = next((seat for seat in told.seats if seat.picked), None)
    for seat in told.seats:
        assert bool(seat.against) != (seat.picked or bool(seat.lost_by))
        if winner is None or seat.picked or seat.against:
            continue
        assert seat.key >= winner.key and len(seat.key) == len(told.columns) == len(seat.shown)
        if seat.lost_by == explain.ORDER:
            assert seat.key == winner.key
        else:
            place = told.columns.index(seat.lost_by)
            assert seat.key[:place] == winner.key[:place] and seat.key[place] > winner.key[place]


@pytest.mark.parametrize("seed", range(24))
def test_what_is_kept_agrees_with_the_whole_in_a_living_pool(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each decision of a random stream: asked, counts, names and key are those of the full explanation; each offer
    has its decision before it. Half of the streams take the way for many agents."""
    if seed % 2:
        monkeypatch.setattr(explain, "ONE_BY_ONE_MAX", 0)
    distributor, stream = start(seed)
    kinds = Counter[str]()

    def both(pool: Pool, home: Queue, entry: int, rows: list[int], now_ms: int) -> None:
        explain.brief(pool, home, entry, rows, now_ms)
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
    assert len(kept.near) <= explain.NAMED_MAX
    near = [(each.agent, each.word, each.detail) for each in kept.near]
    assert len({number for number, _, _ in near}) == len(near)
    for number, word, detail in near:
        seat = seats[number]
        assert (word, detail) == (seat.against[0] if seat.against else (seat.lost_by, ""))
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
    assert told.near == (
        commands.Near(2, "idle_ms"), commands.Near(3, "level"), commands.Near(4, "not_ready", "lunch"),
    )  # fmt: skip


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
