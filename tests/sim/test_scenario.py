"""What of a scenario is left to chance."""

from __future__ import annotations

import msgspec
import pytest

from engine.sim.scenario import EXPONENTIAL, AgentPlan, Law, QueuePlan, Retry, Scenario, Source, overloaded

CERTAIN = Scenario((QueuePlan("q"),), (AgentPlan("a", 1, ((0, 1),)),), (Source(0, at_ms=(0,)),))


def test_moments_and_constants_are_certain() -> None:
    assert CERTAIN.certain


@pytest.mark.parametrize("source", [
    Source(0, rate_per_ms=1.0),
    Source(0, at_ms=(0,), talk=Law(EXPONENTIAL, 1.0)),
    Source(0, at_ms=(0,), patience=Law(EXPONENTIAL, 1.0)),
    Source(0, at_ms=(0,), wrap_up=Law(EXPONENTIAL, 1.0)),
    Source(0, at_ms=(0,), retry=Retry(0.5, Law())),
], ids=["rate", "talk", "patience", "wrap-up", "retry"])
def test_one_draw_is_chance(source: Source) -> None:
    assert not msgspec.structs.replace(CERTAIN, sources=(source,)).certain


def test_ringing_is_chance_too() -> None:
    ringing = QueuePlan("q", ring=Law(EXPONENTIAL, 3_000.0))
    assert not msgspec.structs.replace(CERTAIN, queues=(ringing,)).certain


@pytest.mark.parametrize(("per_min", "more", "words"), [
    (1.0, {}, "1.0 erlangs for 1 agents"), (0.99, {}, ""), (2.0, {"capacity": 9}, ""), (2.0, {"length": 9}, ""),
    (2.0, {"wait_ms_max": 9}, ""),
])
def test_a_queue_that_only_grows_is_told(per_min: float, more: dict[str, int], words: str) -> None:
    source = Source(0, rate_per_ms=per_min / 60_000, talk=Law(EXPONENTIAL, 50_000.0), wrap_up=Law(mean_ms=10_000.0))
    told = overloaded(msgspec.structs.replace(CERTAIN, sources=(source,), queues=(QueuePlan("q", **more),)))
    assert words in "".join(told) and len(told) == bool(words)
    leaving = msgspec.structs.replace(source, patience=Law(EXPONENTIAL, 9.0))
    assert overloaded(msgspec.structs.replace(CERTAIN, sources=(leaving,))) == []
