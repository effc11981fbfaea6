"""What it costs to keep why: `python -m tests.bench.bench_explain [--calls 60] [--instructions]`; no thresholds here.

1. `brief.brief` alone, by the size of the queue's team: process CPU µs per decision.
2. Whole queue calls (INVITE to BYE of both legs, offer, answer, records as JSON rows and outputs encoded for the
   journal's digest) with and without it, from the same recorded inputs: first where an agent is free, one decision a
   call, then where every caller has to wait for one, two decisions a call. Rounds with and without alternate and
   the fastest of each counts; `--instructions` counts machine instructions with valgrind instead, a figure that
   other work on the machine can't change.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time

import msgspec

from engine.acd import brief, events
from engine.call.effects import Emit, Input
from engine.records import schema
from engine.sim.phone import Habit
from engine.sim.world import World
from engine.switch import Switch
from tests.bench.bench_acd import staffed
from tests.scenarios import sites

ROUNDS = 7
AGENTS = 10
_ENCODER = msgspec.msgpack.Encoder()


# --- the record alone -----------------------------------------------------------------------------------------
def alone() -> None:
    for agents in (1, 10, 32, 33, 100, 1_000, 10_000):
        distributor = staffed(agents)
        pool = distributor._pool
        for row in range(0, agents, 3):  # a third is free, a third pauses, the rest has gone
            distributor.apply(events.AgentNotReady(row, "lunch" if row % 2 else ""), 20_000)
        for row in range(1, agents, 3):
            distributor.apply(events.AgentLoggedOut(row), 20_000)
        distributor.settle(20_000)
        distributor.apply(events.CallJoined(1, 1, 0, ((3, 6),)), 20_000)
        queue, entry = pool.queue_at(0), pool.calls[1]
        rows = queue.idle[:1]
        count = max(20, 20_000 // agents)
        times = []
        for _ in range(ROUNDS):
            began = time.process_time_ns()
            for _ in range(count):
                brief.brief(pool, queue, entry, rows, 20_000)
                pool.out.clear()
            times.append((time.process_time_ns() - began) / count / 1_000)
        print(f"brief of a decision, {agents:>6} agents: {min(times):7.1f} µs")


# --- whole calls ------------------------------------------------------------------------------------------------
def recorded(calls: int, *, waiting: bool) -> tuple[list[tuple[int, Input]], list[tuple[int, Input]]]:
    """(inputs that set the scene, inputs of the calls)."""
    desks = "".join(f"{201 + n}: {{name: A{n}, queues: [support], skills: {{power: 5}}}}\n" for n in range(AGENTS))
    site = sites.site(
        agents=desks, queues="support: {ring: 20s}\n",
        dialplans__support="ringdown: 1\nflows:\n  main:\n    - answer\n    - queue:\n        name: support\n"
        "        needs: {power: 5}\n        full: bye\n        no_agents: bye\n        timeout: bye\n"
        "    - hangup: served\n  bye:\n    - hangup: failed\n",
    )  # fmt: skip
    world = World(site)
    for number in range(AGENTS):
        phone = world.phone(str(201 + number))
        phone.habit = Habit(answer_ms=300, talk_ms=2_000)
        phone.register(world.now_ms)
        world.run(300)
        assert world.operate("agent.login", agent=f"default/{201 + number}").ok
        if waiting and number > 1:
            assert world.operate("agent.not_ready", agent=f"default/{201 + number}", reason="lunch").ok
    world.run(1_000)
    scene = len(world.inputs)
    for number in range(calls):
        caller = world.phone(f"555{number:04d}", password="")
        caller.call("700", world.now_ms)
        world.run(1_000)
    world.run(10_000)
    assert len(world.all("queue.connected")) == calls
    told = len(world.all("queue.decided"))
    assert told >= (2 * calls - 4 if waiting else calls), told
    return world.inputs[:scene], world.inputs[scene:]


def fresh(scene: list[tuple[int, Input]], *, explains: bool) -> Switch:
    switch = Switch(f"{1:032d}".encode(), boot="sim1", seed=1, rows_max=256)
    if not explains:
        switch.room.acd.explains(None)
    for now_ms, each in scene:
        switch.handle(each, now_ms)
    return switch


def drive(switch: Switch, inputs: list[tuple[int, Input]]) -> int:
    """As the serving process: outputs encoded for the journal, events made rows of the record store. Bytes of them."""
    size = 0
    for now_ms, each in inputs:
        outputs = switch.handle(each, now_ms)
        _ENCODER.encode(outputs)
        for output in outputs:
            if type(output) is Emit:
                size += len(schema.event_row("a", output.event)[-1])
                schema.queue_row("a", output.event)
    return size


def whole(calls: int) -> None:
    for waiting in (False, True):
        scene, inputs = recorded(calls, waiting=waiting)
        spent: dict[bool, list[float]] = {True: [], False: []}
        size = dict.fromkeys((True, False), 0)
        for _ in range(ROUNDS):
            for explains in (True, False):
                switch = fresh(scene, explains=explains)
                began = time.process_time_ns()
                size[explains] = drive(switch, inputs)
                spent[explains].append((time.process_time_ns() - began) / calls / 1_000)
        on, off = min(spent[True]), min(spent[False])
        print(
            f"a queue call, {_shape(waiting)}: {off:.0f} µs without, {on:.0f} with: {100 * (on - off) / off:+.1f} %; "
            f"records {size[False] / calls:.0f} and {size[True] / calls:.0f} bytes"
        )


def _shape(waiting: bool) -> str:
    return "who has to wait" if waiting else "an agent is free"


def counted(calls: int, waiting: bool, explains: bool) -> int:
    """Instructions per call; valgrind counts only while the calls run."""
    command = ["valgrind", "--tool=callgrind", "--instr-atstart=no", "--callgrind-out-file=/dev/null", sys.executable]
    command += ["-m", "tests.bench.bench_explain", f"--calls={calls}", f"--counted={int(waiting)}{int(explains)}"]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONHASHSEED": "0"})
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode or found is None:
        raise SystemExit(done.stderr)
    return int(found[1]) // (calls + 10)


def instructions(calls: int) -> None:
    for waiting in (False, True):
        on, off = (counted(calls, waiting, explains) / 1_000 for explains in (True, False))
        print(
            f"a queue call, {_shape(waiting)}: {off:.0f} thousand instructions without, {on:.0f} with: "
            f"{100 * (on - off) / off:+.2f} % ({calls} calls)"
        )


def _under_valgrind(calls: int, waiting: bool, explains: bool) -> None:
    scene, inputs = recorded(calls + 10, waiting=waiting)
    drive(fresh(scene, explains=explains), inputs)  # whatever happens once has happened
    switch = fresh(scene, explains=explains)

    def turn(word: str) -> None:
        subprocess.run(["callgrind_control", "-i", word, str(os.getpid())], check=True, capture_output=True)

    turn("on")
    drive(switch, inputs)
    turn("off")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--calls", type=int, default=60)
    parser.add_argument("--instructions", action="store_true")
    parser.add_argument("--counted", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.counted:
        _under_valgrind(options.calls, options.counted[0] == "1", options.counted[1] == "1")
    elif options.instructions:
        instructions(options.calls)
    else:
        alone()
        whole(options.calls)


if __name__ == "__main__":
    main()
