"""Callbacks in figures."""

from __future__ import annotations

from engine.records.events import Event
from engine.records.kpi_callbacks import Callbacks, by_queue, kept_promise, reached


def event(kind: str, **data: str | int | bool) -> Event:
    return Event(1, "b", 0, 0, kind, "default", "kavo-1", {"queue": "default/support", **data})


def test_counts_by_queue_and_what_is_made_of_them() -> None:
    found = by_queue([
        event("callback.requested"), event("callback.requested"), event("callback.requested"),
        event("callback.dialled"), event("callback.dialled"), event("callback.dialled"),
        event("callback.attempt_failed"), event("callback.answered"), event("callback.answered"),
        event("callback.served", kept=True), event("callback.served", kept=False), event("callback.expired"),
        event("callback.cancelled", queue="default/sales"), event("queue.left"),
    ])  # fmt: skip
    assert found["default/support"] == Callbacks(3, 3, 2, 1, 1, 0, 2, 1)
    assert found["default/sales"].cancelled == 1 and list(found) == ["default/support", "default/sales"]
    assert kept_promise(found["default/support"]) == 100 / 3
    assert reached(found["default/support"]) == 200 / 3


def test_nothing_to_divide_by_is_no_figure() -> None:
    assert kept_promise(Callbacks()) is None and reached(Callbacks()) is None
