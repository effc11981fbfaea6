"""What distribution costs: `python -m tests.bench.bench_acd [--quick]` prints microseconds; no thresholds here.

Shapes are named in each line. "a call" is CallJoined + settle, OfferAnswered + settle, CallEnded + settle with
every agent idle at its start and no wrap-up: the dearest case, since every idle agent is a candidate.
"""

from __future__ import annotations

import sys
import time

from engine.acd import events, policy, turns
from engine.acd.commands import Offer
from engine.acd.machine import Distributor
from engine.acd.model import AgentSpec, QueueSpec

SKILLS = 32


def staffed(
    agents: int, kernels: str = "python", *, ready: bool = True, strategy: str = "longest-idle-agent"
) -> Distributor:
    distributor = Distributor(1, kernels=kernels)
    specs = [
        AgentSpec(
            row, f"a{row}", queues=((1, 1, row),), skills=tuple((s, 1 + (row + s) % 16) for s in range(SKILLS))
        )
        for row in range(agents)
    ]
    distributor.configure([QueueSpec(1, "q", strategy=strategy, wait_ms_max=3_600_000)], specs, 0)
    for row in range(agents if ready else 0):
        distributor.apply(events.AgentReachable(row, True), row)
        distributor.apply(events.AgentLoggedIn(row), row)
    distributor.settle(agents)
    return distributor


def best_of(run: object, rounds: int = 5) -> float:
    """The fastest round in µs: the others hold the machine's noise."""
    times = []
    for _ in range(rounds):
        before = time.perf_counter()
        run()  # type: ignore[operator]
        times.append(time.perf_counter() - before)
    return min(times) * 1e6


def whole_calls(agents: int, kernels: str, calls: int) -> float:
    distributor = staffed(agents, kernels)
    at = [1_000_000, 0]

    def run() -> None:
        for _ in range(calls):
            at[0] += 1_000
            at[1] += 1
            now, call = at
            distributor.apply(events.CallJoined(call, 1), now)
            offer = distributor.settle(now)[0]
            assert isinstance(offer, Offer)
            distributor.apply(events.OfferAnswered(offer.offer), now + 100)
            distributor.settle(now + 100)
            distributor.apply(events.CallEnded(call, offer.agent), now + 900)
            distributor.settle(now + 900)

    return best_of(run) / calls


def decision(agents: int, kernels: str, needs: tuple[int, ...]) -> float:
    """One pick among `agents` idle ones."""
    distributor = staffed(agents, kernels)
    pool = distributor._pool
    queue = pool.queue_at(0)
    pick = policy.pick
    if kernels == "numba":
        from engine.acd.kernel_pick import run_kernel as pick
    pick(pool, queue, needs, 1)
    rounds = max(20, 200_000 // agents // 10)

    def run() -> None:
        for _ in range(rounds):
            pick(pool, queue, needs, 1)

    return best_of(run) / rounds


def by_strategy(agents: int, kernels: str, strategy: str) -> float:
    """One `prepare` and pick among `agents` idle ones for a caller who was given somebody in the middle before."""
    distributor = staffed(agents, kernels, strategy=strategy)
    pool = distributor._pool
    queue = pool.queue_at(0)
    queue.turns = {1: agents // 2}
    pool.entries.asked[pool.entries.take()] = agents // 2
    pick = policy.pick
    if kernels == "numba":
        from engine.acd.kernel_pick import run_kernel as pick
    memory, most = policy.STRATEGIES[queue.strategy].memory, policy.offers_first(queue)
    rounds = max(20, 20_000 // agents)

    def run() -> None:
        for _ in range(rounds):
            if memory:
                turns.prepare(pool, queue, 0)
            pick(pool, queue, (), most)

    run()
    return best_of(run) / rounds


def burst(agents: int, kernels: str) -> float:
    """`agents` come back from a pause at once while 10,000 callers wait: apply and one settle, CPU ms."""
    distributor = staffed(agents, kernels, ready=False)
    for call in range(10_000):
        distributor.apply(events.CallJoined(call, 1), call)
    for row in range(agents):
        distributor.apply(events.AgentReachable(row, True), 10_000)
        distributor.apply(events.AgentLoggedIn(row, False), 10_000)
    distributor.settle(10_000)
    before = time.process_time()
    for row in range(agents):
        distributor.apply(events.AgentReady(row), 20_000)
    distributor.settle(20_000)
    return (time.process_time() - before) * 1e3


def quiet(waiting: int, busy: int, kernels: str) -> float:
    """Share of a core, in per cent, while `waiting` callers wait and `busy` agents talk and nothing else happens.

    The owner looks for deadlines and settles 50 times a second, and takes the figures of every queue once a second.
    """
    distributor = staffed(busy, kernels)
    distributor.settle(busy)
    for call in range(busy + waiting):
        distributor.apply(events.CallJoined(call, 1), 20_000)
    while offers := [each for each in distributor.settle(20_000) if isinstance(each, Offer)]:
        for offer in offers:
            distributor.apply(events.OfferAnswered(offer.offer), 20_000)
    assert distributor.queue_length(1) == waiting and distributor.agent_totals()["talking"] == busy
    seconds = 60
    before = time.process_time()
    for tick in range(50 * seconds):
        now_ms = 20_000 + 20 * tick
        if distributor.perhaps_due(now_ms):
            distributor.expire(now_ms)
        assert not distributor.settle(now_ms)
        distributor.next_deadline()
        if tick % 50 == 0:
            distributor.gauges(0, distributor.queue_rows(), now_ms)
    return (time.process_time() - before) / seconds * 100


def main(quick: bool = False) -> None:
    sizes = (100, 1_000) if quick else (100, 1_000, 10_000)
    for kernels in ("python", "numba"):
        for agents in sizes:
            print(f"a call, {agents} idle agents, {kernels}: {whole_calls(agents, kernels, 200):.1f} µs")
        for agents in sizes:
            needs = tuple(skill << 8 | 4 for skill in (3, 9))
            print(
                f"a decision, {agents} idle agents, {kernels}: {decision(agents, kernels, ()):.1f} µs, "
                f"with 2 of {SKILLS} skills needed {decision(agents, kernels, needs):.1f} µs"
            )
    for strategy in policy.STRATEGIES:
        for agents in sizes[1:]:
            costs = [by_strategy(agents, kernels, strategy.name) for kernels in ("python", "numba")]
            name = strategy.name
            print(f"a decision, {agents} idle agents, {name}: {costs[0]:.1f} µs python, {costs[1]:.1f} µs numba")
    for kernels in ("python", "numba"):
        print(f"1,000 agents turn ready, 10,000 callers wait, {kernels}: {burst(1_000, kernels):.1f} ms")
        print(f"10,000 callers wait, 5,000 agents talk, nothing happens, {kernels}: "
              f"{quiet(10_000, 5_000, kernels):.3f} % of a core")


if __name__ == "__main__":
    main("--quick" in sys.argv)
