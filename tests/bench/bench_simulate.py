"""What a simulated day costs: `python -m tests.bench.bench_simulate` prints CPU seconds; no thresholds here.

The day: 20,000 calls for 300 agents in twelve groups, each with two of twelve skills; lognormal talk of 3 min,
20 s of wrap-up, callers who wait 2 min on average; 93 % occupancy.
"""

from __future__ import annotations

import time

from engine.sim import estimates, kernel_run, scenario_reader
from engine.sim.queueing import Run


def day() -> str:
    lines = ["calls: 20000\nqueues:\n  - {name: q}\nagents:"]
    for group in range(12):
        skills = f"{{s{group}: 3, s{(group + 1) % 12}: 2}}"
        lines.append(f"  - {{name: g{group}, count: 25, queues: [q], skills: {skills}}}")
    lines.append("arrivals:")
    for kind in range(12):
        lines.append(
            f"  - queue: q\n    rate: 420/h\n    skills: {{s{kind}: 1}}\n    patience: {{exponential: 2min}}\n"
            "    talk: {lognormal: {mean: 3min, cv: 1.2}}\n    wrap_up: {exponential: 20s}"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    scenario, findings = scenario_reader.read(day().encode(), "day.yaml")
    assert scenario is not None, findings
    kernel_run.go(Run(scenario))  # compiled, or loaded from the cache
    for engine in ("distributor", "distributor, picks by kernel", "kernel"):
        times = []
        for _ in range(5):
            before = time.process_time()
            run = Run(scenario, kernels="numba" if "by kernel" in engine else "python")
            if engine == "kernel":
                kernel_run.go(run)
            else:
                run.go()
            estimates.estimate(scenario, [run])
            times.append(time.process_time() - before)
        print(f"a day of 20,000 calls, 300 agents, 12 skills, {engine}: {min(times):.2f} s "
              f"({min(times) / 20_000 * 1e6:.0f} µs a call)")  # fmt: skip


if __name__ == "__main__":
    main()
