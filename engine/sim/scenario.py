"""What `ringdown simulate` simulates: queues, agents and callers by name, times in ms (`scenario_reader` reads them).

No part of this is state: a scenario and its seed give the same result to the byte.
"""

from __future__ import annotations

import msgspec

CONSTANT, EXPONENTIAL, LOGNORMAL, INFINITE = "constant", "exponential", "lognormal", "infinite"


class Law(msgspec.Struct, frozen=True):
    """How a duration is distributed. `mean_ms` of 0 with kind constant: at once. `cv`: deviation / mean (lognormal)."""

    kind: str = CONSTANT
    mean_ms: float = 0.0
    cv: float = 0.0

    @property
    def certain(self) -> bool:
        """Nothing is left to chance."""
        return self.kind in (CONSTANT, INFINITE)


class Retry(msgspec.Struct, frozen=True):
    """Who got nobody calls again with this `chance`, `after` so long, at most `times` times."""

    chance: float
    after: Law
    times: int = 1


class QueuePlan(msgspec.Struct, frozen=True):
    """`capacity`: callers in the queue and its conversations together, K of M/M/n/K; `length`: those waiting alone.

    0 means no bound of the scenario's own. `ring`: how long the phone rings before the agent answers.
    """

    name: str
    strategy: str = "longest-idle-agent"
    capacity: int = 0
    length: int = 0
    wait_ms_max: int = 0
    service_level_ms: int = 20_000
    ring: Law = Law()
    weight: int = 0


class AgentPlan(msgspec.Struct, frozen=True):
    """`count` agents alike. `queues`: (queue's index, tier); `skills`: (skill's number, level 1–16)."""

    name: str
    count: int
    queues: tuple[tuple[int, int], ...]
    skills: tuple[tuple[int, int], ...] = ()


class Source(msgspec.Struct, frozen=True):
    """One stream of callers of one queue: Poisson with `rate_per_ms`, or at the moments of `at_ms`."""

    queue: int
    rate_per_ms: float = 0.0
    at_ms: tuple[int, ...] = ()
    needs: tuple[tuple[int, int], ...] = ()
    priority_ms: int = 0
    patience: Law = Law(INFINITE)
    talk: Law = Law(CONSTANT, 180_000.0)
    wrap_up: Law = Law()
    retry: Retry | None = None

    @property
    def certain(self) -> bool:
        """No draw can change what these callers do."""
        laws = (self.patience, self.talk, self.wrap_up)
        return not self.rate_per_ms and self.retry is None and all(law.certain for law in laws)


class Scenario(msgspec.Struct, frozen=True):
    """The whole. `calls` or `duration_ms` ends the arrivals; with neither, the last `at:` does.

    The first `warm_up_calls` callers, or those before `warm_up_ms`, are simulated but not counted. `calls` counts
    them too; callers who try again are not counted in it.
    """

    queues: tuple[QueuePlan, ...]
    agents: tuple[AgentPlan, ...]
    sources: tuple[Source, ...]
    skills: tuple[str, ...] = ()
    seed: int = 1
    calls: int = 0
    duration_ms: int = 0
    warm_up_calls: int = 0
    warm_up_ms: int = 0
    replications: int = 1
    batches: int = 20

    @property
    def certain(self) -> bool:
        """Nothing is drawn: one run is the whole truth."""
        return all(source.certain for source in self.sources) and all(queue.ring.certain for queue in self.queues)


def overloaded(scenario: Scenario) -> list[str]:
    """Queues, in words, that only grow: more talk and wrap-up than agents, and nothing that ever sends callers away."""
    found = []
    for number, plan in enumerate(scenario.queues):
        if plan.capacity or plan.length or plan.wait_ms_max:
            continue
        endless = [each for each in scenario.sources if each.queue == number and each.patience.kind == INFINITE]
        load = sum(each.rate_per_ms * (each.talk.mean_ms + each.wrap_up.mean_ms) for each in endless)
        agents = sum(group.count for group in scenario.agents if number in dict(group.queues))
        if load >= agents:
            found.append(
                f"the queue {plan.name} has {load:.1f} erlangs for {agents} agents from callers who never give up: "
                "its waits grow as long as the run lasts, so its figures say nothing but that"
            )
    return found
