"""Promises become rows when their wait is over, whoever made them and however it ended."""

from __future__ import annotations

from typing import Any

import pytest

from engine.records import promised
from engine.records.events import Event
from engine.records.promised import KINDS, Promised

START = 1_700_000_100_000


class Told:
    """Events with rising numbers at the seconds given."""

    def __init__(self) -> None:
        self.promised, self.n = Promised(), 0

    def __call__(self, seconds: int, kind: str, call: str = "c", /, boot: str = "b", **data: Any) -> None:
        self.n += 1
        assert kind in KINDS
        shift = 0 if boot == "b" else 9_000_000  # another boot's monotonic clock
        self.promised.feed(
            Event(self.n, boot, START + seconds * 1000, shift + seconds * 1000, kind, "default", call, data)
        )

    def joins(self, seconds: int, call: str = "c", *, low: int = 5_000, high: int = 60_000) -> None:
        self(seconds, "queue.joined", call, queue="default/q", position=1, priority_ms=0, caller="1",
             estimate_low_ms=low, estimate_high_ms=high)  # fmt: skip

    def rows(self) -> list[tuple[object, ...]]:
        """(spoken, low, high, waited, result) of what is new."""
        return [row[5:] for row in self.promised.take()]


def test_each_promise_of_a_wait_lasts_from_its_own_moment() -> None:
    tell = Told()
    tell.joins(0)
    tell(30, "queue.told", queue="default/q", position=1, low_min=1, high_min=2)
    assert tell.rows() == []
    tell(90, "queue.connected", queue="default/q", agent="default/201", waited_ms=90_000, rang_ms=1)
    rows = tell.promised.take()
    assert rows == [
        (START, 1, "b", "default", "default/q", 0, 5_000, 60_000, 90_000, "connected"),
        (START + 30_000, 2, "b", "default", "default/q", 1, 60_000, 120_000, 60_000, "connected"),
    ]
    tell(95, "queue.abandoned", queue="default/q", position=0, first_position=1, waited_ms=0)
    assert tell.rows() == []  # over is over


@pytest.mark.parametrize(("kind", "data", "result"), [
    ("queue.abandoned", {}, "abandoned"), ("queue.left", {"reason": "timeout"}, "timeout"),
])  # fmt: skip
def test_who_leaves_unanswered(kind: str, data: dict[str, str], result: str) -> None:
    tell = Told()
    tell.joins(0)
    tell(7, kind, queue="default/q", **data)
    assert tell.rows() == [(0, 5_000, 60_000, 7_000, result)]


def test_no_promise_no_row() -> None:
    """An engine of before said nothing; 0 and 0 are no promise; a told range without bounds isn't one either."""
    tell = Told()
    tell(0, "queue.joined", "old", queue="default/q", position=1, priority_ms=0, caller="1")
    tell.joins(0, "none", low=0, high=0)
    tell(1, "queue.told", "none", queue="default/q", position=1, low_min=0, high_min=0)
    for call in ("old", "none"):
        tell(5, "queue.connected", call, queue="default/q", agent="a", waited_ms=5_000, rang_ms=1)
    assert tell.rows() == []


def test_a_callback_ends_the_wait_and_a_queue_renamed_goes_on() -> None:
    tell = Told()
    tell.joins(0, "asked")
    tell.joins(0, "stays")
    tell(4, "callback.requested", "own", queue="default/q", number="1", origin="asked", mode="", position=1)
    tell(5, "queue.renamed", "", queue="default/new", was="default/q")
    tell(9, "queue.connected", "stays", queue="default/new", agent="a", waited_ms=9_000, rang_ms=1)
    assert [(row[4], row[9]) for row in tell.promised.take()] == [
        ("default/q", "callback"), ("default/new", "connected"),
    ]  # fmt: skip


def test_the_next_queue_makes_its_own_promise() -> None:
    tell = Told()
    tell.joins(0)
    tell.joins(20, high=30_000)
    tell(25, "queue.connected", queue="default/q", agent="a", waited_ms=25_000, rang_ms=1)
    assert tell.rows() == [(0, 5_000, 30_000, 5_000, "connected")]


def test_over_a_restart_the_wall_clock_counts() -> None:
    tell = Told()
    tell.joins(0)
    tell(40, "queue.connected", boot="next", queue="default/q", agent="a", waited_ms=1, rang_ms=1)
    assert tell.rows() == [(0, 5_000, 60_000, 40_000, "connected")]


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(promised, "calls_kept_max", 2)
    monkeypatch.setattr(promised, "promises_of_call_max", 3)
    tell = Told()
    for call in ("a", "b", "c"):
        tell.joins(0, call)
    for _ in range(9):
        tell(1, "queue.told", "c", queue="default/q", position=1, low_min=1, high_min=0)
    tell(2, "call.ended", "b")
    for call in ("a", "b", "c"):
        tell(3, "queue.connected", call, queue="default/q", agent="a", waited_ms=3_000, rang_ms=1)
    rows = tell.rows()
    assert len(rows) == 3 and rows[1:] == [(1, 60_000, 0, 2_000, "connected")] * 2
