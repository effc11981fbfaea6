"""Measures the engine against the table of figures that it must reach, and prints it with peers' figures beside.

    python -m tools.measure [--quick] [--only calls,media] [--json FILE]

Each row starts an engine of its own on core 0 (temporary data folder, records on, a bench site) and puts the load on
core 1, on the same machine, over loopback. CPU seconds are the operating system's account of the server process.
Peers' figures come from the same kind of machine (2026-08, Asterisk and FreeSWITCH built from source, medians).
Single runs spread by up to 1.6 times on shared machines: compare runs made together; `--repeat N` prints medians.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from tools.load.account import cpu_seconds, resident_kib  # noqa: E402

SERVER_CORE, LOAD_CORE = "0", "1"
AGENTS = 60

SITE = """\
ringdown: 1
name: bench
languages: [en]
country: us
numbers:
  9100: {dialplan: bench, entry: silent, public: yes}
  9664: {dialplan: bench, entry: music, public: yes}
  801: {dialplan: bench, entry: bridge, public: yes}
  700: {dialplan: bench, entry: queue, public: yes}
"""
DIALPLAN = """\
ringdown: 1
entry: silent
flows:
  silent:
    - answer
    - silence
  music:
    - answer
    - music
  bridge:
    - dial: {to: 'sip:leg@127.0.0.1:%(phones)d', ring: 20s, failed: over}
    - hangup: served
  queue:
    - answer
    - queue: {name: bench, full: over, no_agents: over, timeout: over}
    - hangup: served
  over:
    - hangup: failed
"""
QUEUES = "bench: {strategy: longest-idle-agent, ring: 20s, wrap_up: 0s, max_wait: 10min, length: 500}\n"

Shape = dict[str, Any]


class Server:
    """The engine under measurement, on its own core."""

    def __init__(self, *, arguments: tuple[str, ...] = ()) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="rdm-"))
        self.port, self.phones = free_port(), free_port()
        site = self.folder / "site"
        (site / "dialplans").mkdir(parents=True)
        (site / "site.yaml").write_text(SITE)
        (site / "queues.yaml").write_text(QUEUES)
        (site / "dialplans" / "bench.yaml").write_text(DIALPLAN % {"phones": self.phones})
        agents = (
            f"{300 + i}: {{name: Bench {i}, queues: [bench], logged_in: yes, "
            f"contact: 'sip:{300 + i}@127.0.0.1:{self.phones}'}}\n"
            for i in range(AGENTS)
        )
        (site / "agents.yaml").write_text("".join(agents))
        self.site, self.data, self.log = site, self.folder / "data", self.folder / "stderr.txt"
        command = ["taskset", "-c", SERVER_CORE, sys.executable, "-m", "engine", "serve", "--site", str(site)]
        command += [f"--listen=udp:127.0.0.1:{self.port}", f"--listen=tcp:127.0.0.1:{self.port}"]
        began = time.monotonic()
        with self.log.open("wb") as log:
            command += ["--data", str(self.data), *arguments]
            self.process = subprocess.Popen(command, cwd=ROOT, stderr=log, stdout=log, start_new_session=True)
        self._wait_ready(120)
        self.ready_s = time.monotonic() - began

    def _wait_ready(self, seconds: float) -> None:
        limit = time.monotonic() + seconds
        while not re.search(r"^ready\b", self.log.read_text(errors="replace"), re.M):
            if self.process.poll() is not None or time.monotonic() > limit:
                self.stop()
                raise SystemExit(f"measure: the engine isn't ready\n{self.log.read_text(errors='replace')[-3000:]}")
            time.sleep(0.02)

    @property
    def pid(self) -> int:
        return self.process.pid

    def stop(self) -> None:
        for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGKILL):
            if self.process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self.process.pid, number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(3)

    def faults(self) -> str:
        """Tracebacks and errors that it wrote: a figure with them beside it is none."""
        text = self.log.read_text(errors="replace")
        return text[text.find("Traceback") :][:1500] if "Traceback" in text else ""

    def command(self, *arguments: str) -> None:
        """An operator's command beside the load, on the load's core."""
        command = ["taskset", "-c", LOAD_CORE, sys.executable, "-m", "engine", *arguments, "--data", str(self.data)]
        subprocess.run(command, cwd=ROOT, capture_output=True, timeout=30)


@contextlib.contextmanager
def server() -> Iterator[Server]:
    running = Server()
    try:
        yield running
    finally:
        running.stop()
        shutil.rmtree(running.folder, ignore_errors=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    return port


class Floor(Server):
    """`tools.load.floor`, the least a Python UAS can do, measured the same way in the same minutes."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="rdm-"))
        self.port, self.log = free_port(), self.folder / "stderr.txt"
        command = ["taskset", "-c", SERVER_CORE, sys.executable, "-m", "tools.load.floor", str(self.port)]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, stderr=log, stdout=log, start_new_session=True)
        self._wait_ready(20)


def floor_cpu_s(rate: int, count: int) -> float:
    """CPU seconds per 1,000 calls of the floor."""
    running = Floor()
    try:
        found = load(running, "calls", number="9100", rate=rate, seconds=count / rate, warm=50)
    finally:
        running.stop()
        shutil.rmtree(running.folder, ignore_errors=True)
    return float(found["cpu_s_per_1000_calls"])


def load(running: Server, shape: str, **options: Any) -> Shape:
    """One run of the load tools on the load's core."""
    command = ["taskset", "-c", LOAD_CORE, sys.executable, "-m", "tools.load", shape, "--json"]
    command += [f"--server=udp:127.0.0.1:{running.port}", f"--pid={running.pid}"]
    command += [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    if not done.stdout:
        raise SystemExit(f"measure: {' '.join(command)}\n{done.stderr}")
    figures: Shape = json.loads(done.stdout.splitlines()[-1])
    if figures["success_percent"] < 100:
        figures["note"] = f"only {figures['success_percent']} % succeeded: {figures['refused']}"
    if running.faults():
        figures["note"] = running.faults()
    return figures


# --- rows -------------------------------------------------------------------------------------------------------
@dataclass
class Row:
    """One line of the table. `values` are (label, measured, limit, unit); a limit of None only reports."""

    work: str
    asterisk: str
    freeswitch: str
    values: list[tuple[str, float, float | None, str]] = field(default_factory=list)
    shape: str = ""
    notes: list[str] = field(default_factory=list)

    def take(self, figures: Shape) -> Row:
        self.shape = str(figures["shape"])
        if "note" in figures:
            self.notes.append(str(figures["note"]))
        return self


def calls_row(options: argparse.Namespace) -> list[Row]:
    count = 300 if options.quick else 1000
    rows = []
    for rate, asterisk, freeswitch in ((50, "1.42", "3.83"), (100, "1.25", "3.44"), (200, "1.12", "3.13")):
        with server() as running:
            found = load(running, "calls", number="9100", rate=rate, seconds=count / rate, warm=50)
        row = Row(f"1,000 answered calls at {rate}/s", asterisk, freeswitch).take(found)
        row.values.append(("CPU s", found["cpu_s_per_1000_calls"], 0.6, "s"))
        floor = floor_cpu_s(rate, count)
        row.values.append(("floor", floor, None, "s"))
        row.values.append(("times the floor", found["cpu_s_per_1000_calls"] / floor, 0.6 / 0.083, "×"))
        limit = 20.0 if rate == 100 else None
        row.values.append(("INVITE→200 p99", found["invite_to_200_ms"].get("p99", math.nan), limit, "ms"))
        rows.append(row)
    return rows


def media_row(options: argparse.Namespace) -> list[Row]:
    seconds = 8 if options.quick else 30
    with server() as running:
        found = load(running, "media", number="9664", calls=300, rate=50, seconds=seconds, settle=2)
    cost = Row("one call-minute, music out, 50 packets/s in, 300 calls", "0.133", "0.140").take(found)
    cost.values.append(("CPU s", found["cpu_s_per_call_minute"], 0.035, "s"))
    gaps = Row("packet gaps at the receiver, 300 calls with music", "20.9 / 67", "21.5 / 27").take(found)
    gaps.values.append(("99 %", found["gaps_ms"].get("p99", math.nan), 20.5, "ms"))
    gaps.values.append(("longest", found["gaps_ms"].get("max", math.nan), 25.0, "ms"))
    gaps.values.append(("lost", float(found["lost"]), 0.0, "packets"))
    memory = Row("memory per call with music, 300 calls", "144", "433").take(found)
    memory.values.append(("RSS", found["rss_kib_per_call"], 60.0, "KiB"))
    return [cost, gaps, memory]


def busy_row(options: argparse.Namespace) -> list[Row]:
    """300 calls while 50 calls a second are set up, a tail runs and a reload happens."""
    seconds = 8 if options.quick else 30
    with server() as running:
        tail = subprocess.Popen(
            ["taskset", "-c", LOAD_CORE, sys.executable, "-m", "engine", "tail", "--data", str(running.data)],
            cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        site = running.site / "site.yaml"
        reloader = subprocess.Popen(
            ["sh", "-c", f"sleep {12 + seconds / 2}; echo '  9109: {{dialplan: bench, public: yes}}' >> {site}; "
             f"taskset -c {LOAD_CORE} {sys.executable} -m engine reload --data {running.data}"],
            cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            found = load(
                running, "media", number="9664", calls=300, rate=50, seconds=seconds, settle=2, beside_rate=50,
                beside_number="9100", hold=0.2,
            )  # fmt: skip
        finally:
            for child in (tail, reloader):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGTERM)
                child.wait(5)
    row = Row("300 calls with music beside 50 new calls/s, tail and a reload", "-", "-").take(found)
    share = found["gaps_ms"].get("within_20_3_percent", math.nan)
    row.values.append(("gaps outside 20 ± 3 ms", 100 - share, 0.1, "%"))
    row.values.append(("lost", float(found["lost"]), 0.0, "packets"))
    row.values.append(("longest", found["gaps_ms"].get("max", math.nan), None, "ms"))
    return [row]


def thousand_row(options: argparse.Namespace) -> list[Row]:
    seconds = 8 if options.quick else 30
    with server() as running:
        found = load(running, "media", number="9664", calls=1000, rate=50, seconds=seconds, settle=2)
    row = Row("1,000 legs on one core", "-", "-").take(found)
    share = found["gaps_ms"].get("within_20_3_percent", math.nan)
    row.values.append(("gaps outside 20 ± 3 ms", 100 - share, 1.0, "%"))
    row.values.append(("CPU s per call-minute", found["cpu_s_per_call_minute"], None, "s"))
    row.values.append(("RSS per call", found["rss_kib_per_call"], 60.0, "KiB"))
    return [row]


def bridges_row(options: argparse.Namespace) -> list[Row]:
    seconds = 8 if options.quick else 30
    rows = []
    for count, asterisk, freeswitch, limit in ((100, "0.154", "0.285", 0.075), (300, "0.139", "overloaded", 0.055)):
        with server() as running:
            found = load(
                running, "bridges", number="801", calls=count, rate=50, seconds=seconds, settle=2, listen=running.phones
            )
        row = Row(f"one bridged call-minute, both ways, {count} calls", asterisk, freeswitch).take(found)
        row.values.append(("CPU s", found["cpu_s_per_bridged_call_minute"], limit, "s"))
        rows.append(row)
        if count == 100:
            delay = Row("delay through a bridge, 100 calls", "0.10 / 0.34", "13.4 / 24.2").take(found)
            delay.values.append(("median", found["transit_ms"].get("p50", math.nan), 0.3, "ms"))
            delay.values.append(("99 %", found["transit_ms"].get("p99", math.nan), 2.0, "ms"))
            rows.append(delay)
        else:
            memory = Row("memory per bridged call, 300 calls", "464", "755").take(found)
            memory.values.append(("RSS", found["rss_kib_per_call"], 120.0, "KiB"))
            rows.append(memory)
    return rows


def queue_row(options: argparse.Namespace) -> list[Row]:
    count = 200 if options.quick else 1000
    with server() as running:
        found = load(running, "queue", number="700", rate=20, seconds=count / 20, hold=1, listen=running.phones)
    row = Row("1,000 calls through a queue to an agent", "4.55", "17.1").take(found)
    row.values.append(("CPU s", found["cpu_s_per_1000_calls"], 1.5, "s"))
    with server() as running:
        found = load(running, "queue", number="700", rate=2, seconds=10, hold=0.5, listen=running.phones)
    delay = Row("caller answered to agent connected, idle agent", "508", "96").take(found)
    connected = found["caller_answered_to_agent_connected_ms"]
    delay.values.append(("median", connected.get("p50", math.nan), 15.0, "ms"))
    with server() as running:
        found = load(running, "queue", number="700", rate=50, seconds=count / 50, hold=0.3, listen=running.phones)
    arrival = Row("caller's arrival to the agent's INVITE, 50 calls/s, idle agents", "-", "-").take(found)
    invited = found["caller_invited_to_agent_invited_ms"]
    arrival.values.append(("median", invited.get("p50", math.nan), 5.0, "ms"))
    arrival.values.append(("99 %", invited.get("p99", math.nan), None, "ms"))
    return [row, delay, arrival]


def start_row(options: argparse.Namespace) -> list[Row]:
    """Start with cached kernels (an engine ran before), and the idle engine with ten registered agents."""
    seconds = 10 if options.quick else 60
    with server() as first:
        _ = first.ready_s
    with server() as running:
        ready = running.ready_s
        time.sleep(2)
        before = cpu_seconds(running.pid)
        time.sleep(seconds)
        share = 100 * (cpu_seconds(running.pid) - before) / seconds
        resident = resident_kib(running.pid)
    start = Row("start with cached kernels", "-", "-", shape="serve to the line `ready`, bench site, core 0")
    start.values.append(("ready", ready, 3.0, "s"))
    idle = Row("idle engine", "-", "-", shape=f"{AGENTS} agents with static contacts, no call, {seconds} s")
    idle.values.append(("of a core", share, 0.5, "%"))
    idle.values.append(("RSS", resident / 1024, None, "MiB"))
    return [start, idle]


ROWS: dict[str, Callable[[argparse.Namespace], list[Row]]] = {
    "calls": calls_row, "media": media_row, "bridges": bridges_row, "queue": queue_row, "busy": busy_row,
    "thousand": thousand_row, "start": start_row,
}  # fmt: skip


# --- printing -----------------------------------------------------------------------------------------------------
def merge(runs: list[list[Row]]) -> list[Row]:
    """Medians over repeated runs of the same rows."""
    merged = runs[0]
    for place, row in enumerate(merged):
        others = [run[place] for run in runs]
        row.values = [
            (label, statistics.median(other.values[i][1] for other in others), limit, unit)
            for i, (label, _, limit, unit) in enumerate(row.values)
        ]
        row.notes = [note for other in others for note in other.notes]
    return merged


def show(row: Row) -> bool:
    """Print a row; False when a limit is missed."""
    fine = not row.notes
    print(f"{row.work}\n    Asterisk {row.asterisk}, FreeSWITCH {row.freeswitch}")
    for label, value, limit, unit in row.values:
        kept = limit is None or value <= limit
        fine = fine and kept
        told = "" if limit is None else f"   limit {limit:g} {unit}   {'kept' if kept else 'MISSED'}"
        print(f"    {label:<24} {value:10.4g} {unit}{told}")
    print(f"    shape: {row.shape}")
    for note in row.notes:
        print(f"    note: {note}")
    print(flush=True)
    return fine


def main(arguments: list[str] | None = None) -> int:
    """Exit status 0: every limit kept; 1: one missed; 2: used wrongly."""
    parser = argparse.ArgumentParser(prog="measure", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--only", default=",".join(ROWS), help=f"some of {', '.join(ROWS)}")
    parser.add_argument("--quick", action="store_true", help="short runs: a look, not a figure")
    parser.add_argument("--repeat", type=int, default=1, help="runs of each row; medians are printed")
    parser.add_argument("--json", default="", help="also write the rows to this file")
    options = parser.parse_args(arguments)
    names = options.only.split(",")
    if unknown := [name for name in names if name not in ROWS]:
        parser.error(f"no row {unknown[0]!r}; there are {', '.join(ROWS)}")
    if len(os.sched_getaffinity(0)) < 2:
        print("measure: needs two cores, one for the server and one for the load", file=sys.stderr)
        return 2
    print(f"{os.uname().machine}, Python {sys.version.split()[0]}, {len(os.sched_getaffinity(0))} cores, "
          f"load before {os.getloadavg()[0]:.2f}\n", flush=True)  # fmt: skip
    kept, printed = True, []
    for name in names:
        for row in merge([ROWS[name](options) for _ in range(max(1, options.repeat))]):
            kept = show(row) and kept
            printed.append({"work": row.work, "shape": row.shape, "values": row.values, "notes": row.notes})
    if options.json:
        Path(options.json).write_text(json.dumps(printed, indent=2, ensure_ascii=False) + "\n")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
