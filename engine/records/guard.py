"""What a shared version of the site is judged by: one metric, counted alike for its calls and for all others.

Metrics, each a share of the calls that have ended:
- `abandoned`: of those that joined a queue, who gave up in one (as the KPI of queues, `kpi.Contact`: abandoned / all)
- `faults`: with at least one `call.fault`
- `failed`, `served`, …: any outcome of a call, by its name

A guard is `METRIC<=8%`, or `METRIC<=old+2%`: so many points above what the other calls have meanwhile.
"""

from __future__ import annotations

import re

import msgspec

from engine.records.events import Event

CALLS_MIN = 20  # so few calls say nothing: until then as many bad ones are needed as would break the bound among these
_GUARD = re.compile(r"([a-z][a-z0-9_-]{0,31})\s*<=\s*(?:(old)\s*\+\s*)?([0-9]{1,3}(?:\.[0-9]{1,2})?)\s*%?")
_QUEUED, _GAVE_UP, _FAULT = 1, 2, 4


class Bound(msgspec.Struct, frozen=True):
    """`percent` is absolute, or above what the others have."""

    metric: str
    percent: float
    relative: bool = False

    def __str__(self) -> str:
        return f"{self.metric}<={'old+' if self.relative else ''}{self.percent:g}%"


class Count(msgspec.Struct):
    """Calls that count for the metric, and those of them that are what nobody wants."""

    calls: int = 0
    bad: int = 0

    def percent(self) -> float:
        """0 while there are none."""
        return 100 * self.bad / self.calls if self.calls else 0.0

    def __str__(self) -> str:
        return f"{self.percent():.1f}% of {self.calls}"


def parse(text: str) -> Bound | None:
    """None for what is no guard."""
    match = _GUARD.fullmatch(text.strip())
    if match is None or float(match[3]) > 100:
        return None
    return Bound(match[1], float(match[3]), match[2] is not None)


class Guard:
    """Feed it every event from the moment at which the share begins: it knows only calls that began after it."""

    def __init__(self, bound: Bound) -> None:
        self.bound = bound
        self.new, self.old = Count(), Count()
        self._open: dict[str, int] = {}  # call -> flags
        self._on_new: dict[str, None] = {}

    def feed(self, event: Event) -> None:
        """One event of the stream."""
        call = event.call
        if event.kind == "call.started":
            self._open[call] = 0
        elif call not in self._open:
            return
        elif event.kind == "call.shared":
            self._on_new[call] = None
        elif event.kind == "queue.joined":
            self._open[call] |= _QUEUED
        elif event.kind == "queue.abandoned":
            self._open[call] |= _GAVE_UP
        elif event.kind == "call.fault":
            self._open[call] |= _FAULT
        elif event.kind == "call.ended":
            self._ended(call, str(event.data["outcome"]))

    def _ended(self, call: str, outcome: str) -> None:
        flags = self._open.pop(call)
        count = self.old
        if call in self._on_new:
            del self._on_new[call]
            count = self.new
        metric = self.bound.metric
        if metric == "abandoned":
            if not flags & _QUEUED:
                return
            bad = bool(flags & _GAVE_UP)
        else:
            bad = bool(flags & _FAULT) if metric == "faults" else outcome == metric
        count.calls += 1
        count.bad += bad

    def limit(self) -> float:
        """The bound now, in percent."""
        return self.bound.percent + (self.old.percent() if self.bound.relative else 0.0)

    def broken(self) -> bool:
        """Are there more bad calls than the bound allows, were the next ones good up to CALLS_MIN?"""
        return 100 * self.new.bad > self.limit() * max(self.new.calls, CALLS_MIN)

    def enough(self) -> bool:
        """Have enough calls ended for a good end to mean something?"""
        return self.new.calls >= CALLS_MIN

    def words(self) -> str:
        """For people."""
        return f"{self.bound.metric} {self.new}, the others {self.old}, at most {self.limit():.1f}%"
