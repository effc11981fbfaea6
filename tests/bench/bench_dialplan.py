"""What the interpreter costs, a crowd of callers against the graph, and random sequences through every example.

    .venv/bin/python -m tests.bench.bench_dialplan [--calls 1000000] [--sequences 1000000] [--seed 7]

Three figures, each on one core: µs per step of the interpreter alone (aim: 10 at most), the time of the crowd through
the plan of 60 steps (10⁶ in ten minutes at most) with the shares that lie outside their interval of 99.9 %, and the
sequences that raised or waited for ever (aim: none).
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import msgspec

from engine.dialplan import actions, interpreter
from engine.dialplan.model import Site
from engine.runtime.site_files import read_folder
from engine.sim import sequences
from engine.sim.chain import expected
from engine.sim.crowd import Crowd, chances_of, judge, usual
from engine.sim.walker import FACTS, Walker
from tests.sim.crowds import NAME, chances, crowd_site

DIALPLANS = Path(__file__).parents[2] / "dialplans"
ROUNDS = 5
STORIES = 2_000


class _Recording(Walker):
    """Keeps what it was told, so that it can be told again without the time that a caller takes to choose."""

    def __init__(self, site: Site, name: str) -> None:
        self.told: list[actions.Happening] = []
        super().__init__(site, name)

    def tell(self, happening: actions.Happening) -> list[actions.Action]:
        self.told.append(happening)
        return super().tell(happening)


def step_us(site: Site) -> tuple[float, float]:
    """(best, median) µs per step of `start` and `step` over recorded calls."""
    stories: list[list[actions.Happening]] = []
    crowd = Crowd(site, NAME, usual(site.programs[NAME]), 3)
    for _ in range(STORIES):
        walker = _Recording(site, NAME)
        crowd.walk(walker)
        stories.append(walker.told)
    plain = msgspec.structs.replace(site, traced=False)
    program, found = site.programs[NAME], []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for story in stories:
            run, _ = interpreter.start(program, FACTS, "en", plain, 0)
            for happening in story:
                interpreter.step(run, happening, program, plain)
        found.append(1e6 * (time.perf_counter() - began) / crowd.counts.steps)
    return min(found), sorted(found)[len(found) // 2]


def crowd_figures(site: Site, calls: int, seed: int) -> bool:
    program = site.programs[NAME]
    habits = usual(program)
    computed = expected(program, chances_of(program, habits, chances(site)))
    began = time.perf_counter()
    counts = Crowd(site, NAME, habits, seed).send(calls)
    taken = time.perf_counter() - began
    shares = judge(counts, computed)
    outside = [each for each in shares if not each.fits()]
    steps = sum(len(each) for each in program.flows.values())
    print(f"crowd: {calls} callers through {steps} steps in {taken:.0f} s ({1e6 * taken / calls:.0f} µs a caller, "
          f"{counts.steps} steps), {len(shares)} ways out, {len(outside)} outside 99.9 %")  # fmt: skip
    for each in outside:
        print(f"  {each.place} {each.way or 'on'}: counted {each.counted:.6f} ({each.low:.6f} to {each.high:.6f}), "
              f"computed {each.computed:.6f}")  # fmt: skip
    return not outside


def sequence_figures(count: int, seed: int) -> bool:
    sites = [read_folder(file.parent).site for file in sorted(DIALPLANS.rglob("site.yaml"))]
    pairs = [(site, door) for site in sites if site is not None for door in sequences.doors(site)]
    began, bad = time.perf_counter(), 0
    for number in range(count):
        site, door = pairs[number % len(pairs)]
        trouble = sequences.run(site, door, seed, number)
        if trouble is not None:
            bad += 1
            if bad <= 5:
                print(f"  {trouble}")
    taken = time.perf_counter() - began
    print(f"sequences: {count} through {len(pairs)} doors of {len(sites)} sites in {taken:.0f} s, {bad} bad")
    return not bad


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--sequences", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=7)
    told = parser.parse_args()
    site = crowd_site()
    best, median = step_us(site)
    print(f"interpreter: {best:.2f} µs per step at best, {median:.2f} in the median of {ROUNDS} rounds")
    good = median <= 10
    good &= not told.calls or crowd_figures(site, told.calls, told.seed)
    good &= not told.sequences or sequence_figures(told.sequences, told.seed)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
