"""Laws have the moments they promise, and streams don't disturb each other."""

from __future__ import annotations

import statistics

import msgspec
import pytest

from engine.sim import draws
from engine.sim.scenario import EXPONENTIAL, INFINITE, LOGNORMAL, AgentPlan, Law, QueuePlan, Scenario, Source

SCENARIO = Scenario(
    (QueuePlan("q"),), (AgentPlan("a", 1, ((0, 1),)),),
    (Source(0, rate_per_ms=0.001, talk=Law(EXPONENTIAL, 60_000.0)), Source(0, rate_per_ms=0.003)), seed=5, calls=20_000,
)  # fmt: skip


@pytest.mark.parametrize(("law", "mean", "deviation"), [
    (Law(EXPONENTIAL, 60_000.0), 60_000, 60_000), (Law(LOGNORMAL, 180_000.0, 1.2), 180_000, 216_000),
    (Law(LOGNORMAL, 9_000.0, 0.0), 9_000, 0), (Law(mean_ms=1_234.0), 1_234, 0),
])
def test_moments(law: Law, mean: float, deviation: float) -> None:
    drawn = draws.durations(law, draws.stream(SCENARIO, 0, 0, draws.TALK), 200_000)
    assert statistics.fmean(drawn) == pytest.approx(mean, rel=0.02)
    assert statistics.pstdev(drawn) == pytest.approx(deviation, rel=0.05, abs=1)
    assert min(drawn) >= 0 and type(drawn[0]) is int


def test_bounds() -> None:
    generator = draws.stream(SCENARIO, 0, 0, draws.TALK)
    assert max(draws.durations(Law(EXPONENTIAL, 60_000.0), generator, 1_000, 70_000)) == 70_000
    assert draws.durations(Law(INFINITE), generator, 2) == [draws.NEVER] * 2


def test_arrivals_are_merged_poisson_streams() -> None:
    moments, sources, counts = draws.arrivals(SCENARIO, 0)
    assert len(moments) == len(sources) == sum(counts) == 20_000
    assert (moments[1:] >= moments[:-1]).all()
    assert counts[1] / 20_000 == pytest.approx(0.75, abs=0.02)
    assert moments[-1] == pytest.approx(20_000 / 0.004, rel=0.03)
    gaps = moments[1:] - moments[:-1]
    assert gaps.std() == pytest.approx(gaps.mean(), rel=0.05)


def test_a_duration_ends_them() -> None:
    moments, _, _ = draws.arrivals(msgspec.structs.replace(SCENARIO, calls=0, duration_ms=1_000_000), 0)
    assert 3_700 < len(moments) < 4_300 and moments[-1] <= 1_000_000


def test_same_seed_same_numbers_and_replications_differ() -> None:
    first, second, other = (draws.arrivals(SCENARIO, replication)[0].tolist() for replication in (0, 0, 1))
    assert first == second != other
    assert draws.Drawn(SCENARIO, 0, 0, 9).talk == draws.Drawn(SCENARIO, 0, 0, 9).talk


def test_a_longer_run_begins_as_the_shorter_one() -> None:
    longer = msgspec.structs.replace(SCENARIO, calls=40_000)
    assert draws.arrivals(longer, 0)[0][:20_000].tolist() == draws.arrivals(SCENARIO, 0)[0].tolist()
    assert draws.Drawn(longer, 0, 0, 900).talk[:300] == draws.Drawn(SCENARIO, 0, 0, 300).talk


def test_what_one_source_does_moves_no_other() -> None:
    changed = msgspec.structs.replace(
        SCENARIO, sources=(msgspec.structs.replace(SCENARIO.sources[0], patience=Law(EXPONENTIAL, 1.0)),
                           SCENARIO.sources[1]))  # fmt: skip
    assert draws.arrivals(changed, 0)[0].tolist() == draws.arrivals(SCENARIO, 0)[0].tolist()
    assert draws.Drawn(changed, 0, 0, 50).talk == draws.Drawn(SCENARIO, 0, 0, 50).talk
