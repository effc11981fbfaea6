"""What records cost to write, and how long a backup and a report over many of them take.

    python tests/bench/bench_records.py make DATA --calls 1000000      a data folder with so many calls (minutes)
    python tests/bench/bench_records.py writer --calls 20000           CPU of the writer per 1,000 calls
    python tests/bench/bench_records.py backup DATA                    seconds of `ringdown backup`, with its checks
    python tests/bench/bench_records.py report DATA                    seconds of `ringdown report` in its forms
    python tests/bench/bench_records.py forget DATA                    seconds of looking for one caller in all of it

A call is what a served caller of the demo site leaves: 18 events, three lines of queue_log, one row of `calls`; one in
seven callers gives up. `make` and `writer` feed events to the engine's own Storage.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from engine.ids import call_name  # noqa: E402
from engine.records.events import Event  # noqa: E402
from engine.runtime.storage import Storage  # noqa: E402

START_MS = 1_767_225_600_000  # 2026-01-01
DAY_CALLS = 20_000
OPEN_MS, SHUT_MS = 8 * 3_600_000, 20 * 3_600_000
QUEUES = ("default/support", "default/sales", "press/orders", "chess/school")
AGENTS = 100
CALLERS = 300_000
SPOOL_MAX = 20_000

Data = str | int | float | bool | None


class Centre:
    """Call after call, each with the events that the engine emits for it, in order of time within a day's hours."""

    def __init__(self, seed: int = 1) -> None:
        self.chance = random.Random(seed)
        self.n = 0
        self.boot = "bench001"
        self.now_ms = 0

    def event(self, at_ms: int, kind: str, tenant: str, call: str, /, **data: Data) -> Event:
        self.n += 1
        return Event(self.n, self.boot, START_MS + at_ms, at_ms, kind, tenant, call, data)

    def call(self, serial: int) -> list[Event]:
        """The events of one call."""
        day, place = divmod(serial, DAY_CALLS)
        at = day * 86_400_000 + OPEN_MS + place * (SHUT_MS - OPEN_MS) // DAY_CALLS
        chance = self.chance
        queue = QUEUES[chance.randrange(4)]
        tenant = queue.split("/")[0]
        caller = f"+44151{chance.randrange(CALLERS):07d}"
        name, tell = call_name(serial), self.event
        found = [
            tell(at, "call.started", tenant, name, caller=caller, name="", dialled="700", trunk="carrier", via="trunk",
                 peer="udp:192.0.2.7:5060", sip=f"{serial:032x}"),
            tell(at, "call.step", tenant, name, step="support/answer", text="dialplans/main.yaml:34:7"),
            tell(at, "call.answered", tenant, name, after_ms=0),
            tell(at, "call.step", tenant, name, step="support/queue(support)", text="dialplans/main.yaml:35:7"),
            tell(at, "queue.joined", tenant, name, queue=queue, position=1, priority_ms=0, caller=caller),
        ]
        waited = int(chance.expovariate(1 / 15_000))
        if chance.random() < 1 / 7:
            found.append(tell(at + waited, "queue.abandoned", tenant, name, queue=queue, position=1, first_position=1,
                              waited_ms=waited))
            return [*found, *self.ending(at, at + waited, tenant, name, "abandoned", waited, 0)]
        return [*found, *self.served(serial, at, waited, queue, tenant, name)]

    def served(self, serial: int, at: int, waited: int, queue: str, tenant: str, name: str) -> list[Event]:
        agent = f"default/{200 + serial % AGENTS}"
        talked = int(self.chance.uniform(20_000, 150_000))
        rings, up, over = at + waited, at + waited + 3_000, at + waited + 3_000 + talked
        tell = self.event

        def state(when: int, old: str, new: str, reason: str, where: str) -> Event:
            return tell(when, "agent.state", "default", "", agent=agent, name="Ana", old=old, new=new, reason=reason,
                        queue=where)

        waited += 3_000
        return [
            tell(rings, "queue.offered", tenant, name, queue=queue, agent=agent, offer=65_536 + serial),
            tell(rings, "call.leg", tenant, name, leg="agent 201", sip=f"{serial:032x}"),
            state(rings, "ready", "alerting", "offer", queue),
            tell(up, "queue.offer_ended", tenant, name, queue=queue, agent=agent, offer=65_536 + serial,
                 reason="answered", rang_ms=3_000),
            tell(up, "queue.connected", tenant, name, queue=queue, agent=agent, waited_ms=waited, rang_ms=3_000),
            tell(up, "call.bridged", tenant, name, **{"with": "agent 201", "kind": "agent"}),
            state(up, "alerting", "talking", "answered", queue),
            tell(over, "queue.completed", tenant, name, queue=queue, agent=agent, by="caller", waited_ms=waited,
                 talked_ms=talked),
            state(over, "talking", "wrap_up", "call_ended", queue),
            *self.ending(at, over, tenant, name, "served", waited, talked),
            state(over + 10_000, "wrap_up", "ready", "wrap_up_over", ""),
        ]

    def ending(self, at: int, over: int, tenant: str, name: str, outcome: str, waited: int, talked: int) -> list[Event]:
        quality = {"packets_in": talked // 20, "packets_out": talked // 20, "lost": 0, "jitter_us": 700,
                   "gap_max_us": 31_000, "ignored": 0, "digits": 0}
        legs = ("agent 201", "caller") if talked else ("caller",)
        return [
            *(self.event(over, "call.quality", tenant, name, leg=leg, **quality) for leg in legs),
            self.event(over, "call.ended", tenant, name, by="caller", outcome=outcome, cause=16, duration_ms=over - at,
                       answered_ms=over - at, waited_ms=waited, talked_ms=talked, held_ms=0,
                       path="support > support 4 s > agent 201"),
        ]


def batches(calls: int, size: int, first: int = 0) -> Iterator[list[Event]]:
    """Events of `calls` calls, `size` calls at a time. (Calls that overlap are told one after another.)"""
    centre = Centre()
    for begin in range(first, calls, size):
        yield [event for serial in range(begin, min(begin + size, calls)) for event in centre.call(serial)]


async def write(path: Path, calls: int, size: int) -> tuple[float, int]:
    """Feed them to a Storage; (CPU seconds of flush and writer, events)."""
    storage = Storage(path, node="a", told=lambda *each: print("storage:", *each, file=sys.stderr))
    spent = 0.0
    try:
        await storage.start()
        for events in batches(calls, size):
            storage.events += events
            began = time.process_time()
            storage.flush()
            while storage.spooled > SPOOL_MAX:
                await asyncio.sleep(0.001)
            spent += time.process_time() - began
        began = time.process_time()
        while storage.spooled:
            await asyncio.sleep(0.001)
    finally:
        await storage.close()
    return spent + time.process_time() - began, storage.written


def make(options: argparse.Namespace) -> None:
    began = time.monotonic()
    options.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    _, events = asyncio.run(write(options.data / "ringdown.db", options.calls, 500))
    size = (options.data / "ringdown.db").stat().st_size
    print(f"{options.calls} calls, {events} events, {size / 1e9:.2f} GB in {time.monotonic() - began:.0f} s")


def writer(options: argparse.Namespace) -> None:
    """Ten calls to a batch, as 50 calls a second make at one batch in 200 ms."""
    figures = []
    for _ in range(options.rounds):
        with tempfile.TemporaryDirectory() as folder:
            spent, events = asyncio.run(write(Path(folder) / "ringdown.db", options.calls, 10))
            size = (Path(folder) / "ringdown.db").stat().st_size
        figures.append(spent * 1e6 / options.calls)
        print(f"  {figures[-1]:.1f} ms per 1,000 calls ({events / options.calls:.1f} events a call, "
              f"{size / options.calls:.0f} bytes a call)")
    print(f"writer: {min(figures):.1f} ms of CPU per 1,000 calls (least of {options.rounds}; folds, rows, SQLite)")


def timed(*arguments: str, rounds: int = 1) -> None:
    """Run a command; its least wall time and the CPU it took then (a busy machine stretches only the former)."""
    best = (1e9, 0.0)
    for _ in range(rounds):
        began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run([sys.executable, "-m", "engine", *arguments], cwd=ROOT, capture_output=True, text=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode:
            raise SystemExit(done.stdout + done.stderr)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        best = min(best, (time.monotonic() - began, cpu))
    print(f"{best[0]:6.2f} s, {best[1]:5.2f} s of CPU  ringdown {' '.join(arguments)}\n{done.stdout.rstrip()[:1_500]}")


def backup(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(dir=options.data.parent) as folder:
        timed("backup", f"{folder}/backup.db", "--data", str(options.data))


def report(options: argparse.Namespace) -> None:
    for form in ([], ["--by", "queue"], ["--by", "agent"], ["--by", "tenant", "--interval", "day"],
                 ["--interval", "hour", "--by", "queue", "--csv"], ["--resolution", "7"]):
        timed("report", "--all", *form, "--data", str(options.data), rounds=options.rounds)


def forget(options: argparse.Namespace) -> None:
    """The first caller of `Centre`; nothing is erased."""
    caller = str(Centre().call(0)[0].data["caller"])
    timed("forget", caller, "--dry-run", "--data", str(options.data), rounds=options.rounds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    acts = parser.add_subparsers(dest="act", required=True)
    for name, act in (("make", make), ("writer", writer), ("backup", backup), ("report", report),
                      ("forget", forget)):
        each = acts.add_parser(name)
        each.set_defaults(run=act)
        if name != "writer":
            each.add_argument("data", type=Path)
        each.add_argument("--calls", type=int, default=20_000 if name == "writer" else 1_000_000)
        each.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
