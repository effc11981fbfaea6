"""Counts that only ever grow, kept beside the hot path for the metrics: SIP messages, calls, quality, the loop's lag.

Names that come from outside (methods, outcomes, limits) are bounded in number: what comes after that is `other`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from engine.records.events import Event

names_max = 256
LAG_BOUNDS_S = (0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
METHODS = (
    "INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "REGISTER", "INFO", "REFER", "NOTIFY", "UPDATE", "PRACK", "MESSAGE",
    "SUBSCRIBE", "PUBLISH",
)  # fmt: skip
OTHER = "other"
# Four bytes tell the methods apart, and the ninth of "SIP/2.0 200" is a response's class.
_NAMES = {f"{method} "[:4].encode(): ("request", method) for method in METHODS}
_NAMES |= {str(digit).encode(): ("response", f"{digit}xx") for digit in range(1, 7)}


class Quality(msgspec.Struct):
    """Media of the legs that have closed, summed."""

    legs: int = 0
    received: int = 0
    lost: int = 0
    jitter_us: int = 0
    rated: dict[str, int] = {}  # way (from, to) -> legs with an opinion of what came from them or went to them …
    opinions: dict[str, float] = {}  # … and those opinions (MOS), summed
    poor: dict[str, int] = {}  # whose side (theirs, ours, between) -> legs that had a cause
    trips: int = 0  # legs whose round trip is known …
    trip_us: int = 0  # … summed


class Tally:
    """`message` for each SIP message, `feed` for each event, `lag` for each measurement."""

    def __init__(self) -> None:
        self.received: dict[bytes, int] = {}
        self.sent: dict[bytes, int] = {}
        self.started: dict[str, int] = {}  # by way: trunk, agent, public
        self.ended: dict[str, int] = {}  # by outcome
        self.trunk_started: dict[str, int] = {}
        self.limits: dict[str, int] = {}
        self.emergency: dict[str, int] = {}  # dialled | preempted, and by result: answered, unreachable …
        self.fraud: dict[str, int] = {}  # by rule, and warned or stopped
        self.metrics: dict[str, int] = {}  # tenant/name of a dialplan's own metric
        self.lookups: dict[str, int] = {}  # "tenant/name result"
        self.quality: dict[str, Quality] = {}  # by trunk; '' is every other leg
        self.lag_counts = [0] * (len(LAG_BOUNDS_S) + 1)
        self.lag_sum_s = self.lag_max_s = 0.0
        self._rules: dict[str, Callable[[dict[str, Any]], None]] = {
            "call.started": self._started, "call.ended": self._ended, "call.quality": self._quality,
            "engine.limit": self._limit,
            "fraud.warned": lambda data: _count(self.fraud, f"{data.get('rule')} warned"),
            "fraud.stopped": lambda data: _count(self.fraud, f"{data.get('rule')} stopped"),
            "emergency.dialled": lambda data: _count(self.emergency, "dialled"),
            "emergency.preempted": lambda data: _count(self.emergency, "preempted"),
            "emergency.ended": lambda data: _count(self.emergency, str(data.get("result", ""))),
        }

    def message(self, counts: dict[bytes, int], data: bytes) -> None:
        """Count one message by its first bytes, in `received` or `sent`; what they mean is found out when asked."""
        key = data[:4]
        if key == b"SIP/":
            key = data[8:9]
        known = counts.get(key)
        if known is not None:
            counts[key] = known + 1
        else:
            key = key if key in _NAMES else b""
            counts[key] = counts.get(key, 0) + 1

    def feed(self, event: Event) -> None:
        """Take one event; most kinds mean nothing here."""
        rule = self._rules.get(event.kind)
        if rule is not None:
            rule(event.data)
        elif event.kind == "call.metric":
            _count(self.metrics, f"{event.tenant}/{event.data.get('name')}", int(event.data.get("by") or 0))
        elif event.kind == "call.lookup":
            _count(self.lookups, f"{event.tenant}/{event.data.get('lookup')} {event.data.get('result')}")

    def lag(self, seconds: float) -> None:
        """One measurement of how late the event loop was."""
        self.lag_sum_s += seconds
        self.lag_max_s = max(self.lag_max_s, seconds)
        for place, bound in enumerate(LAG_BOUNDS_S):
            if seconds <= bound:
                self.lag_counts[place] += 1
                return
        self.lag_counts[-1] += 1

    def lag_mean_s(self) -> float:
        """Of all measurements so far."""
        count = sum(self.lag_counts)
        return self.lag_sum_s / count if count else 0.0

    def _started(self, data: dict[str, Any]) -> None:
        _count(self.started, str(data.get("via", "")))
        if data.get("trunk"):
            _count(self.trunk_started, str(data["trunk"]))

    def _ended(self, data: dict[str, Any]) -> None:
        _count(self.ended, str(data.get("outcome", "")))

    def _limit(self, data: dict[str, Any]) -> None:
        _count(self.limits, str(data.get("name", "")))

    def _quality(self, data: dict[str, Any]) -> None:
        trunk = str(data.get("trunk", ""))
        if trunk not in self.quality and len(self.quality) >= names_max:
            trunk = OTHER
        found = self.quality.setdefault(trunk, Quality())
        found.legs += 1
        found.received += data.get("packets_in", 0)
        found.lost += data.get("lost", 0)
        found.jitter_us += data.get("jitter_us", 0)
        for way, opinion in (("from", data.get("mos_in", 0.0)), ("to", data.get("mos_out", 0.0))):
            if opinion:
                found.rated[way] = found.rated.get(way, 0) + 1
                found.opinions[way] = found.opinions.get(way, 0.0) + opinion
        side = str(data.get("side", ""))
        if side:
            found.poor[side] = found.poor.get(side, 0) + 1
        if data.get("round_trip_us", -1) >= 0:
            found.trips += 1
            found.trip_us += data["round_trip_us"]


def _count(counts: dict[str, int], name: str, by: int = 1) -> None:
    if name not in counts and len(counts) >= names_max:
        name = OTHER
    counts[name] = counts.get(name, 0) + by


def by_name(counts: dict[bytes, int]) -> dict[tuple[str, str], int]:
    """(request, method) or (response, class) -> messages; unknown methods and what is no SIP at all are `other`."""
    return dict(sorted((_NAMES.get(key, ("request", OTHER)), count) for key, count in counts.items()))
