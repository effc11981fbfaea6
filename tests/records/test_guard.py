"""What a shared version is judged by: counted alike for its calls and the others."""

from __future__ import annotations

import pytest

from engine.records.events import Event
from engine.records.guard import CALLS_MIN, Bound, Guard, parse


def event(kind: str, call: str, **data: str) -> Event:
    return Event(1, "b", 1, 1, kind, "default", call, dict(data))


def feed(guard: Guard, count: int, *kinds: str, outcome: str = "served", shared: bool = True, begin: int = 0) -> None:
    """So many calls with these happenings, each ended."""
    for number in range(begin, begin + count):
        call = f"{'new' if shared else 'old'}-{number}"
        guard.feed(event("call.started", call))
        for kind in (*(("call.shared",) if shared else ()), *kinds):
            guard.feed(event(kind, call))
        guard.feed(event("call.ended", call, outcome=outcome))


@pytest.mark.parametrize(("text", "bound"), [
    ("abandoned<=8%", Bound("abandoned", 8.0)), ("faults <= old + 1.5 %", Bound("faults", 1.5, True)),
    ("failed<=2", Bound("failed", 2.0)), ("abandoned<8%", None), ("faults<=old-1%", None), ("x<=101%", None),
    ("", None),
])  # fmt: skip
def test_guards_as_written(text: str, bound: Bound | None) -> None:
    assert parse(text) == bound
    if bound is not None:
        assert parse(str(bound)) == bound


def test_abandoned_is_the_queues_kpi_and_others_do_not_count() -> None:
    guard = Guard(Bound("abandoned", 10))
    feed(guard, 5)  # never in a queue
    feed(guard, 30, "queue.joined", "queue.abandoned", shared=False)
    feed(guard, 2, "queue.joined", "queue.abandoned", begin=10)
    assert (guard.new.calls, guard.new.bad, guard.old.percent()) == (2, 2, 100.0) and not guard.broken()
    feed(guard, 1, "queue.joined", "queue.abandoned", begin=20)
    assert guard.broken()  # 3 of at most 20 are more than 10 %, whatever the next 17 are


def test_few_calls_say_nothing_and_good_ones_excuse() -> None:
    guard = Guard(Bound("faults", 5))
    feed(guard, 1, "call.fault", "call.fault")
    assert not guard.broken() and not guard.enough()
    feed(guard, CALLS_MIN - 1, begin=10)
    assert guard.enough() and not guard.broken() and guard.new.percent() == 5.0
    feed(guard, 1, "call.fault", begin=90)
    assert guard.broken() and "faults 9.5% of 21, the others 0.0% of 0, at most 5.0%" in guard.words()


def test_a_relative_bound_follows_the_others() -> None:
    guard = Guard(Bound("failed", 2, True))
    feed(guard, 40, outcome="failed", shared=False)
    feed(guard, 60, shared=False, begin=40)
    assert guard.limit() == pytest.approx(42)
    feed(guard, 8, outcome="failed")
    assert not guard.broken()
    feed(guard, 1, outcome="failed", begin=8)
    assert guard.broken()


def test_calls_from_before_are_nobodys() -> None:
    guard = Guard(Bound("failed", 0))
    guard.feed(event("call.fault", "before"))
    guard.feed(event("call.ended", "before", outcome="failed"))
    assert guard.old.calls == 0 and guard.new.calls == 0
    assert guard._open == {} and guard._on_new == {}
    feed(guard, 3)
    assert guard._open == {} and guard._on_new == {}
