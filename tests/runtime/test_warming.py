"""Progress is said only when somebody waits; a second process helps where there is room for it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from engine import jit
from engine.runtime.warming import MEMORY_MIN, Reporter, room_for_two, second_process, wait_for_half


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_quick_start_says_nothing() -> None:
    said: list[str] = []
    clock = Clock()
    reporter = Reporter(said.append, seconds=clock)
    for number in range(5):
        clock.now += 0.1
        reporter(number, 5, f"kernel {number}")
    reporter(5, 5, "")
    assert said == []


def test_a_slow_one_says_each_step_once() -> None:
    said: list[str] = []
    clock = Clock()
    reporter = Reporter(said.append, seconds=clock)
    for number, name in enumerate(["rings", "rings", "receive", "receive", "tick"]):
        reporter(number, 5, name)
        clock.now += 0.5
    reporter(5, 5, "")
    assert said[0].startswith("compiling") and said[1:] == ["  3/5 receive", "  5/5 tick"]
    assert [(each["kernel"], each["seconds"]) for each in reporter.spent()] == [
        ("rings", 0.5), ("rings", 0.5), ("receive", 0.5), ("receive", 0.5), ("tick", 0.5)]


@pytest.mark.parametrize(("cores", "free", "limit", "used", "room"), [
    (2, MEMORY_MIN, "max", 0, True),
    (1, MEMORY_MIN, "max", 0, False),
    (2, MEMORY_MIN - 1024, "max", 0, False),
    (8, 2 * MEMORY_MIN, str(MEMORY_MIN), 1, False),  # a container with less
    (8, 2 * MEMORY_MIN, str(MEMORY_MIN + 1), 1, True),
])
def test_room_for_a_second_compiler(
    tmp_path: Path, cores: int, free: int, limit: str, used: int, room: bool
) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text(f"MemTotal: 99 kB\nMemAvailable:  {free // 1024} kB\nBuffers: 7 kB\n")
    (tmp_path / "memory.max").write_text(limit + "\n")
    (tmp_path / "memory.current").write_text(f"{used}\n")
    assert room_for_two(cores, meminfo, tmp_path) is room


def test_a_machine_that_does_not_tell_gets_one(tmp_path: Path) -> None:
    assert not room_for_two(8, tmp_path / "nothing", tmp_path)
    (tmp_path / "meminfo").write_text("nothing known\n")
    assert not room_for_two(8, tmp_path / "meminfo", tmp_path)


@pytest.mark.skipif(jit.DISABLED, reason="compiled code only")
def test_the_second_process_says_when_its_half_is_there_and_ends() -> None:
    with second_process() as helper:
        assert helper.stdout is not None
        assert helper.stdout.readline() == "half\n"
        assert helper.wait(60) == 0


def test_it_does_not_outlive_the_first() -> None:
    with second_process() as helper:
        pass
    assert helper.returncode is not None


@pytest.mark.parametrize(("command", "seconds", "there"), [
    ("echo half; exec sleep 60", 20, True), ("echo no; exec sleep 60", 20, False), ("exit 1", 20, False),
    ("exec sleep 60", 0.2, False),
])
def test_one_that_ends_or_stands_still_is_not_waited_for(command: str, seconds: float, there: bool) -> None:
    with subprocess.Popen(["sh", "-c", command], stdout=subprocess.PIPE, text=True) as second:
        try:
            assert wait_for_half(second, seconds) is there
        finally:
            second.kill()
