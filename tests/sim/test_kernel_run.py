"""The compiled run is the production distributor's run: the same calls, the same state, and what it doesn't know."""

from __future__ import annotations

import os
import subprocess
import sys
from random import Random

import msgspec
import pytest

from engine.sim import kernel_run
from engine.sim.queueing import Run
from engine.sim.scenario import (
    EXPONENTIAL,
    INFINITE,
    LOGNORMAL,
    AgentPlan,
    Law,
    QueuePlan,
    Retry,
    Scenario,
    Source,
)
from tests.acd.kernel_streams import LOOPED, state_of

SMALL = Scenario((QueuePlan("q"),), (AgentPlan("a", 3, ((0, 1),)),), (Source(0, 1 / 30_000),), calls=40)


def random_scenario(chance: Random, calls: int) -> Scenario:
    """One to three queues of any strategy, groups of agents with skills and tiers, and every kind of caller."""

    def law(mean_ms: float) -> Law:
        return chance.choice((Law("constant", mean_ms), Law(EXPONENTIAL, mean_ms), Law(LOGNORMAL, mean_ms, 1.2)))

    queues = tuple(
        QueuePlan(
            f"q{number}", strategy=chance.choice(LOOPED), capacity=chance.choice((0, 0, 9)),
            length=chance.choice((0, 0, 4)), wait_ms_max=chance.choice((0, 60_000)), weight=chance.choice((0, 0, 2)),
            ring=chance.choice((Law(), Law("constant", 3_000), Law(EXPONENTIAL, 9_000), Law("constant", 21_000))),
        )
        for number in range(chance.randint(1, 3))
    )  # fmt: skip
    groups = tuple(
        AgentPlan(
            f"g{number}", chance.randint(1, 4),
            tuple((queue, chance.randint(1, 2)) for queue in range(len(queues)) if chance.random() < 0.7),
            tuple((skill, chance.randint(1, 9)) for skill in range(3) if chance.random() < 0.7),
        )
        for number in range(chance.randint(1, 4))
    )  # fmt: skip
    sources = tuple(
        Source(
            chance.randrange(len(queues)), rate_per_ms=1 / chance.choice((4_000, 20_000)),
            needs=chance.choice(((), (), ((0, 2),), ((1, 1), (2, 3)))), priority_ms=chance.choice((0, 0, 30_000)),
            patience=chance.choice((Law(EXPONENTIAL, 60_000), Law("constant", 45_000), Law(EXPONENTIAL, 5_000))),
            talk=law(40_000), wrap_up=chance.choice((Law(), law(8_000))),
            retry=chance.choice((None, Retry(0.7, Law(EXPONENTIAL, 20_000), 2))),
        )
        for _ in range(chance.randint(1, 3))
    )  # fmt: skip
    return Scenario(queues, groups, sources, seed=chance.randrange(1_000), calls=calls)


def same(scenario: Scenario) -> Run:
    """Run it both ways; the compiled one."""
    one, two = Run(scenario, 1), Run(scenario, 1)
    one.go()
    kernel_run.go(two)
    for name in kernel_run.CALL_FIELDS:
        assert list(getattr(two.calls, name)) == getattr(one.calls, name), name
    assert state_of(one.distributor) == state_of(two.distributor)
    return two


@pytest.mark.parametrize("seed", range(80))
def test_a_compiled_run_is_the_distributors_run(seed: int) -> None:
    scenario = random_scenario(Random(seed), 120)
    assert kernel_run.unsupported(scenario) == ""
    same(scenario)


def test_the_same_without_the_compiler() -> None:
    code = (
        "from random import Random; from tests.sim.test_kernel_run import random_scenario, same; "
        "[same(random_scenario(Random(seed), 60)) for seed in range(50, 56)]"
    )
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    assert subprocess.run([sys.executable, "-c", code], check=False, env=environment).returncode == 0


@pytest.mark.parametrize("strategy", LOOPED)
def test_every_strategy_runs_compiled(strategy: str) -> None:
    plan = QueuePlan("q", strategy=strategy, ring=Law(EXPONENTIAL, 4_000))
    found = msgspec.structs.replace(SMALL, queues=(plan,), calls=80)
    calls = same(found).calls
    assert len(calls) == 80 and list(calls.outcome).count(1) > 40


def test_callers_without_end_and_moments_of_their_own() -> None:
    source = Source(0, at_ms=(0, 0, 5, 9_000), patience=Law(INFINITE), talk=Law("constant", 10_000))
    found = msgspec.structs.replace(SMALL, sources=(source,), calls=0)
    assert list(same(found).calls.ended) == [10_000, 10_000, 10_005, 20_000]


def test_room_that_runs_out_is_made_and_the_run_begins_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """So few rings are drawn at first that they don't last."""
    real = kernel_run._floor
    asked: list[int] = []

    def few(run: Run, rings: int) -> kernel_run.Floor:
        asked.append(rings)
        return real(run, 10 if len(asked) == 1 else rings)

    monkeypatch.setattr(kernel_run, "_floor", few)
    plan = QueuePlan("q", ring=Law(EXPONENTIAL, 4_000))
    same(msgspec.structs.replace(SMALL, queues=(plan,)))
    assert len(asked) == 2


@pytest.mark.parametrize("kind", ["scenario", "queue", "agents", "source"])
def test_a_key_that_the_loop_does_not_know_is_named_and_not_ignored(kind: str) -> None:
    """As if somebody had given the scenario a new key: at its default it changes nothing, else the loop stands back."""

    def extended(struct: msgspec.Struct, value: int) -> msgspec.Struct:
        base = type(struct)
        bigger = msgspec.defstruct(base.__name__, [("novelty", int, 0)], bases=(base,), frozen=True)
        return bigger(**{**msgspec.structs.asdict(struct), "novelty": value})

    for value, expected in ((0, ""), (1, "novelty of ")):
        found: Scenario = SMALL
        if kind == "scenario":
            found = extended(SMALL, value)  # type: ignore[assignment]
        else:
            key = {"queue": "queues", "agents": "agents", "source": "sources"}[kind]
            found = msgspec.structs.replace(SMALL, **{key: (extended(getattr(SMALL, key)[0], value),)})
        told = kernel_run.unsupported(found)
        assert told.startswith(expected) and bool(told) == bool(expected)
