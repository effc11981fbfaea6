"""Which engine runs a scenario: the compiled loop where it knows every rule of it, else the production distributor.

Both give the same calls to the millisecond. A small scenario is over before numba is loaded, so only large ones are
given to the loop by themselves.
"""

from __future__ import annotations

from engine.sim.queueing import Run
from engine.sim.scenario import Scenario

KERNEL, DISTRIBUTOR, AUTO = "kernel", "distributor", "auto"
WISHES = (AUTO, KERNEL, DISTRIBUTOR)
kernel_calls_min = 20_000  # of all replications: a second of the distributor, about what loading the loop takes


def expected_calls(scenario: Scenario) -> int:
    """Fresh callers of all replications, about."""
    coming = scenario.calls or round(sum(source.rate_per_ms for source in scenario.sources) * scenario.duration_ms)
    return (coming + sum(len(source.at_ms) for source in scenario.sources)) * scenario.replications


def choose(scenarios: list[Scenario], wish: str = AUTO) -> tuple[str, str]:
    """(KERNEL or DISTRIBUTOR, why not the kernel although it was worth it): one engine for all of these scenarios."""
    if wish == DISTRIBUTOR:
        return DISTRIBUTOR, ""
    if wish == AUTO and sum(expected_calls(each) for each in scenarios) < kernel_calls_min:
        return DISTRIBUTOR, ""
    from engine.sim import kernel_run

    for each in scenarios:
        strange = kernel_run.unsupported(each)
        if strange:
            return DISTRIBUTOR, f"the compiled loop doesn't know {strange}"
    return KERNEL, ""


def run(scenario: Scenario, engine: str) -> list[Run]:
    """Every replication, run to its end. Raises LocalError on a broken invariant."""
    runs = []
    for replication in range(scenario.replications):
        each = Run(scenario, replication)
        if engine == KERNEL:
            from engine.sim import kernel_run

            kernel_run.go(each)
        else:
            each.go()
        runs.append(each)
    return runs
