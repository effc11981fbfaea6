"""A day of calls in virtual time through the real Switch and the real journal: how fast it replays, what it costs.

    python -m tests.bench.bench_replay [--calls 20000] [--hours 24] [--agents 30] [--keep DIR]

The day: callers at a steady pace into the menu, the queue and the echo, agents who answer, talk and hang up, phones
that register anew and are probed. Printed: replay's factor over real time and inputs a second (goal: 20 times real
time), the journal's size, and its share of the CPU (goal: 10 % of the CPU per call): the same inputs through the
Switch without and with `append`, sealing, the digest, the writes and the checkpoints, as `runtime.server` does it;
records, sockets and the media thread would make the whole larger and the share smaller.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from engine import limits
from engine.call.effects import Entropy, Input, Media, MediaHappened, Output
from engine.media.image import Image
from engine.runtime.journal import FORMAT, Header, Journal
from engine.runtime.replaying import chain, files_of, pack
from engine.sim.phone import Habit
from engine.sim.world import World
from engine.switch import Switch
from tests.scenarios.sites import AGENTS, QUEUES, site

HEADER = {"version": "bench", "boot": "bench", "node": "a", "seed": 1, "tokens_key": f"{1:032d}".encode(),
          "site": "bench", "began_ms": 1, "rows_max": 256}
NUMBERS = ("100", "700", "100", "700", "9196")
ENTROPY_MS = 60_000
BUSY_CALLS, BUSY_RATE = 2_000, 10  # where the CPU counts: a batch holds many inputs


class Recorded:
    """Switch, journal and image as the server holds them; a batch every 200 ms of engine time."""

    def __init__(self, folder: Path, bytes_max: int) -> None:
        self.switch = Switch(f"{1:032d}".encode(), boot="bench", seed=1, rows_max=256)
        self.image = Image()
        self.journal = Journal(folder, Header(FORMAT, **HEADER), bytes_max=bytes_max)  # type: ignore[arg-type]
        self.flushed_ms = 0

    def give(self, now_ms: int, event: Input) -> list[Output]:
        journal, switch = self.journal, self.switch
        if now_ms - self.flushed_ms >= limits.batch_ms_max:
            self.flushed_ms = now_ms
            journal.write(journal.take())
            if journal.due_for_rotation():
                journal.rotate(pack(switch, self.image), switch.room.site)
        if isinstance(event, MediaHappened):
            self.image.happened(event.event)
        journal.append(now_ms, event, switch.seal_for(event))
        outputs = switch.handle(event, now_ms)
        journal.outputs(outputs)
        for output in outputs:
            if type(output) is Media:
                self.image.apply(output.command, now_ms)
        return outputs


class Day(World):
    """A world that keeps no history of its own; its inputs go to `keep` in order."""

    def __init__(self, agents: int) -> None:
        self.kept: list[tuple[int, Input]] = []
        every = "".join(f"{201 + n}: {{name: A{n}, queues: [support]}}\n" for n in range(max(agents, 3)))
        super().__init__(site(agents=every if agents else AGENTS, queues=QUEUES))
        for n in range(max(agents, 3)):
            phone = self.phone(str(201 + n))
            phone.habit = Habit(answer_ms=1_500 + 100 * n, talk_ms=45_000)
            phone.register(self.now_ms)
            self.run(50)
            self.operate("agent.login", agent=phone.user)
        self.callers = [self.phone(f"555{n:04d}", password="") for n in range(40)]

    def give(self, event: Input) -> list[Output]:
        self.kept.append((self.now_ms, event))
        outputs = super().give(event)
        if len(self.inputs) > 2_000:
            for each in (self.inputs, self.events[:-50], self.logs, self.replies[:-1]):
                each.clear()
            del self.events[:-50], self.replies[:-1]
            for phone in self.phones.values():
                phone.got.clear()
                phone.log.clear()
                phone.ended.clear()
            self.media.closed.clear()
        return outputs


def live(calls: int, hours: float, agents: int) -> list[tuple[int, Input]]:
    """The day's inputs."""
    world = Day(agents)
    began, apart_ms = world.now_ms, int(hours * 3_600_000 / calls)
    entropy_ms, register_ms = world.now_ms, world.now_ms + 1_500_000
    for number in range(calls):
        caller = world.callers[number % len(world.callers)]
        caller.hang_up(world.now_ms)  # he who still waits has had enough
        caller.call(NUMBERS[number % len(NUMBERS)], world.now_ms, secret=False)
        if number % 5 in (0, 2):
            world.run(2_500)
            world.press(caller, "1")
        world.run(max(0, began + (number + 1) * apart_ms - world.now_ms))
        if number % 5 == 4:
            caller.hang_up(world.now_ms)
        while world.now_ms - entropy_ms >= ENTROPY_MS:
            entropy_ms += ENTROPY_MS
            world.give(Entropy(bytes(32)))
        if world.now_ms >= register_ms:
            register_ms += 1_500_000
            for phone in world.phones.values():
                if phone.password:
                    phone.register(world.now_ms)
        if number % 1_000 == 999:
            print(f"  {number + 1} calls, {len(world.kept)} inputs", file=sys.stderr)
    world.run(60_000)
    return world.kept


def cpu_s(inputs: list[tuple[int, Input]], folder: Path | None, bytes_max: int) -> float:
    """CPU seconds of the Switch over these inputs, with a journal in `folder` or without one."""
    if folder is None:
        switch = Switch(f"{1:032d}".encode(), boot="bench", seed=1, rows_max=256)
        handle = switch.handle
        began = time.process_time()
        for now_ms, event in inputs:
            handle(event, now_ms)
        return time.process_time() - began
    recorded = Recorded(folder, bytes_max)
    give = recorded.give
    began = time.process_time()
    for now_ms, event in inputs:
        give(now_ms, event)
    recorded.journal.close()
    return time.process_time() - began


def shares(
    pace: str, inputs: list[tuple[int, Input]], calls: int, rounds: int, folder: Path, bytes_max: int
) -> None:
    """Print the journal's share; the first round's journal stays in `folder`."""
    off, on = [], []
    for number in range(rounds):
        off.append(cpu_s(inputs, None, bytes_max))
        on.append(cpu_s(inputs, folder if number == 0 else folder.with_name(f"{folder.name}{number}"), bytes_max))
    plain, more = min(off) / calls * 1e6, (min(on) - min(off)) / calls * 1e6
    print(f"{pace}: Switch {plain:.0f} us of CPU a call, the journal with its checkpoints {more:.0f} us more: "
          f"{more / (plain + more):.1%} of both")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--agents", type=int, default=30)
    parser.add_argument("--bytes-max", type=int, default=limits.journal_bytes_max)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    inputs = live(given.calls, given.hours, given.agents)
    span_s = (inputs[-1][0] - inputs[0][0]) / 1_000
    assert all(one[0] <= other[0] for one, other in pairwise(inputs))
    print(f"{given.calls} calls in {span_s / 3600:.1f} h of virtual time: {len(inputs)} inputs")
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.keep or Path(scratch) / "journal"
        shares("at the day's pace", inputs, given.calls, given.rounds, folder, given.bytes_max)
        busy = min(given.calls, BUSY_CALLS)
        quick = live(busy, busy / BUSY_RATE / 3_600, given.agents)
        shares(f"at {BUSY_RATE} calls a second", quick, busy, given.rounds, Path(scratch) / "busy", given.bytes_max)
        files = files_of(folder)
        size = sum(path.stat().st_size for path in files)
        print(f"journal: {len(files)} files, {size / 1e6:.1f} MB, {size / given.calls / 1e3:.1f} kB a call")
        began = time.monotonic()
        reports = list(chain(files))
        spent = time.monotonic() - began
        replayed = sum(each.report.inputs for each in reports)
        bad = [each.path.name for each in reports if each.report.differs or each.follows is False]
        print(f"replay: {replayed} inputs in {spent:.1f} s: {replayed / spent:.0f} inputs a second, "
              f"{span_s * replayed / len(inputs) / spent:.0f} times real time; different: {bad or 'none'}")


if __name__ == "__main__":
    main()
