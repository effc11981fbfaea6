"""A site's own policy: like the language's expressions agent by agent, bounded, and never a stuck caller."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from engine import limits
from engine.acd import custom, events, occupancy
from engine.acd.commands import Breach
from engine.acd.machine import Distributor
from engine.acd.model import Policy, Program
from engine.call.routing import _CODES
from engine.dialplan import evaluation, expressions, policy_reader
from engine.dialplan.types import NUMBER
from engine.errors import LocalError
from tests.acd.states import SKILLS, random_pool, shuffle
from tests.acd.world import R, World, agent, offers, queue

NAMES = {**policy_reader.FIELDS, **{f"agent.skill.s{number}": NUMBER for number in range(SKILLS + 1)}}
NUMBERS = [name for name, kind in NAMES.items() if kind == NUMBER]
DURATIONS = [name for name, kind in NAMES.items() if kind != NUMBER]


def program(text: str) -> Program:
    """An expression as the distributor runs it."""
    words: list[tuple[str, Any]] = []
    policy_reader._flatten(expressions.compile_expression(text, NAMES).tree, words)
    codes = {"const": custom.CONST, "field": custom.FIELD, "skill": custom.SKILL, **_CODES}
    numbers = {"field": custom.FIELDS.index, "skill": lambda name: int(name[1:])}
    return tuple((codes[sign], numbers.get(sign, int)(what)) for sign, what in words)


def text(chance: Random, kind: str, depth: int) -> str:
    """A random expression of this kind: number, duration or flag."""
    if kind == "flag":
        how = chance.randrange(4) if depth else 3
        if how == 0:
            return f"not {text(chance, 'flag', depth - 1)}" if chance.random() < 0.5 else "agent.level in (1, 3)"
        if how < 3:
            left, right = (text(chance, "flag", depth - 1) for _ in range(2))
            return f"({left} {chance.choice(('and', 'or'))} {right})"
        side = chance.choice(("number", "duration"))
        sign = chance.choice(("=", "!=", "<", "<=", ">", ">="))
        return f"{text(chance, side, 1)} {sign} {text(chance, side, 1)}"
    if not depth or chance.random() < 0.3:
        if chance.random() < 0.3:
            return f"{chance.choice((0, 1, 7, 30, 999_999_999_999_999))}{'s' if kind == 'duration' else ''}".replace(
                "999999999999999s", "999999999s"
            )
        return chance.choice(NUMBERS if kind == "number" else DURATIONS)
    sign = chance.choice("+-*")
    left = text(chance, kind, depth - 1)
    right = text(chance, "number" if sign == "*" else kind, depth - 1)
    return f"({left} {sign} {right})"


def facts(pool: Any, line: Any, row: int, now: int) -> dict[str, int]:
    """What the expressions read, for one candidate, by plain Python."""
    member, agents, entries = pool.team.agent[row], pool.agents, pool.entries
    held = dict(pool.specs[member].skills)
    return {
        "agent.level": pool.team.level[row], "agent.position": pool.team.position[row],
        "agent.idle": now - agents.idle_since[member], "agent.calls": agents.call_load[member] >> 16,
        "agent.talk": agents.talk_load[member], "agent.answered": agents.answered[member],
        "agent.occupancy": occupancy.at(pool, member, now) * 1000 // occupancy.ONE,
        "caller.waited": now - entries.joined[0], "caller.priority": entries.joined[0] - entries.effective[0],
        "agent.latency": pool.specs[member].latency_ms, "agent.cost": pool.specs[member].cost,
        "agent.near": int(pool.specs[member].office == entries.office[0] != 0),
        "queue.waiting": len(line.waiting), **{f"agent.skill.s{n}": held.get(n, 0) for n in range(SKILLS + 1)},
    }  # fmt: skip


def test_like_the_expressions_agent_by_agent() -> None:
    chance, compared = Random(8), 0
    for _ in range(80):
        pool = random_pool(chance, 9)
        shuffle(chance, pool)
        line, now = pool.queue_at(0), chance.randrange(10, 10_000_000)
        pool.entries.joined[0], pool.entries.effective[0] = now - chance.randrange(10), now - chance.randrange(99)
        for row in range(9):
            pool.agents.call_load[row], pool.agents.answered[row] = chance.getrandbits(20), chance.getrandbits(52)
            pool.agents.occupancy[row] = chance.getrandbits(32)
        pool.specs = [
            each and replace(each, latency_ms=chance.randrange(99), cost=row % 5, office=chance.randrange(3))
            for row, each in enumerate(pool.specs)
        ]
        pool.entries.office[0] = chance.randrange(3)
        rows = np.array(line.idle, dtype=np.int64)
        for _ in range(25):
            said = text(chance, chance.choice(("number", "duration", "flag")), 4)
            run = custom.run(pool, line, program(said), rows, 0, now)
            found = np.broadcast_to(np.asarray(run), rows.shape).tolist()
            tree = expressions.compile_expression(said, NAMES).tree
            assert found == [int(evaluation.evaluate(tree, facts(pool, line, row, now), {})) for row in line.idle], (
                said
            )
            compared += len(found)
    assert compared > 4_000


def test_ranks_are_the_lexicographic_order_of_the_values() -> None:
    chance = Random(9)
    for _ in range(100):
        pool = random_pool(chance, 12)
        shuffle(chance, pool)
        line = pool.queue_at(0)
        rows = np.array(line.idle, dtype=np.int64)
        texts = [text(chance, "number", 2) for _ in range(chance.randint(1, 4))]
        policy = Policy(tuple(map(program, texts)), program(text(chance, "flag", 2)))
        custom.check(policy)
        admitted, ranks = custom.decide(pool, line, policy, rows, 0, 50)
        trees = [expressions.compile_expression(each, NAMES).tree for each in texts]
        keys = [
            tuple(evaluation.evaluate(tree, facts(pool, line, row, 50), {}) for tree in trees) for row in line.idle
        ]
        for one, key in enumerate(keys):
            for other, second in enumerate(keys):
                assert (ranks[one] < ranks[other], ranks[one] == ranks[other]) == (key < second, key == second)
        assert admitted is not None and admitted.shape == rows.shape


def own(*order: str, admit: str = "", **more: Any) -> Any:
    return queue(strategy="custom", policy=Policy(tuple(map(program, order)), program(admit) if admit else ()), **more)


@pytest.mark.parametrize("kernels", ["python", "numba"])
def test_agents_are_asked_in_the_order_of_the_site(kernels: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.acd.policy.KERNEL_FROM", 1)
    people = [agent(1, level=3), agent(2, level=1, skills=((1, 4),)), agent(3, level=3, skills=((1, 9),)), agent(4)]
    world = World([own("0 - agent.level", "0 - agent.skill.s1")], people, kernels=kernels)
    assert [offers(world.join(call))[0].agent for call in range(10, 14)] == [3, 1, 2, 4]


def test_who_isn_t_admitted_is_asked_when_the_rule_s_time_has_come() -> None:
    people = [agent(1, skills=((1, 1),)), agent(2, skills=((1, 9),))]
    world = World([own("agent.level", admit="agent.skill.s1 >= 5 or caller.waited > 10s")], people)
    world.talk(9)
    assert offers(world.join(10)) == []
    assert offers(world.wait(10_000)) == []
    assert [offer.agent for offer in offers(world.wait(1_001))] == [1]


def test_who_is_near_the_call_is_asked_before_who_is_far_and_dear() -> None:
    people = [agent(1, office=1, latency_ms=90, cost=3), agent(2, office=2, latency_ms=5), agent(3, office=3, cost=1)]
    nearest = own("0 - agent.near", "agent.latency", "agent.cost")
    world = World([nearest], people)
    assert [offers(world.join(call, office=1))[0].agent for call in (10, 11, 12)] == [1, 3, 2]
    world = World([nearest], people)
    assert offers(world.join(10))[0].agent == 3, "a call of no office is near to nobody"
    world = World([own("agent.level", admit="agent.near = 1 or caller.waited > 10s")], people)
    assert offers(world.join(10, office=2))[0].agent == 2
    assert offers(world.join(11, office=2)) == []
    assert offers(world.wait(10_000)) == []
    assert len(offers(world.wait(1_001))) == 1


def test_a_rule_without_time_is_looked_at_once_for_all_who_wait() -> None:
    world = World([own("agent.level", admit="agent.skill.s1 >= 5")], [agent(1)])
    for call in range(10, 40):
        assert offers(world.join(call)) == []
    asked: list[int] = []
    real = world.distributor._pick
    world.distributor._pick = lambda *given: asked.append(1) or real(*given)
    world.pool.touch(world.pool.queue_at(0))
    assert offers(world.settle()) == [] and len(asked) == 1
    assert world.distributor.next_deadline() is not None and not world.pool.entries.look_at[0]
    assert offers(world.do(events.AgentSkills(1, ((1, 5),))))[0].call == 10


def test_bars_and_preferences_hold_under_a_policy() -> None:
    world = World([own("agent.level")], [agent(1), agent(2, level=2)])
    assert [offer.agent for offer in offers(world.join(10, avoid=1, avoid_ms=9_000))] == [2]
    world = World([own("agent.level")], [agent(1), agent(2, level=2)])
    assert [offer.agent for offer in offers(world.join(10, prefer=2, prefer_ms=9_000))] == [2]


def test_a_fault_falls_back_to_longest_idle_and_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World([own("0 - agent.level"), queue(R)], [agent(1), agent(2, level=5), agent(3)])

    def broken(*given: object) -> None:
        raise ValueError("a test")

    monkeypatch.setattr(custom, "run", broken)
    world.distributor.apply(events.CallJoined(10, 1), world.now)
    world.distributor.apply(events.CallJoined(11, 1), world.now)
    out = world.distributor.settle(world.now)
    assert [offer.agent for offer in offers(out)] == [1, 2]
    assert [each for each in out if isinstance(each, Breach)] == [
        Breach("policy", "queue queue1: a test; longest idle time decides")
    ]


@pytest.mark.parametrize(
    "bad",
    [
        Policy(()),
        Policy((((custom.CONST, 1),),) * (limits.policy_expressions_max + 1)),
        Policy((((custom.ADD, 0),),)),
        Policy((((custom.CONST, 1), (custom.CONST, 1)),)),
        Policy((((custom.FIELD, 99),),)),
        Policy((((custom.SKILL, -1),),)),
        Policy((((99, 0),),)),
        Policy((((custom.CONST, 1 << 60),),)),
        Policy((((custom.CONST, 1), *((custom.NOT, 0),) * limits.policy_nodes_max),)),
        Policy((((custom.CONST, 1),),), ((custom.NOT, 0),)),
    ],
)
def test_a_program_that_can_t_run_is_refused_before_it_changes_anything(bad: Policy) -> None:
    with pytest.raises(LocalError):
        World([queue(strategy="custom", policy=bad)], [agent(1)])


def test_a_policy_is_state() -> None:
    world = World([own("agent.level * 2", admit="agent.level < 9")], [agent(1)])
    again = Distributor.decode(world.distributor.encode())
    assert again._pool.policies and again._pool.queues[0].spec == world.pool.queues[0].spec
    assert again.encode() == world.distributor.encode()
