"""The real engine under libfaketime: its wall clock is set by an hour in mid-call and mid-queue, both ways.

Only CLOCK_REALTIME is moved, as a person or NTP would; the kernel's monotonic clock goes on.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from harness.children import until
from harness.desks import desk
from harness.phone import Phone
from harness.server import ROOT, Engine

HOUR_S = 3_600
EDITS = {"queues.yaml": ("wrap_up: 10s", "wrap_up: 3s")}
Set = Callable[[int], None]


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Set]:
    """Sets the wall clock of engines started from now on: seconds from the true time."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    assert found, "libfaketime is not installed (Debian: faketime)"
    setting = tmp_path / "wall"

    def set_clock(seconds: int) -> None:
        beside = setting.with_suffix(".new")
        beside.write_text(f"{seconds:+d}")
        beside.rename(setting)

    set_clock(0)
    for name, value in (
        ("LD_PRELOAD", str(found[0])), ("FAKETIME_TIMESTAMP_FILE", str(setting)), ("FAKETIME_CACHE_DURATION", "1"),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"), ("DONT_FAKE_MONOTONIC", "1"),
    ):  # fmt: skip
        monkeypatch.setenv(name, value)
    yield set_clock


def calm(engine: Engine) -> None:
    """Wait until the engine is done with its start. Under libfaketime its first seconds have long stops (0.05
    s without it): every reading of the clock takes a lock there. A ring that is told late would be measured short.
    """
    quick = 0

    def steady() -> bool:
        nonlocal quick
        began = time.monotonic()
        engine.calls_now()
        quick = quick + 1 if time.monotonic() - began < 0.1 else 0
        return quick >= 20

    until(steady, 30, what="answers come at once")


def jumped(engine: Engine, count: int) -> None:
    until(lambda: engine.output().count("the wall clock jumped") >= count, 4, what="the jump is noticed")


@pytest.mark.parametrize("sign", [1, -1])
def test_nothing_fires_early_or_late_when_the_clock_is_set(wall: Set, sign: int) -> None:
    with (
        Engine(edits=EDITS, arguments=("--http", "127.0.0.1:0")) as engine,
        engine.phone("a", secret=False) as talking, engine.phone("b", secret=False) as queued,
    ):  # fmt: skip
        calm(engine)
        dialog = talking.call("9664")
        with desk(engine, "201") as agent:
            waiting = queued.call("700")
            there = agent.wait_call(10)
            there.ring()  # and never answers: his ring time is measured
            rang = time.monotonic()
            time.sleep(1)
            wall(sign * HOUR_S)
            jumped(engine, 1)
            time.sleep(1)
            assert engine.calls_now() == 2, "a call ended by the clock"
            assert engine.agent_state("201") == "alerting"
            agent.expect("CANCEL", within=25)
            took = time.monotonic() - rang
            wall(0)
            jumped(engine, 2)
            ring_s = _ring_s(engine)
            assert ring_s - 0.5 <= took <= ring_s + 1.5, (took, ring_s)
            assert waiting.bye().status == 200
        _register_again(engine)
        assert dialog.bye().status == 200
        row = engine.last_call(dialled="9664")
        assert 1_000 * took <= row["duration_ms"] < 1_000 * took + 20_000
        events = engine.events()
        jumps = [event["data"] for event in events if event["kind"] == "engine.clock"]
        assert [round(jump["jump_ms"] / 1_000) for jump in jumps] == [sign * HOUR_S, -sign * HOUR_S]
        assert all(jump["new_ms"] - jump["old_ms"] == jump["jump_ms"] for jump in jumps)
        offset = [event["at_ms"] - event["now_ms"] for event in events]
        assert abs(max(offset) - min(offset) - 1_000 * HOUR_S) < 2_000, "records carry both times"
        order = [event["now_ms"] for event in events]
        assert order == sorted(order)
        line = next(each for each in engine.output().splitlines() if "the wall clock jumped" in each)
        assert "it was " in line and "it is " in line and f"{sign * HOUR_S:+d}.0 s" in line


def _ring_s(engine: Engine) -> float:
    """How long an agent rings, as the site says; seconds."""
    text = (engine.site / "queues.yaml").read_text()
    found = [line.split(":")[1].strip() for line in text.splitlines() if line.strip().startswith("ring:")]
    return float(found[0].split()[0].removesuffix("s"))


def _register_again(engine: Engine) -> None:
    """A nonce that was given before a jump is good after it: its age is counted by the other clock."""
    with Phone(engine.address, "202", engine.passwords()["202"]) as phone:
        assert phone.register().status == 200
        assert phone.register(expires=0, contact="*").status == 200


def test_a_journal_across_a_jump_replays(wall: Set) -> None:
    with Engine() as engine, engine.phone("a", secret=False) as caller:
        dialog = caller.call("9664")
        wall(-HOUR_S)
        jumped(engine, 1)
        dialog.bye()
        engine.wait_idle()
        wall(0)
        jumped(engine, 2)
        engine.stop()
        journal = sorted(path for path in engine.data.rglob("*.journal") if path.is_file())[-1]
        done = engine.command("doctor", "--json")
        steps = next(each for each in json.loads(done.stdout) if each["check"] == "clock steps")
        assert steps["state"] == "warn" and steps["detail"].startswith("2 in"), steps
        command = [sys.executable, "-m", "engine", "replay", str(journal)]
        replayed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
        assert replayed.returncode == 0, replayed.stdout + replayed.stderr
