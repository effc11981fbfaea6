"""How many calls this machine carries: climbs in steps until sound suffers, and writes hardware/hosts/NAME.yaml.

    python -m tools.host_size NAME [--steps 50,100,200,300,500,800,1000] [--seconds 10] [--busy] [--output FILE]

A machine that does other work (load average above a quarter of its cores) is refused: the figure would be too low, and
would be believed. `--busy` measures all the same, and the page says so.

Each step starts an engine of its own on core 0 and lays so many calls on it from core 1, over loopback: each hears
music and sends 50 packets a second. A step holds while at least 99 of 100 packets come 20 ± 3 ms after the one before,
none is lost, and the engine takes less than 70 % of its core. The first step that doesn't is the end.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import re
import sys
from pathlib import Path
from typing import Any

from engine import __version__

ROOT = Path(__file__).resolve().parents[1]
STEPS = (50, 100, 200, 300, 500, 800, 1_000)
OUTSIDE_PERCENT_MAX = 1.0
CORE_PERCENT_MAX = 70.0
BUSY_PER_CORE = 0.25
RESERVE = 0.5  # of what held: the other half is for dialplans, recordings, reports and bad days
_NAME = re.compile(r"[a-z][a-z0-9-]*")


def step_of(calls: int, found: dict[str, Any]) -> dict[str, Any]:
    """The figures of one step that are kept."""
    cost = float(found["cpu_s_per_call_minute"])
    return {
        "calls": calls, "cpu_s_per_call_minute": round(cost, 4), "core_percent": round(cost * calls / 60 * 100, 1),
        "gaps_outside_percent": round(100 - float(found["gaps_ms"].get("within_20_3_percent", 0.0)), 2),
        "longest_gap_ms": round(float(found["gaps_ms"].get("max", 0.0)), 1), "lost": int(found["lost"]),
        "rss_kib_per_call": round(float(found["rss_kib_per_call"]), 1),
    }  # fmt: skip


def why_not(step: dict[str, Any]) -> str:
    """Why a step doesn't hold, in words; '' when it does."""
    if step["lost"]:
        return f"{step['lost']} packets lost"
    if step["gaps_outside_percent"] > OUTSIDE_PERCENT_MAX:
        return f"{step['gaps_outside_percent']} % of the packets more than 3 ms early or late"
    if step["core_percent"] > CORE_PERCENT_MAX:
        return f"{step['core_percent']} % of a core"
    return ""


def too_busy(load: float, cores: int) -> str:
    """Why nothing can be measured now; '' when it can."""
    if load <= BUSY_PER_CORE * cores:
        return ""
    return (f"this machine does other work (load {load:.1f} on {cores} cores): a figure taken now would be too low. "
            "Wait for a quiet time, or say --busy")  # fmt: skip


def machine() -> dict[str, Any]:
    """What the figures belong to."""
    info = Path("/proc/cpuinfo").read_text("utf-8", "replace")
    model = re.search(r"^(?:model name|Model)\s*:\s*(.+)$", info, re.M)
    memory = re.search(r"^MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text("utf-8"), re.M)
    return {
        "processor": model[1].strip() if model else platform.machine(), "cores": len(os.sched_getaffinity(0)),
        "memory_mib": int(memory[1]) // 1_024 if memory else 0, "kernel": platform.release(),
        "python": platform.python_version(),
    }  # fmt: skip


def page(name: str, host: dict[str, Any], steps: list[dict[str, Any]], load: float, day: str, seconds: int) -> str:
    """The YAML that is written: the machine, how it was measured, each step, and what it comes to."""
    held = [each for each in steps if not why_not(each)]
    best = held[-1]["calls"] if held else 0
    ended = next((f"{each['calls']} calls: {why_not(each)}" for each in steps if why_not(each)), "not reached")
    lines = [
        f"# Written by tools/host_size.py; measure your own: python -m tools.host_size {name}",
        f"host: {name}", "machine:", *(f"  {key}: {_scalar(value)}" for key, value in host.items()), "measured:",
        f"  day: {_scalar(day)}", f"  engine: {_scalar(__version__)}", f"  seconds_per_step: {seconds}",
        f"  load_before: {load:.2f}", f"  busy: {'yes' if too_busy(load, int(host.get('cores', 1))) else 'no'}",
        "  how: calls with music over loopback, 50 packets a second each way, engine and load on a core each",
        "steps:",
        *("  - {" + ", ".join(f"{key}: {value}" for key, value in each.items()) + "}" for each in steps),
        f"calls_held: {best}", f"calls_advised: {int(best * RESERVE)}", f"ended_by: {_scalar(ended)}",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _scalar(value: object) -> str:
    return str(value) if isinstance(value, int) else '"' + str(value).replace("\\", "/").replace('"', "'") + '"'


def climb(steps: tuple[int, ...], seconds: int) -> list[dict[str, Any]]:
    """Step by step, until one doesn't hold."""
    from tools.measure import load, server

    done: list[dict[str, Any]] = []
    for calls in steps:
        with server() as running:
            found = load(running, "media", number="9664", calls=calls, rate=50, seconds=seconds, settle=2)
        done.append(step_of(calls, dict(found)))
        told = why_not(done[-1])
        print(f"{calls:5} calls  {done[-1]['cpu_s_per_call_minute']:.4f} CPU s per call-minute, "
              f"{done[-1]['core_percent']} % of a core: {told or 'holds'}", flush=True)  # fmt: skip
        if told:
            break
    return done


def main(arguments: list[str] | None = None) -> int:
    """Exit status 0: written; 2: used wrongly, or a machine with one core."""
    parser = argparse.ArgumentParser(prog="host_size", description=__doc__,
                                     formatter_class=argparse.RawTextHelpFormatter)  # fmt: skip
    parser.add_argument("name", help="what the machine is called: small-server, raspberry-pi-5")
    parser.add_argument("--steps", default=",".join(map(str, STEPS)))
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--busy", action="store_true", help="measure although the machine does other work")
    parser.add_argument("--output", default="")
    options = parser.parse_args(arguments)
    if _NAME.fullmatch(options.name) is None:
        parser.error(f"{options.name!r} is not a name: small letters, digits and -")
    steps = [int(each) for each in options.steps.split(",") if each.isdigit()]
    if not steps or len(steps) != len(options.steps.split(",")) or steps != sorted(set(steps)):
        parser.error("--steps are rising numbers: 50,100,200")
    if len(os.sched_getaffinity(0)) < 2:
        print("host_size: needs two cores, one for the engine and one for the load", file=sys.stderr)
        return 2
    before = os.getloadavg()[0]
    refused = too_busy(before, len(os.sched_getaffinity(0)))
    if refused and not options.busy:
        print(f"host_size: {refused}", file=sys.stderr)
        return 2
    done = climb(tuple(steps), options.seconds)
    day = datetime.datetime.now(datetime.UTC).date().isoformat()
    target = Path(options.output) if options.output else ROOT / "hardware" / "hosts" / f"{options.name}.yaml"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(page(options.name, machine(), done, before, day, options.seconds), "utf-8")
    print(f"written: {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
