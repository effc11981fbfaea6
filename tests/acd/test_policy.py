"""Strategies: meaning on small examples, names, and the twin against the naive oracle."""

from __future__ import annotations

from random import Random

import pytest

from engine.acd import events, policy, turns
from engine.acd.columns import AgentColumns, TeamColumns
from engine.acd.policy import AGENT, ALIASES, NAMES, SKILL, STRATEGIES, TEAM, TERM_TABLES, TERMS_MAX, number_of
from engine.dialplan import strategies
from engine.errors import LocalError
from tests.acd.naive import KEYS, agent_rows, choose
from tests.acd.states import random_needs, random_pool, shuffle
from tests.acd.world import Q, World, agent, offers, queue


def test_names() -> None:
    asterisk = ("ringall", "leastrecent", "fewestcalls", "random", "rrmemory", "rrordered", "linear", "wrandom")
    freeswitch = (
        "longest-idle-agent", "agent-with-least-talk-time", "agent-with-fewest-calls", "ring-all",
        "ring-progressively", "random", "sequentially-by-agent-order", "round-robin", "top-down",
    )  # fmt: skip
    avaya = (
        "ucd-mia", "uniform-call-distribution", "ead-mia", "most-idle", "ucd-loa", "ead-loa", "least-occupied",
    )  # fmt: skip
    assert set(NAMES) == {*asterisk, *freeswitch, *avaya, "custom"} == set(KEYS) | {"ring-all", "ringall"}
    assert set(strategies.NAMES) == set(NAMES), "what an admin may write is what is built"
    for name in NAMES:
        assert STRATEGIES[number_of(name)].name == ALIASES.get(name, name)
    with pytest.raises(LocalError, match="unknown strategy 'longest-idle': one of longest-idle-agent"):
        number_of("longest-idle")


def test_terms_name_columns_that_exist_and_fit() -> None:
    for strategy, table in zip(STRATEGIES, TERM_TABLES, strict=True):
        assert table.shape == (TERMS_MAX, 3) and len(strategy.terms) <= TERMS_MAX
        for term, (source, field, sign) in zip(strategy.terms, table.tolist(), strict=False):
            if term.source == SKILL:
                assert term is strategy.terms[0] and (source, field, sign) == (SKILL, 0, -1)
                continue
            assert source == term.source and source in (TEAM, AGENT)
            assert (TeamColumns, AgentColumns)[source].fields[field] == term.field
            assert sign in (-1, 1)
        assert not table[len(strategy.terms) :].any()


def test_longest_idle_by_level_then_idle_time_then_position_then_row() -> None:
    people = [agent(1, level=2), agent(2, level=1, position=5), agent(3, level=1, position=4), agent(4, level=1)]
    world = World([queue()], people)
    columns = world.pool.agents
    for row, since in enumerate((0, 50, 50, 60)):
        columns.idle_since[row] = since
    assert [offers(world.join(10 + turn))[0].agent for turn in range(4)] == [3, 2, 4, 1]


def test_ring_all_rings_the_best_level_that_has_anybody() -> None:
    people = [agent(1, level=2), agent(2, level=1, position=2), agent(3, level=1, position=1), agent(4, level=3)]
    world = World([queue(strategy="ring-all")], people)
    assert [offer.agent for offer in offers(world.join(10))] == [3, 2]
    assert [offer.agent for offer in offers(world.join(11))] == [1]


def test_ring_all_is_bounded_by_offers_max() -> None:
    world = World([queue(strategy="ring-all", offers_max=2)], [agent(n) for n in range(1, 6)])
    assert [offer.agent for offer in offers(world.join(10))] == [1, 2]
    assert policy.offers_at_once(world.pool.queue_at(0)) == 2
    wide = World([queue(strategy="ring-all")], [agent(n) for n in range(1, 80)])
    assert len(offers(wide.join(10))) == 64


def test_leastrecent_follows_the_end_of_the_last_conversation_and_nothing_else() -> None:
    world = World([queue(strategy="leastrecent", wrap_up_ms=5_000)], [agent(n) for n in (1, 2, 3, 4)])
    for call, talked in ((10, 9_000), (11, 1_000), (12, 5_000)):  # 1, 2, 3; their wrap-ups end 5 s later
        offer = world.talk(call)
        world.wait(talked)
        world.end(call, offer.agent)
        world.wait(6_000)
    assert [offers(world.join(20 + turn))[0].agent for turn in range(4)] == [4, 1, 2, 3], "4 has had no call"


def test_leastrecent_a_new_login_does_not_jump_the_line() -> None:
    world = World([queue(strategy="leastrecent")], [agent(1), agent(2)])
    for call in (10, 11):
        world.end(call, world.talk(call).agent, after=1_000)
    world.do(events.AgentLoggedOut(2), after=1_000)
    world.do(events.AgentLoggedIn(2), after=1_000)
    assert offers(world.join(12))[0].agent == 1, "2 had the later call, whatever he did since"


def test_sequentially_asks_the_first_in_order_who_is_free() -> None:
    people = [agent(1, position=3), agent(2, position=1), agent(3, position=2), agent(4, level=2), agent(5, position=1)]
    world = World([queue(strategy="sequentially-by-agent-order")], people)
    asked = []
    for call in range(10, 14):
        asked.append(world.talk(call).agent)
        world.end(call, asked[-1], after=1_000)
    assert asked == [2, 5, 2, 5], "one position: who was offered a call last comes last"
    assert [offers(world.join(20 + turn))[0].agent for turn in range(5)] == [2, 5, 3, 1, 4]


def test_uniform_distribution_asks_who_is_idle_for_longest_over_all_levels() -> None:
    people = [agent(1, level=3), agent(2, level=1), agent(3, level=2, skills=((1, 1),)), agent(4, skills=((1, 16),))]
    world = World([queue(strategy="ucd-mia")], people)
    for row, since in enumerate((50, 60, 40, 45)):
        world.pool.agents.idle_since[row] = since
    assert [offers(world.join(10 + turn, needs=needs))[0].agent for turn, needs in enumerate(((), ((1, 1),), ()))] == [
        3, 4, 1,
    ]  # fmt: skip


def test_the_expert_is_asked_first_at_the_skill_that_is_needed_first_then_by_level_and_idle_time() -> None:
    people = [
        agent(1, skills=((1, 3), (2, 9))),
        agent(2, level=2, skills=((1, 9), (2, 1))),
        agent(3, skills=((1, 9), (2, 2))),
        agent(4, skills=((1, 9), (2, 3))),
    ]
    world = World([queue(strategy="ead-mia")], people)
    for row, since in enumerate((10, 20, 40, 30)):
        world.pool.agents.idle_since[row] = since
    both = ((1, 2), (2, 1))
    assert [offers(world.join(10 + turn, needs=both))[0].agent for turn in range(4)] == [4, 3, 2, 1]
    again = World([queue(strategy="most-idle")], people)
    assert offers(again.join(10, needs=both[::-1]))[0].agent == 1
    assert offers(again.join(11))[0].agent == 3, "nothing is needed: by level and idle time"


def test_needs_are_minimum_levels() -> None:
    people = [agent(1, skills=((1, 3),)), agent(2, skills=((1, 9), (2, 1))), agent(3)]
    world = World([queue()], people)
    assert [offer.agent for offer in offers(world.join(10, needs=((1, 4),)))] == [2]
    assert offers(world.join(11, needs=((1, 4),))) == []
    assert [offer.agent for offer in offers(world.join(12, needs=((1, 3),)))] == [1]
    assert offers(world.join(13, needs=((9, 1),))) == [], "a skill that nobody has"
    assert [offer.agent for offer in offers(world.join(14))] == [3]


@pytest.mark.parametrize("seed", range(20))
def test_twin_is_the_oracle(seed: int) -> None:
    chance = Random(seed)
    for _ in range(4):
        pool = random_pool(chance, chance.randint(1, 30))
        for _ in range(20):
            shuffle(chance, pool)
            for number in (0, 1):
                line, needs = pool.queue_at(number), random_needs(chance)
                most = policy.offers_first(line)
                turns.prepare(pool, line, 0)
                assert agent_rows(pool, policy.pick(pool, line, needs, most)) == choose(pool, line, needs, most)


def test_a_strategy_of_other_terms_needs_no_new_code() -> None:
    """Fewest answered first, then highest position: what later strategies are made of."""
    term, position = policy.Term(AGENT, "answered"), policy.Term(TEAM, "position", -1)
    world = World([queue()], [agent(n, position=n) for n in range(1, 5)])
    pool = world.pool
    for row, answered in enumerate((2, 1, 1, 3)):
        pool.agents.answered[row] = answered
    rows = policy._best(pool, policy._best(pool, pool.queue_at(0).idle, term), position)
    assert agent_rows(pool, rows) == [2] and Q == 1
