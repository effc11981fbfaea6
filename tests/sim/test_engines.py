"""Which engine runs what: large and known goes to the loop, and whatever it doesn't know to the distributor."""

from __future__ import annotations

import subprocess
import sys

import msgspec
import pytest

from engine.sim import engines
from engine.sim.scenario import AgentPlan, QueuePlan, Scenario, Source

SMALL = Scenario((QueuePlan("q"),), (AgentPlan("a", 3, ((0, 1),)),), (Source(0, 1 / 30_000),), calls=60)
LARGE = msgspec.structs.replace(SMALL, calls=30_000)
UNKNOWN = msgspec.structs.replace(LARGE, queues=(QueuePlan("q", strategy="ucd-loa"),))


def test_size_and_wish_and_what_the_loop_does_not_know() -> None:
    assert engines.choose([SMALL]) == ("distributor", "")
    assert engines.choose([SMALL], "kernel") == ("kernel", "")
    assert engines.choose([LARGE]) == ("kernel", "")
    assert engines.choose([LARGE], "distributor") == ("distributor", "")
    told = "the compiled loop doesn't know the strategy ucd-loa"
    assert engines.choose([UNKNOWN]) == engines.choose([LARGE, UNKNOWN], "kernel") == ("distributor", told)


def test_callers_are_counted_over_replications_and_by_time() -> None:
    assert engines.expected_calls(msgspec.structs.replace(SMALL, replications=4)) == 240
    hour = msgspec.structs.replace(SMALL, calls=0, duration_ms=3_600_000)
    assert engines.expected_calls(hour) == 120


@pytest.mark.parametrize("engine", ["kernel", "distributor"])
def test_every_replication_is_run(engine: str) -> None:
    runs = engines.run(msgspec.structs.replace(SMALL, replications=2), engine)
    assert [len(run.calls) for run in runs] == [60, 60]
    assert runs[0].calls.listed().arrived != runs[1].calls.listed().arrived


def test_a_small_scenario_never_loads_numba() -> None:
    code = (
        "import sys; from tests.sim.test_engines import SMALL; from engine.sim import engines; "
        "engines.run(SMALL, engines.choose([SMALL])[0]); sys.exit('numba' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
