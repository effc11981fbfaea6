"""What an estimate of wait costs: `python -m tests.bench.bench_waits` prints CPU µs; no thresholds here."""

from __future__ import annotations

import time
from collections.abc import Callable

from engine.acd import events
from engine.acd.commands import Offer
from engine.acd.curves import Curves
from engine.acd.learning import GAVE_UP, OVER, TALK
from tests.bench.bench_acd import staffed


def cpu_us(run: Callable[[], object], rounds: int) -> float:
    """The cheapest of five rounds, in µs of this process's CPU time."""
    best = float("inf")
    for _ in range(5):
        before = time.process_time()
        for _ in range(rounds):
            run()
        best = min(best, time.process_time() - before)
    return best / rounds * 1e6


def main() -> None:
    for agents in (100, 300):
        distributor = staffed(agents)
        now = 1_000_000
        for call in range(1, agents + 1_001):
            now += 50
            distributor.apply(events.CallJoined(call, 1), now)
            for command in distributor.settle(now):
                if isinstance(command, Offer):
                    distributor.apply(events.OfferAnswered(command.offer), now)
            distributor.settle(now)
        learnt = distributor._pool.queue_at(0).learnt
        for number in range(3_000):
            learnt.note(TALK, 20_000 + 40 * number)
            learnt.note(OVER, 5_000 + 20 * number)
            if number % 5 == 0:
                learnt.note(GAVE_UP, 5_000 + 20 * number)
        last, at = agents + 1_000, now
        print(f"one estimate, {agents} agents busy, 1,000 waiting: "
              f"{cpu_us(lambda: distributor.estimate(1, at, call=last), 500):.1f} µs")  # noqa: B023
        print(f"  curves anew after a folding: {cpu_us(lambda: Curves(learnt), 20):.0f} µs; "  # noqa: B023
              f"an arrival noted: {cpu_us(lambda: learnt.arrived(0, at), 5_000):.2f} µs; "  # noqa: B023
              f"a duration noted, folding included: {cpu_us(lambda: learnt.note(TALK, 60_000), 5_000):.2f} µs")  # noqa: B023


if __name__ == "__main__":
    main()
