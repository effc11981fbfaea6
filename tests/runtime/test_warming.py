"""Progress is said only when somebody waits."""

from __future__ import annotations

from engine.runtime.warming import Reporter


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
