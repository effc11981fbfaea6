"""The fewest agents of each group with which every queue holds its service level, found by simulating.

Erlang's formulas know one queue and one skill; this knows whatever a scenario says. Every trial meets the same
callers (`draws`), so one more agent is never worse by chance alone, and a bisection may trust the order. A level holds
when its 95 % interval lies above the target.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import msgspec

from engine import limits
from engine.errors import LimitExceeded, LocalError
from engine.sim import engines, estimates
from engine.sim.estimates import Figure
from engine.sim.scenario import Scenario

trials_expected = 12  # of an average search, to choose the engine by


class Plan(msgspec.Struct, frozen=True):
    """`counts`: agents by group; `figures`: what each queue reaches with them; `trials`: simulations that it took."""

    counts: tuple[int, ...]
    figures: dict[str, dict[str, Figure]]
    trials: int
    engine: str


class _Search:
    def __init__(self, scenario: Scenario, share: float, engine: str) -> None:
        self.scenario, self.share, self.engine = scenario, share, engine
        self.tried: dict[tuple[int, ...], dict[str, dict[str, Figure]]] = {}

    def figures(self, counts: tuple[int, ...]) -> dict[str, dict[str, Figure]]:
        if counts not in self.tried:
            changed = with_counts(self.scenario, counts)
            self.tried[counts] = estimates.estimate(changed, engines.run(changed, self.engine))
        return self.tried[counts]

    def holds(self, counts: tuple[int, ...]) -> bool:
        """Is every queue's service level surely reached? LocalError when the runs are too short to say."""
        for queue, figures in self.figures(counts).items():
            mean, half = figures["service_level"]["mean"], figures["service_level"]["half_width"]
            if mean is None:
                continue  # nobody calls there
            if half is None:
                raise LocalError(f"too few calls of {queue} to say how sure its service level is: simulate more calls, "
                                 "or several replications")  # fmt: skip
            if mean - half < self.share:
                return False
        return True

    def fewest(self, low: int, high: int, counts_of: Callable[[int], tuple[int, ...]]) -> int:
        """The smallest number in low … high that holds; `high` is known to."""
        while low < high:
            middle = (low + high) // 2
            if self.holds(counts_of(middle)):
                high = middle
            else:
                low = middle + 1
        return high


def with_counts(scenario: Scenario, counts: tuple[int, ...]) -> Scenario:
    """The same with other numbers of agents."""
    groups = tuple(msgspec.structs.replace(group, count=count) for group, count in zip(scenario.agents, counts,
                   strict=True))  # fmt: skip
    return msgspec.structs.replace(scenario, agents=groups)


def fewest(scenario: Scenario, share: float, *, engine: str = engines.AUTO) -> Plan:
    """First all groups in the scenario's proportion, then group by group from the first: none can do with one fewer.

    `share`: of the calls offered, answered within the queue's own service level time. Raises LimitExceeded when no
    number of agents up to the limit reaches it, LocalError when the runs are too short.
    """
    used, _ = engines.choose([scenario] * trials_expected, engine)
    search = _Search(scenario, share, used)
    base = [group.count for group in scenario.agents]

    def scaled(sixteenths: int) -> tuple[int, ...]:
        return tuple(math.ceil(count * sixteenths / 16) for count in base)

    high = 16
    while not search.holds(scaled(high)):
        high *= 2
        if sum(scaled(high)) > limits.agents_max:
            raise LimitExceeded("agents_max", limits.agents_max)
    counts = scaled(search.fewest(0, high, scaled))
    for group in range(len(counts)):

        def alone(count: int, at: int = group, others: tuple[int, ...] = counts) -> tuple[int, ...]:
            return (*others[:at], count, *others[at + 1 :])

        counts = alone(search.fewest(0, counts[group], alone))
    return Plan(counts, search.figures(counts), len(search.tried), used)
