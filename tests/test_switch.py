"""The laws of the whole: deterministic under any hash seed, encodable at any step, nothing ever left behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.call.effects import WallClock
from engine.records.call_detail import fold
from engine.records.events import KINDS
from engine.records.kpi_agents import timeline
from tests.call import calls
from tests.scenarios.soak import Mischief

ROOT = Path(__file__).parents[1]
STEPS = 60


@pytest.mark.parametrize("seed", range(12))
def test_mischief_leaves_nothing_behind(seed: int) -> None:
    mischief = Mischief(seed, watched=seed % 3 == 0)
    for _ in range(STEPS):
        mischief.act()
    mischief.settle()
    world = mischief.world
    assert mischief.drained and world.quiet()
    room = world.switch.room
    left = {
        "calls": {call.name: (call.phase, call.ended_by) for call in room.calls.values()}, "legs": room.legs,
        "attempts": room.attempts, "sessions": room.endpoint.session_count(), "rows": room.rows.used,
        "offers": room.offers, "closing": room.closing, "taps": room.taps, "pending": room.pending,
        "trunks": {name: calls for name, calls in room.trunk_calls.items() if calls},
        "occupied": {row.key: row.other_legs for row in room.agents.values() if row.other_legs},
    }  # fmt: skip
    assert not any(left.values()), left
    states = {row.key: row.state for row in room.agents.values()}
    assert all(state in ("ready", "not_ready", "logged_out") for state in states.values()), states
    assert world.kinds("call.started").count("call.started") == world.kinds("call.ended").count("call.ended")
    assert len(world.all("queue.connected")) == len(world.all("queue.completed"))
    assert len(world.all("queue.offered")) == len(world.all("queue.offer_ended"))
    # ports that can't be bound are part of the mischief; nothing else may be an error
    assert not [line.text for line in world.logs if line.level == "error" and "already in use" not in line.text]


@pytest.mark.parametrize("seed", [1, 2, 5])
def test_encoding_and_restoring_at_every_step_changes_no_output(seed: int) -> None:
    digests = []
    for law9 in (False, True):
        mischief = Mischief(seed, law9=law9)
        for _ in range(15):
            mischief.act()
        digests.append(mischief.world.digest.hexdigest())
    assert digests[0] == digests[1]


def test_three_hash_seeds_give_the_same_outputs_bit_for_bit() -> None:
    lines = []
    for hash_seed in ("0", "1", "424242"):
        run = subprocess.run(
            [sys.executable, "-m", "tests.scenarios.soak", "3", "25"], capture_output=True, text=True, check=True,
            cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": hash_seed}, timeout=120,
        )  # fmt: skip
        lines.append(run.stdout)
    assert lines[0] == lines[1] == lines[2] and lines[0].endswith("True\n")


def test_every_event_holds_the_fields_that_the_schema_lists() -> None:
    wrong, kinds = [], set()
    for seed in range(8):
        mischief = Mischief(seed)
        for _ in range(STEPS):
            mischief.act()
        mischief.settle()
        for event in mischief.world.events:
            kinds.add(event.kind)
            if set(event.data) != set(KINDS.get(event.kind, ())):
                wrong.append((event.kind, sorted(event.data)))
    assert not wrong, wrong[:3]
    assert len(kinds) > 20


@pytest.mark.parametrize("hours", [1, -1])
def test_a_wall_clock_that_jumps_during_a_conversation_changes_no_length_and_is_told(hours: int) -> None:
    """Records say both times: the wall's, which jumped, and the monotonic one, by which everything is measured."""
    w = calls.world()
    caller, desk = calls.talk(w)
    w.run(20_000)
    before = w.switch.room.wall_offset_ms
    w.give(WallClock(before + hours * 3_600_000))
    w.run(10_000)
    caller.hang_up(w.now_ms)
    w.run(1_000)
    jumped = w.last("engine.clock")
    assert jumped.data["jump_ms"] == hours * 3_600_000
    assert int(jumped.data["new_ms"] or 0) - int(jumped.data["old_ms"] or 0) == hours * 3_600_000
    (row,) = fold(w.events)
    assert 30_000 <= row.talked_ms < 32_000 and row.duration_ms < 60_000
    assert abs(row.ended_ms - row.started_ms - row.duration_ms - hours * 3_600_000) < 1_000
    (span,) = [each for each in timeline(w.events) if each.state == "talking"]
    assert 30_000 <= span.ms < 32_000
    w.give(WallClock(before + hours * 3_600_000 + 20))  # drift is no jump
    assert len(w.all("engine.clock")) == 1 and not desk.up()
