"""What agents did with their time: a timeline without gaps, and the figures made of it (field.md A2 row 26).

`AgentTimes` feeds on the event stream and yields `Span`s: consecutive spans of one agent touch, and their lengths sum
to the time watched, whatever the wall clock did meanwhile (lengths come from the monotonic clock, places from the
wall clock). `Worked` adds spans up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from engine.records.events import Event
from engine.records.kpi import share

# The distributor's states, with hold cut out of talking. Every ms of an agent is in exactly one of them.
STATES = ("logged_out", "ready", "alerting", "talking", "hold", "wrap_up", "not_ready", "resting", "occupied")
HANDLING = ("talking", "hold", "wrap_up")
agents_kept_max = 65_536


class Span(msgspec.Struct, frozen=True):
    """An agent ("tenant/number") in one state: from Unix ms `from_ms` for `ms`. `reason` only of not_ready; `queue`
    ("tenant/name") only of alerting, talking, hold and wrap_up."""

    agent: str
    state: str
    reason: str
    queue: str
    from_ms: int
    ms: int


class Open(msgspec.Struct):
    """The span that is running."""

    state: str
    reason: str
    queue: str
    at_ms: int
    now_ms: int


class Worked(msgspec.Struct):
    """Milliseconds by state; `not_ready` is split by reason in `reasons`. Sums to the time watched."""

    ms: dict[str, int] = {}
    reasons: dict[str, int] = {}

    def add(self, state: str, reason: str, ms: int) -> None:
        """More time in one state."""
        self.ms[state] = self.ms.get(state, 0) + ms
        if state == "not_ready":
            self.reasons[reason] = self.reasons.get(reason, 0) + ms

    def of(self, *states: str) -> int:
        """Time in these states together."""
        return sum(self.ms.get(state, 0) for state in states)

    def total(self) -> int:
        """Time watched, logged out included."""
        return sum(self.ms.values())

    def logged_in(self) -> int:
        """Time on duty: everything except logged_out."""
        return self.total() - self.ms.get("logged_out", 0)


def occupancy(worked: Worked) -> float | None:
    """Occupancy = (talk + hold + wrap-up) / (talk + hold + wrap-up + ready), in percent.

    Source: row 26 with row 55 (no breathing space): of the time in which an agent could be given callers, the part
    in which he served them. Pauses, ringing, rests after a miss and other calls are in neither part.
    """
    handling = worked.of(*HANDLING)
    return share(handling, handling + worked.of("ready"))


def utilisation(worked: Worked) -> float | None:
    """Utilisation = (talk + hold + wrap-up) / logged-in time, in percent. Source: row 10 (工時利用率)."""
    return share(worked.of(*HANDLING), worked.logged_in())


def attendance(worked: Worked) -> float | None:
    """Presence = logged-in time / time watched, in percent. Source: row 22, without a shift plan to hold it against."""
    return share(worked.logged_in(), worked.total())


class AgentTimes:
    """Feeds on the event stream in order; memory is bounded by the number of agents and of calls connected now."""

    def __init__(self) -> None:
        self.open: dict[str, Open] = {}
        self._serving: dict[str, str] = {}  # call -> agent that a queue gave it to
        self._boot = ""

    def feed(self, event: Event) -> list[Span]:
        """The spans that this event ends: none, or one (all of them when an engine that was killed is followed by
        the next: what an agent did after its last event, nobody knows)."""
        if event.boot != self._boot:
            self._boot = event.boot
            self.open.clear()
            self._serving.clear()
        kind = event.kind
        if kind == "agent.state":
            return self._state(event)
        if kind == "queue.connected":
            if len(self._serving) < agents_kept_max:
                self._serving[event.call] = str(event.data.get("agent") or "")
        elif kind == "call.held":
            return self._held(event)
        elif kind in ("queue.completed", "call.ended"):
            self._serving.pop(event.call, None)
        return []

    def cut(self, at_ms: int, now_ms: int) -> list[Span]:
        """End every running span here and begin it anew: sums up to this moment, the fold goes on."""
        spans = []
        for agent, running in self.open.items():
            spans.append(_span(agent, running, now_ms))
            running.at_ms, running.now_ms = at_ms, max(now_ms, running.now_ms)
        return [span for span in spans if span.ms]

    def _state(self, event: Event) -> list[Span]:
        data = event.data
        agent = str(data.get("agent") or "")
        new = str(data.get("new") or "")
        running = self.open.get(agent)
        ended = [_span(agent, running, event.now_ms)] if running is not None else []
        if running is None and len(self.open) >= agents_kept_max:
            return []
        reason = str(data.get("reason") or "") if new == "not_ready" else ""
        queue = str(data.get("queue") or "") if new in ("alerting", "talking", "wrap_up") else ""
        self.open[agent] = Open(new, reason, queue, event.at_ms, event.now_ms)
        return ended

    def _held(self, event: Event) -> list[Span]:
        """Only the hold that the agent began is his; a caller who puts us on hold doesn't change what he does."""
        agent = self._serving.get(event.call, "")
        running = self.open.get(agent)
        held = bool(event.data.get("held"))
        old = "talking" if held else "hold"
        if running is None or running.state != old or not str(event.data.get("by") or "").startswith("agent "):
            return []
        self.open[agent] = Open("hold" if held else "talking", "", running.queue, event.at_ms, event.now_ms)
        return [_span(agent, running, event.now_ms)]


def _span(agent: str, running: Open, now_ms: int) -> Span:
    ms = max(0, now_ms - running.now_ms)
    return Span(agent, running.state, running.reason, running.queue, running.at_ms, ms)


def timeline(events: Iterable[Event]) -> list[Span]:
    """All spans within `events`, the last ones cut at the last event; per agent they touch and leave no gap."""
    times = AgentTimes()
    spans: list[Span] = []
    last: Event | None = None
    for event in events:
        if last is not None and last.boot != event.boot:
            spans += times.cut(last.at_ms, last.now_ms)
        spans += times.feed(event)
        last = event
    if last is not None:
        spans += times.cut(last.at_ms, last.now_ms)
    return [span for span in spans if span.ms]


def split(span: Span, every_ms: int) -> Iterator[tuple[int, int]]:
    """(beginning of an interval in Unix ms, ms of the span within it) for every interval that the span touches."""
    at, left = span.from_ms, span.ms
    while left > 0:
        begin = at - at % every_ms
        part = min(left, begin + every_ms - at)
        yield begin, part
        at, left = at + part, left - part


def work(spans: Iterable[Span]) -> dict[str, Worked]:
    """Time by agent."""
    found: dict[str, Worked] = {}
    for span in spans:
        found.setdefault(span.agent, Worked()).add(span.state, span.reason, span.ms)
    return found
