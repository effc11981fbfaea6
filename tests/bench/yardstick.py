"""A fixed piece of Python work, by which tests judge cost on machines of any speed: how many times as long it takes."""

from __future__ import annotations

import time
from collections.abc import Callable


def work() -> int:
    """Dictionaries, short texts, attributes and calls, as readers and rules are made of."""
    kept: dict[str, list[int]] = {}
    for number in range(20_000):
        word = f"step{number % 500}"
        kept.setdefault(word, []).append(len(word.partition("p")[2]))
    return sum(len(numbers) + numbers[-1] for numbers in kept.values())


def cpu_s(run: Callable[[], object]) -> float:
    """CPU seconds of this process for one call."""
    began = time.process_time()
    run()
    return time.process_time() - began


def units(run: Callable[[], object], rounds: int = 3) -> float:
    """The cost of `run` in calls of `work`: the best of the rounds, each beside its own measure, so that a machine
    that is slow, or busy meanwhile, is slow for both."""
    return min(cpu_s(run) / min(cpu_s(work), cpu_s(work)) for _ in range(rounds))
