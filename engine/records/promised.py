"""What callers were promised and what came of it: one row of `promises` for each estimate, when its wait is over.

A promise is the estimate at joining (`queue.joined`), which nobody needs to have heard, or a range that was spoken
(`queue.told`). Its wait lasts from that moment until an agent answers, or until the caller leaves the queue in another
way; what he then books (a callback) makes promises of its own. A row's key is that of the event that made the promise,
so an engine that goes on after a crash writes the same row again.
"""

from __future__ import annotations

import msgspec

from engine.records.events import Event

KINDS = frozenset((
    "queue.joined", "queue.told", "queue.connected", "queue.abandoned", "queue.left", "queue.renamed", "call.ended",
    "callback.requested",
))  # fmt: skip
calls_kept_max = 16_384
promises_of_call_max = 64  # spoken once a minute that is an hour's worth; later ones of the same wait are left out
_MINUTE = 60_000

Row = tuple[object, ...]


class _Promise(msgspec.Struct):
    """Range and moment of one promise; `high_ms` 0: no bound on that side."""

    at_ms: int
    n: int
    boot: str
    now_ms: int
    spoken: bool
    low_ms: int
    high_ms: int


class _Wait(msgspec.Struct):
    """A caller's wait in one queue."""

    tenant: str
    queue: str
    promises: list[_Promise] = []


class Promised:
    """`feed` takes the kinds in KINDS in order. Memory is bounded: one wait per call, so many promises each."""

    def __init__(self) -> None:
        self._waits: dict[str, _Wait] = {}
        self._rows: list[Row] = []

    def feed(self, event: Event) -> None:
        """One event whose kind is in KINDS."""
        kind, data = event.kind, event.data
        if kind == "queue.joined":
            self._waits.pop(event.call, None)
            high_ms = _number(data.get("estimate_high_ms"))  # engines of before didn't say
            if high_ms > 0:
                self._promise(event, False, _number(data.get("estimate_low_ms")), high_ms)
        elif kind == "queue.told":
            low, high = _number(data.get("low_min")), _number(data.get("high_min"))
            if low or high:
                self._promise(event, True, low * _MINUTE, high * _MINUTE)
        elif kind == "queue.connected":
            self._over(event, event.call, "connected")
        elif kind == "queue.abandoned":
            self._over(event, event.call, "abandoned")
        elif kind == "queue.left":
            self._over(event, event.call, str(data.get("reason") or "left"))
        elif kind == "callback.requested":
            self._over(event, str(data.get("origin") or ""), "callback")
        elif kind == "call.ended":
            self._waits.pop(event.call, None)
        else:
            for wait in self._waits.values():
                if wait.queue == data.get("was"):
                    wait.queue = str(data.get("queue") or "")

    def take(self) -> list[Row]:
        """Rows of `promises` since the last call."""
        rows, self._rows = self._rows, []
        return rows

    def _promise(self, event: Event, spoken: bool, low_ms: int, high_ms: int) -> None:
        wait = self._waits.get(event.call)
        if wait is None:
            if len(self._waits) >= calls_kept_max:
                self._waits.pop(next(iter(self._waits)))
            wait = self._waits[event.call] = _Wait(event.tenant, str(event.data.get("queue") or ""))
        if len(wait.promises) < promises_of_call_max:
            wait.promises.append(_Promise(event.at_ms, event.n, event.boot, event.now_ms, spoken, low_ms, high_ms))

    def _over(self, event: Event, call: str, result: str) -> None:
        wait = self._waits.pop(call, None)
        if wait is None:
            return
        for each in wait.promises:
            same = each.boot == event.boot  # another boot's monotonic clock says nothing
            waited_ms = event.now_ms - each.now_ms if same else event.at_ms - each.at_ms
            self._rows.append((
                each.at_ms, each.n, each.boot, wait.tenant, wait.queue, int(each.spoken), each.low_ms, each.high_ms,
                max(0, waited_ms), result,
            ))  # fmt: skip


def _number(value: object) -> int:
    return int(value) if isinstance(value, int | float) else 0
