"""What a call costs inside the Switch, without sockets: INVITE, ACK, BYE as bytes in, outputs counted.

    python tests/bench/bench_calls.py [--number 9100] [--calls 2000] [--journal] [--profile | --instructions]

Prints µs per call and per input, to be held against 0.6 ms for everything (INVITE to BYE with dialplan and records).
The rest of a measured call is the event loop, the kernel and the record writer. `--journal` encodes each input and
output as the serving process does; `--profile` prints where the time goes; `--instructions` counts machine
instructions with valgrind, a figure that other work on the machine can't change. Media answers are faked at once.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import re
import subprocess
import sys
import time
from pathlib import Path as FilePath
from typing import Any

ROOT = FilePath(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

import msgspec  # noqa: E402

from engine.call.effects import (  # noqa: E402
    Deadline,
    Entropy,
    Listening,
    Media,
    MediaHappened,
    PortsReady,
    Received,
    SecretsLoaded,
    SiteLoaded,
    WallClock,
)
from engine.media import commands as media  # noqa: E402
from engine.runtime.site_files import read_folder  # noqa: E402
from engine.sip.events import Path, Send  # noqa: E402
from engine.switch import Switch  # noqa: E402
from tools.load import wire  # noqa: E402

PEER = Path(1, "127.0.0.1", 40_000, "udp")
RATE = 100  # calls a second of virtual time
PORTS = 128  # told ahead, as the runtime does


class Bench:
    """A switch with the demo site, and a clock for each kind of input."""

    def __init__(self, *, journal: bool) -> None:
        reading = read_folder(ROOT / "dialplans" / "demo")
        if reading.site is None:
            raise SystemExit(f"the demo site is refused: {reading.errors()[:1]}")
        self.switch = Switch(bytes(range(32)), boot="bench")
        self.encoder = msgspec.msgpack.Encoder() if journal else None
        self.spent: dict[str, int] = {}
        self.inputs = 0
        self.sends: list[bytes] = []
        self.others: list[Any] = []
        self.now_ms = 1_000
        self.serial = self.ports = 0
        self.give("start", Entropy(bytes(64)))
        self.give("start", WallClock(1_700_000_000_000))
        self.give("start", Listening(1, "udp", "127.0.0.1", 5060, "127.0.0.1", 5060))
        self.give("start", SiteLoaded(reading.site.version, msgspec.msgpack.encode(reading.site)))
        self.give("start", SecretsLoaded({}))
        self.prepare()
        self.spent.clear()
        self.inputs = 0

    def give(self, kind: str, entry: Any) -> None:
        """One input, timed; media commands that ask for an answer get it."""
        began = time.perf_counter_ns()
        outputs = self.switch.handle(entry, self.now_ms)
        if self.encoder is not None:
            self.encoder.encode(entry)
            self.encoder.encode(outputs)
        self.spent[kind] = self.spent.get(kind, 0) + time.perf_counter_ns() - began
        self.inputs += 1
        for output in outputs:
            if isinstance(output, Send):
                self.sends.append(output.data)
            elif not isinstance(output, Media):
                self.others = [*self.others[-9:], output]
            elif isinstance(output.command, media.CloseLeg):
                row, generation = output.command.row, output.command.generation
                closed = media.LegClosed(row, generation, 10, 10, *([0] * (len(media.LegClosed.__struct_fields__) - 4)))
                self.give("media", MediaHappened(closed))

    def prepare(self) -> None:
        """More RTP ports are bound."""
        first = 16_384 + 2 * (self.ports % 8_000)
        self.ports += PORTS
        self.give("ports", PortsReady("127.0.0.1", tuple(range(first, first + 2 * PORTS, 2))))

    def tick(self, ms: int) -> None:
        """Virtual time passes; what is due is done."""
        until = self.now_ms + ms
        while (due := self.switch.next_deadline()) is not None and due <= until:
            self.now_ms = max(self.now_ms, due)
            self.give("deadline", Deadline())
        self.now_ms = until


def call(bench: Bench, number: str, serial: int) -> tuple[bytes, bytes]:
    """INVITE now; the ACK and BYE to send later."""
    branch, tag, call_id = f"z9hG4bKb{serial}", f"t{serial}", f"call-{serial}@bench"
    uri = f"sip:{number}@127.0.0.1:5060"
    base = [("Max-Forwards", "70"), ("From", f"<sip:bench@127.0.0.1>;tag={tag}")]

    def message(method: str, cseq: int, to: str, target: str, body: str = "") -> bytes:
        via = [("Via", f"SIP/2.0/UDP 127.0.0.1:40000;branch={branch}{method};rport")]
        tail = [("To", to), ("Call-ID", call_id), ("CSeq", f"{cseq} {method}")]
        tail.append(("Contact", "<sip:bench@127.0.0.1:40000>"))
        kind = [("Content-Type", "application/sdp")] if body else []
        return wire.build(f"{method} {target} SIP/2.0", via + base + tail + kind, body)

    bench.sends.clear()
    offer = wire.offer("127.0.0.1", 41_000)
    bench.give("INVITE", Received(PEER, message("INVITE", 1, f"<{uri}>", uri, offer)))
    answers = [wire.parse(data) for data in bench.sends]
    final = next((answer for answer in answers if answer.status >= 200), None)
    if final is None or final.status != 200:
        raise SystemExit(f"{number} wasn't answered at once: {answers}\n{bench.others}")
    to, target = final.get("to"), wire.uri_of(final.get("contact"))
    return message("ACK", 1, to, target), message("BYE", 2, to, target)


def run(bench: Bench, number: str, calls: int) -> None:
    for _ in range(calls):
        bench.serial += 1
        if bench.serial % PORTS == 0:
            bench.prepare()
        ack, bye = call(bench, number, bench.serial)
        bench.give("ACK", Received(PEER, ack))
        bench.tick(5)
        bench.give("BYE", Received(PEER, bye))
        bench.tick(1000 // RATE - 5)


def count_instructions(number: str, calls: int, journal: bool) -> None:
    """This bench again under callgrind, which counts only while `counted` runs."""
    command = ["valgrind", "--tool=callgrind", "--instr-atstart=no", "--callgrind-out-file=/dev/null", sys.executable]
    command += [__file__, "--counted", f"--number={number}", f"--calls={calls}", *(["--journal"] if journal else [])]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONHASHSEED": "0"})
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode or found is None:
        raise SystemExit(done.stderr)
    print(f"{int(found[1]) / calls / 1000:.0f} thousand instructions per call ({calls} calls to {number})")


def counted(bench: Bench, number: str, calls: int) -> None:
    def switch(word: str) -> None:
        subprocess.run(["callgrind_control", "-i", word, str(os.getpid())], check=True, capture_output=True)

    switch("on")
    run(bench, number, calls)
    switch("off")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--number", default="9100")
    parser.add_argument("--calls", type=int, default=2_000)
    parser.add_argument("--journal", action="store_true")
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--instructions", action="store_true")
    parser.add_argument("--counted", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.instructions:
        count_instructions(options.number, min(options.calls, 200), options.journal)
        return
    bench = Bench(journal=options.journal)
    run(bench, options.number, 100)
    if options.counted:
        counted(bench, options.number, options.calls)
        return
    bench.spent.clear()
    bench.inputs = 0
    profile = cProfile.Profile()
    if options.profile:
        profile.enable()
    began = time.process_time()
    run(bench, options.number, options.calls)
    whole = time.process_time() - began
    profile.disable()
    print(f"{options.calls} calls to {options.number}, INVITE to BYE, virtual {RATE}/s, "
          f"journal {'encoded' if options.journal else 'off'}")  # fmt: skip
    total = sum(bench.spent.values())
    for kind, spent in sorted(bench.spent.items(), key=lambda item: -item[1]):
        print(f"  {kind:<10} {spent / 1000 / options.calls:8.1f} µs per call")
    each = bench.inputs / options.calls
    print(f"  {'all':<10} {total / 1000 / options.calls:8.1f} µs per call, {each:.1f} inputs each, "
          f"{total / 1000 / bench.inputs:.1f} µs per input; with the bench {whole * 1e6 / options.calls:.0f} µs")
    if options.profile:
        pstats.Stats(profile).sort_stats("tottime").print_stats(30)


if __name__ == "__main__":
    main()
