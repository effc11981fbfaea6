"""What ops are alerted to over the bus, each once and not retained: one that comes to life again would be no news.

Topics, below the site's `topic`: `alert/fraud` (a rule against fraud warned or stopped something), `alert/block` (the
gate holds a source off, or no longer does) and `alert/emergency` (somebody has dialled an emergency number). A message
is the event: {"event", "at_ms" (Unix), "node", "tenant", "call", …} with its own fields. While the broker is away the
newest `alerts_max` wait; `lost` in the next one that is told counts those that went before.
"""

from __future__ import annotations

from collections import deque

import msgspec

from engine.records.events import Event

alerts_max = 100
ALERTS = {
    "fraud.warned": "fraud", "fraud.stopped": "fraud", "engine.blocked": "block", "engine.unblocked": "block",
    "emergency.dialled": "emergency",
}  # fmt: skip


class Alert(msgspec.Struct):
    """A message that waits."""

    topic: str
    told: dict[str, str | int | float | bool | None]

    @property
    def payload(self) -> bytes:
        """As it is sent."""
        return msgspec.json.encode(self.told)


class Alerts:
    """`feed` for each event of ALERTS; the bus sends what waits, the oldest first."""

    def __init__(self, node: str) -> None:
        self.node = node
        self.waiting: deque[Alert] = deque()

    def feed(self, event: Event) -> None:
        """It goes out as soon as a broker is there."""
        told = {
            "event": event.kind, "at_ms": event.at_ms, "node": self.node, "tenant": event.tenant, "call": event.call,
            "lost": 0, **event.data,
        }  # fmt: skip
        self.waiting.append(Alert(f"alert/{ALERTS[event.kind]}", told))
        while len(self.waiting) > alerts_max:
            gone, after = self.waiting.popleft(), self.waiting[0]
            after.told["lost"] = int(after.told["lost"] or 0) + int(gone.told["lost"] or 0) + 1
