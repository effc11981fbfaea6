"""A pool laid out and taken back is as before, and what the loop doesn't know is named."""

from __future__ import annotations

from random import Random

import msgspec
import pytest

from engine.acd import policy, tables
from engine.acd.kernel_state import lay_out, strange, take_back
from engine.acd.model import AgentSpec, QueueSpec
from tests.acd.kernel_streams import CALLS, play_python, site, state_of, steps


def test_laid_out_and_taken_back() -> None:
    for seed in range(100):
        chance = Random(seed)
        distributor = site(chance)
        play_python(distributor, steps(chance, distributor._pool, 60))
        before = state_of(distributor)
        lines = [(list(q.order), list(q.waiting), list(q.idle)) for q in distributor._pool.queues if q is not None]
        take_back(distributor._pool, lay_out(distributor._pool, CALLS))
        assert state_of(distributor) == before
        after = [(list(q.order), list(q.waiting), list(q.idle)) for q in distributor._pool.queues if q is not None]
        assert after == lines


def extended(struct: msgspec.Struct, **more: int) -> msgspec.Struct:
    """As if the struct had got a new field with the default 0."""
    fields = [(name, int, 0) for name in more]
    bigger = msgspec.defstruct(type(struct).__name__, fields, bases=(type(struct),), frozen=True)
    return bigger(**{**msgspec.structs.asdict(struct), **more})


def test_a_new_field_is_named_when_it_says_something() -> None:
    queue, agent = QueueSpec(0, "q"), AgentSpec(0, "a")
    assert strange([queue], [agent]) == ""
    assert strange([extended(queue, novelty=0)], [extended(agent, novelty=0)]) == ""  # type: ignore[list-item]
    assert strange([extended(queue, novelty=1)], [agent]) == "novelty of the queue q"  # type: ignore[list-item]
    assert strange([queue], [extended(agent, novelty=1)]) == "novelty of the agent a"  # type: ignore[list-item]


def test_rings_and_needs_that_change_are_left_to_the_distributor() -> None:
    from engine.acd.model import Ring

    assert strange([QueueSpec(0, "q", rings=(Ring(1, (), (), 5_000), Ring()))], []) == "rings of the queue q"


@pytest.mark.parametrize("what", ["strategy", "action", "state"])
def test_a_new_strategy_action_or_state_is_named(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if what == "strategy":
        newer = policy.Strategy("longest-idle-agent", (policy.Term(policy.AGENT, "answered"),))
        monkeypatch.setattr(policy, "STRATEGIES", (newer, *policy.STRATEGIES[1:]))
    elif what == "action":
        monkeypatch.setitem(tables.ACTIONS, "sing", 256)
    else:
        monkeypatch.setattr(tables, "AGENT_STATES", (*tables.AGENT_STATES, "asleep"))
    assert what in strange([QueueSpec(0, "q")], [])


def test_the_strategies_that_are_left_to_the_distributor() -> None:
    left = [name for name in policy.NAMES if strange([QueueSpec(0, "q", strategy=name)], [])]
    assert left == ["ucd-loa", "custom", "ead-loa", "least-occupied"], "no occupancies and no policies of sites"


def test_rules_for_people_are_left_to_the_distributor() -> None:
    from engine.acd.model import RestRule

    assert strange([QueueSpec(0, "q", reserve=((0, 0, 2),))], []) == "reserve of the queue q"
    assert strange([], [AgentSpec(0, "a", rests=RestRule(ceiling=800))]) == "rests of the agent a"
