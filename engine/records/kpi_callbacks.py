"""Callbacks in figures: counted from the `callback.*` events, the same for the living engine and for a report."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from engine.records.events import Event
from engine.records.kpi import share

_COUNTED = {
    "callback.requested": "requested", "callback.dialled": "dialled", "callback.answered": "answered",
    "callback.attempt_failed": "failed_attempts", "callback.expired": "expired", "callback.cancelled": "cancelled",
    "callback.served": "served",
}  # fmt: skip


class Callbacks(msgspec.Struct):
    """Of one queue: wishes booked, calls to customers begun and answered, ways in which callbacks ended."""

    requested: int = 0
    dialled: int = 0
    answered: int = 0
    failed_attempts: int = 0
    expired: int = 0  # too old, or out of attempts
    cancelled: int = 0
    served: int = 0
    kept: int = 0  # of the served, within what was promised

    def count(self, kind: str, *, kept: bool = False) -> None:
        """One `callback.*` event; `kept` is what callback.served says of the promise."""
        name = _COUNTED.get(kind)
        if name is not None:
            setattr(self, name, getattr(self, name) + 1)
            self.kept += kind == "callback.served" and kept


def kept_promise(counts: Callbacks) -> float | None:
    """Kept promises = callbacks served within the promised time / callbacks that are over (served, expired), in
    percent. Source: field.md row 65 (kept-promise rate). Who cancelled has released us from the promise.
    """
    return share(counts.kept, counts.served + counts.expired)


def reached(counts: Callbacks) -> float | None:
    """Reached = calls to customers that were answered / begun, in percent."""
    return share(counts.answered, counts.dialled)


def by_queue(events: Iterable[Event]) -> dict[str, Callbacks]:
    """Counts per queue ("tenant/name") of the `callback.*` events among `events`."""
    found: dict[str, Callbacks] = {}
    for event in events:
        if event.kind in _COUNTED:
            queue = str(event.data.get("queue") or "")
            found.setdefault(queue, Callbacks()).count(event.kind, kept=bool(event.data.get("kept")))
    return found
