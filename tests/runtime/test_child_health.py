"""When a silent child is ill, and when it only gets no turn."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from engine.runtime import child_health as room
from engine.runtime.child_health import Vitals, ailment, vitals

FINE = Vitals("S", 10.0, 50 << 20)


def state(letter: str, memory_bytes: int = 50 << 20) -> Vitals:
    return Vitals(letter, 10.0, memory_bytes)


@pytest.mark.parametrize(
    ("seen", "silent_s", "busy_s", "why"),
    [
        (FINE, 5.0, 0.0, ""),
        (FINE, 7.0, 0.0, "no answer for 7.0 s"),
        (state("D"), 7.0, 0.0, "no answer"),
        (None, 7.0, 0.0, "no answer"),  # it ends at this moment
        (state("R"), 20.0, 0.5, ""),  # it is starved
        (state("R"), 25.0, 0.5, "no answer for 25.0 s"),  # too much of it
        (state("R"), 7.0, 4.5, "it computes for 4.5 s"),
        (state("R"), 5.0, 4.5, ""),
        (state("T"), 1.0, 0.0, ""),
        (state("T"), 2.5, 0.0, "is stopped"),
        (state("S", 1 << 50), 0.1, 0.0, "MiB of memory"),
    ],
)
def test_a_child_that_serves(seen: Vitals | None, silent_s: float, busy_s: float, why: str) -> None:
    told = ailment(seen, ready=True, silent_s=silent_s, busy_s=busy_s)
    assert why in told and bool(told) == bool(why)


def test_one_that_starts_may_take_its_time() -> None:
    assert not ailment(state("R"), ready=False, silent_s=19.0, busy_s=19.0)
    assert "not ready after 21.0 s" in ailment(state("R"), ready=False, silent_s=21.0, busy_s=0.0)
    assert "memory" in ailment(state("R", 1 << 50), ready=False, silent_s=0.1, busy_s=0.0)


def test_vitals_are_the_kernels() -> None:
    own = vitals(os.getpid())
    assert own is not None and own.state == "R" and own.cpu_s > 0 and own.memory_bytes > 10_000_000
    assert 100_000_000 < room.memory_bytes_max() < 1 << 50
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert vitals(process.pid) is None
