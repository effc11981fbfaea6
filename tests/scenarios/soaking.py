"""`tools/soak`: shards of a soak by seed, in several processes, with a file of results that lets it go on.

A shard is one seed and a fixed number of calls, so a result says all that is needed to run it again.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from tests.scenarios.soak_calls import CallSoak
from tests.scenarios.soak_pool import PoolSoak

SHARD_CALLS = {"calls": 2_000, "pool": 100_000}


def shard(kind: str, seed: int) -> dict[str, Any]:
    """One shard's result: calls, CPU seconds, and `fault`, '' when everything held."""
    began = time.process_time()
    run = CallSoak if kind == "calls" else PoolSoak
    try:
        found = run(seed, SHARD_CALLS[kind]).run()
        fault = ""
    except Exception:  # whatever it is, it is the result of this seed, and the other seeds go on
        found, fault = {"calls": 0}, traceback.format_exc(limit=-3)
    cpu_s = round(time.process_time() - began, 2)
    return {"kind": kind, "seed": seed, "calls": found["calls"], "cpu_s": cpu_s, "fault": fault}


def done(path: Path, kind: str) -> dict[int, dict[str, Any]]:
    """The shards of this kind that a file of results holds, by seed. A torn last line is passed over."""
    found: dict[int, dict[str, Any]] = {}
    for line in path.read_text().splitlines() if path.exists() else ():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if row.get("kind") == kind and row.get("calls") == SHARD_CALLS[kind]:
            found[row["seed"]] = row
    return found


def shards(kind: str, first_seed: int, calls: int, processes: int, path: Path) -> Iterator[dict[str, Any]]:
    """All shards of a soak, those of the file first; each new one is appended to the file as it ends."""
    count = -(-calls // SHARD_CALLS[kind])
    known = done(path, kind)
    seeds = range(first_seed, first_seed + count)
    yield from (known[seed] for seed in seeds if seed in known)
    with ProcessPoolExecutor(processes) as pool, path.open("a") as file:
        left = [seed for seed in seeds if seed not in known]
        for row in pool.map(shard, [kind] * len(left), left):
            file.write(json.dumps(row) + "\n")
            file.flush()
            yield row


def main() -> int:
    parser = argparse.ArgumentParser(prog="tools/soak", description="A long soak in virtual time, resumable by seed.")
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1, help="of the first shard; the next have the next numbers")
    parser.add_argument("--pool", action="store_true", help="the distributor alone, some 40 times as fast")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--results", type=Path, default=Path("soak.jsonl"))
    given = parser.parse_args()
    kind = "pool" if given.pool else "calls"
    calls = faults = 0
    cpu_s = 0.0
    for row in shards(kind, given.seed, given.calls, given.processes, given.results):
        calls, cpu_s = calls + row["calls"], cpu_s + row["cpu_s"]
        if row["fault"]:
            faults += 1
            module = "soak_calls" if kind == "calls" else "soak_pool"
            print(f"seed {row['seed']}: {row['fault']}\nagain: python -m tests.scenarios.{module} {row['seed']}"
                  f" {SHARD_CALLS[kind]}", flush=True)  # fmt: skip
        if sys.stderr.isatty():
            print(f"\r{calls:,} calls, {faults} faults", end="", file=sys.stderr, flush=True)
    print(f"{calls:,} calls ({kind}) from seed {given.seed} on, {faults} faults, {cpu_s:,.0f} CPU s")
    return 1 if faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
