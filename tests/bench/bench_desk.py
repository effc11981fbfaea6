"""What operators who look cost the engine: CPU seconds of its process under 50 calls a second, with nobody looking,
with `tail`, with `tail --sip`, with the console on its calls and on its events, and with `queues --watch`.

    .venv/bin/python -m tests.bench.bench_desk [--seconds 20] [--rounds 3]

Rounds are interleaved, so that a machine that others use at the same time disturbs all columns alike. The extra is in
percent of one core; the aim is 3 % at most (issue: the operators' desk).
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
for folder in (ROOT, ROOT / "tests" / "interop"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

from harness.children import Child  # noqa: E402
from harness.server import Engine  # noqa: E402
from harness.terminal import Terminal  # noqa: E402

RATE = 50
LOOKERS: dict[str, tuple[str, ...]] = {
    "nobody": (), "tail": ("tail",), "tail --sip": ("tail", "--sip"), "console calls": ("console", "calls"),
    "console events": ("console", "events"), "queues --watch": ("queues", "--watch"),
}  # fmt: skip


@contextmanager
def looking(engine: Engine, arguments: tuple[str, ...]) -> Iterator[None]:
    """One operator at his terminal, read all the time (a thread would be the terminal's; here its pty is drained)."""
    with ExitStack() as stack:
        if arguments[:1] == ("tail",):
            command = [sys.executable, "-m", "engine", *arguments, "--data", str(engine.data)]
            child = Child(command, engine.folder / "tail.txt", cwd=ROOT)
            stack.callback(child.stop)
            time.sleep(2)
        elif arguments:
            terminal = stack.enter_context(Terminal(*arguments, "--data", str(engine.data), cwd=ROOT))
            terminal.wait("calls" if arguments[0] == "console" else "ringdown")
            stack.enter_context(_drained(terminal))
        yield


@contextmanager
def _drained(terminal: Terminal) -> Iterator[None]:
    import threading

    over = threading.Event()

    def drain() -> None:
        while not over.is_set():
            terminal.read(0.2)
            time.sleep(0.02)

    thread = threading.Thread(target=drain, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(2)


def cpu_s(engine: Engine, seconds: float) -> float:
    """CPU seconds of the engine's process while 50 calls a second come and go for `seconds`."""
    before = float(engine.ask("metrics")["cpu_s"])
    done = subprocess.run(
        [sys.executable, "-m", "tools.load", "calls", "--server", f"udp:127.0.0.1:{engine.port}", "--number", "9100",
         "--rate", str(RATE), "--seconds", str(seconds), "--hold", "0.5", "--json"],
        cwd=ROOT, capture_output=True, text=True, timeout=seconds + 120,
    )  # fmt: skip
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures["success_percent"] == 100.0, figures
    return float(engine.ask("metrics")["cpu_s"]) - before


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    found: dict[str, list[float]] = {name: [] for name in LOOKERS}
    with Engine() as engine:
        cpu_s(engine, 5)
        for _ in range(options.rounds):
            for name, arguments in LOOKERS.items():
                with looking(engine, arguments):
                    found[name].append(cpu_s(engine, options.seconds))
        lag = engine.ask("metrics")
    base = statistics.median(found["nobody"])
    print(f"{RATE} calls/s for {options.seconds:.0f} s, median of {options.rounds} rounds")
    print(f"{'who looks':16} {'CPU s':>8} {'rounds':28} {'extra, % of a core':>20}")
    for name, values in found.items():
        middle = statistics.median(values)
        rounds = " ".join(f"{value:.2f}" for value in values)
        print(f"{name:16} {middle:8.2f} {rounds:28} {100 * (middle - base) / options.seconds:20.2f}")
    print(
        f"loop lag {lag['loop_lag_mean_ms']} ms mean, {lag['loop_lag_max_ms']} ms max; dropped {lag['tails_dropped']}"
    )


if __name__ == "__main__":
    main()
