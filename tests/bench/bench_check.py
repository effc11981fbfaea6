"""How long `check` and link take: `python -m tests.bench.bench_check [--rounds 5] [--profile]`; 1 when too slow.

Generated dialplans are composed, read, linked and analysed in one warm process, from bytes to `Site` with its
findings: `mixed` is what real ones are (menus with lists, gathers, conditions, queues with wait lists, dials, texts
for the records), `subflows` a chain of subflows, each inside the one before, `two files` a plan of another file's
flows. CPU time of the process, the best of the rounds: other work on the machine doesn't change it much.
Targets: 1,000 steps in 150 ms, 10,000 in 1.5 s; and no numba imported on the way.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import pstats
import sys
import time
from collections.abc import Callable

from engine.dialplan.model import Site
from engine.dialplan.program import Program
from engine.dialplan.reader import read_site
from tests.dialplan.site import BASE, STOCK

TARGETS_MS = {1_000: 150.0, 10_000: 1_500.0}
_HEAD = """ringdown: 1
about: generated
variables:
  code: digits 4..8
  tier: choice standard gold vip = standard
  tries: number = 0
  message: text
rescue: fault
flows:
  main:
    - answer
    - play: hello
    - goto: part0
  fault:
    - play: technical_fault
    - hangup: failed
"""
_BLOCK = """  part{n}:
    - menu:
        prompt: choose
        timeout: 6s
        tries: 3
        choices:
          1: agents{n}
          2:
            - play: hello
            - set: {{tries: tries + 1}}
            - tag: asked {n}
          star: again
        failed: nobody{n}
    - goto: part{next}
  agents{n}:
    - when:
        - if: tier = vip and tries < 3
          then:
            - priority: 3min
        - else: continue
    - gather:
        into: code
        prompt: choose
        tries: 3
        failed: nobody{n}
    - say: $code
    - tag: code $code
    - queue:
        name: support
        waiting: hold
        max_wait: 10min
        needs: {{power: 2}}
        full: nobody{n}
        no_agents: nobody{n}
        timeout: ring{n}
    - hangup: served
  ring{n}:
    - dial: {{to: 200, ring: 20s, failed: nobody{n}}}
    - hangup: served
  nobody{n}:
    - play: [all_busy, goodbye]
    - record: {{max: 2min, finish: hash, into: message}}
    - tag: message $message in part {n}
    - hangup: {{outcome: failed, cause: 17}}
"""
_TAIL = """waits:
  hold:
    - play: please_hold
    - position
    - music: 40s
"""
_STEPS_A_BLOCK = 18


def plan(steps: int) -> bytes:
    """A dialplan of about `steps` steps (within one block)."""
    blocks = max(1, round((steps - 8) / _STEPS_A_BLOCK))
    parts = [_BLOCK.format(n=n, next=(n + 1) % blocks) for n in range(blocks)]
    return (_HEAD + "".join(parts) + _TAIL).encode()


def subflows(steps: int) -> bytes:
    """A dialplan of about `steps` steps in subflows that each run the next."""
    count = max(1, (steps - 3) // 6)
    body = "".join(
        f"  s{n}:\n    - play: hello\n    - subflow: s{n + 1}\n    - when:\n        - if: access.kind = agent\n"
        "          then:\n            - return\n    - play: hello\n    - return\n"
        for n in range(count)
    )
    head = "ringdown: 1\nflows:\n  main:\n    - answer\n    - subflow: s0\n    - hangup: served\n"
    return f"{head}{body}  s{count}:\n    - return\n".encode()


def library(steps: int) -> dict[str, bytes]:
    """A dialplan that enters another file's flows, half of `steps` each (the second file is linked twice)."""
    main = b"ringdown: 1\nflows:\n  main:\n    - answer\n    - goto: library.part0\n"
    text = plan(steps // 2).replace(b"rescue: fault", b"rescue: fault\nentry: main")
    variables = text[text.index(b"variables:") : text.index(b"rescue:")]
    return {
        "dialplans/main.yaml": main.replace(b"flows:", variables + b"flows:"),
        "dialplans/library.yaml": text,
    }


SHAPES: dict[str, Callable[[int], dict[str, bytes]]] = {
    "mixed": lambda steps: {"dialplans/main.yaml": plan(steps)},
    "subflows": lambda steps: {"dialplans/main.yaml": subflows(steps)},
    "two files": library,
}


def steps_of(site: Site) -> int:
    """Linked steps of all programs, wait lists included."""

    def count(program: Program) -> int:
        own = sum(len(steps) for steps in program.flows.values())
        return own + sum(count(wait) for wait in program.waits.values())

    return sum(count(program) for program in site.programs.values())


def measure(steps: int, rounds: int, shape: str = "mixed") -> tuple[float, int]:
    """(best CPU milliseconds, linked steps)."""
    files = {**BASE, **SHAPES[shape](steps)}
    times = []
    count = 0
    for _ in range(rounds):
        gc.collect()
        began = time.process_time_ns()
        site, findings = read_site(files, STOCK)
        times.append((time.process_time_ns() - began) / 1e6)
        if site is None or findings:
            raise SystemExit(f"the generated plan has findings: {findings[:3]}")
        count = steps_of(site)
    return min(times), count


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--profile", action="store_true")
    given = parser.parse_args()
    measure(100, 2)
    if given.profile:
        files = {**BASE, "dialplans/main.yaml": plan(10_000)}
        with cProfile.Profile() as profile:
            read_site(files, STOCK)
        pstats.Stats(profile).sort_stats("tottime").print_stats(35)
        return 0
    slow = False
    for shape in SHAPES:
        for steps, target in TARGETS_MS.items():
            best, count = measure(steps, given.rounds, shape)
            slow = slow or best > target
            print(f"check and link of {count:>6} steps, {shape:<10} {best:8.1f} ms of CPU (target {target:.0f} ms)")
    if "numba" in sys.modules:
        print("numba was imported")
        slow = True
    return 1 if slow else 0


if __name__ == "__main__":
    raise SystemExit(main())
