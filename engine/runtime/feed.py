"""The live tail: events and SIP messages as JSON lines, gathered for 50 ms, and only while somebody looks."""

from __future__ import annotations

import asyncio
import time

import msgspec

from engine.records.events import Event
from engine.runtime.admin import Admin
from engine.runtime.ladder import Ladder
from engine.sip.events import Path

gather_s = 0.05
_json = msgspec.json.Encoder().encode


class Feed:
    """`event` and `message` keep what happened, in order; a flush writes it once for all readers of a kind.

    Messages become text at the flush: by then it is known to which call a new dialog belongs.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, admin: Admin, ladder: Ladder) -> None:
        self._loop = loop
        self._admin = admin
        self._ladder = ladder
        self._items: list[Event | tuple[int, str, Path, bytes, int]] = []
        self._armed = False

    def event(self, event: Event) -> None:
        """One fact for every tail."""
        self._items.append(event)
        self._arm()

    def message(self, number: int, way: str, path: Path, data: bytes) -> None:
        """One SIP message for the tails that asked for SIP, under its number in the ladder (0: not kept)."""
        self._items.append((int(time.time() * 1000), way, path, data, number))
        self._arm()

    def _arm(self) -> None:
        if not self._armed:
            self._armed = True
            self._loop.call_later(gather_s, self.flush)

    def flush(self) -> None:
        """Hand over what was gathered."""
        self._armed = False
        items, self._items = self._items, []
        everything: list[bytes] = []
        facts: list[bytes] = []
        for item in items:
            if isinstance(item, Event):
                line = _json({"event": item})
                facts.append(line)
            else:
                line = _json({"sip": self._ladder.hop(*item)})
            everything.append(line)
        self._admin.publish(_block(facts), _block(everything) if len(facts) < len(everything) else None)


def _block(lines: list[bytes]) -> bytes:
    return b"\n".join(lines) + b"\n" if lines else b""
