"""Is the engine alive, and does it take calls? For a service manager, a load balancer, and the metrics.

Alive means that the event loop runs (or nobody would answer) and that the media thread takes what it is given: it is
asked for a sign of life every second. A thread that has stopped leaves callers in silence while SIP goes on, which is
worse than a restart.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from engine.runtime.exposition import CONTENT_TYPE, Exposition
from engine.runtime.scrape import Page, Pages, json_page

if TYPE_CHECKING:
    from engine.runtime.server import Server

silent_s_max = 3.0


class Health:
    """`look()` once a second; `alive`, `media_alive` and `ready` at any time."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.started = False
        self.exposition = Exposition(server)
        self._sign_s = time.monotonic()

    def pages(self) -> Pages:
        """What `--http` serves."""
        return {"/metrics": self._metrics_page, "/health": self._health_page, "/ready": self._ready_page}

    async def _metrics_page(self) -> Page:
        return 200, CONTENT_TYPE, await self.exposition.text()

    async def _health_page(self) -> Page:
        alive, facts = self.alive()
        return json_page(200 if alive else 503, facts)

    async def _ready_page(self) -> Page:
        ready, facts = self.ready()
        return json_page(200 if ready else 503, facts)

    def look(self) -> None:
        """Ask the media thread for a sign of life, and note whether the last question was answered."""
        if self.server.plane.sign_of_life():
            self._sign_s = time.monotonic()

    def media_alive(self) -> bool:
        """Has the media thread shown a sign of life within `silent_s_max`?"""
        return time.monotonic() - self._sign_s <= silent_s_max

    def alive(self) -> tuple[bool, dict[str, Any]]:
        """(alive, why as JSON)."""
        media = self.media_alive()
        facts: dict[str, Any] = {"alive": media, "media": "alive" if media else "stalled"}
        if not media:
            facts["silent_s"] = round(time.monotonic() - self._sign_s, 1)
        return media, facts

    def ready(self) -> tuple[bool, dict[str, Any]]:
        """(new calls are taken, why as JSON). A record store that spools is no reason to send callers elsewhere."""
        server = self.server
        room = getattr(server.switch, "room", None)
        reasons = {
            "starting": not self.started,
            "draining": server.draining,
            "full": room is not None and room.full(),
            "records": server.storage.state == "failed",
            "media": not self.media_alive(),
        }
        why = [reason for reason, holds in reasons.items() if holds]
        storage = {"state": server.storage.state, "detail": server.storage.detail, "spooled": server.storage.spooled}
        return not why, {"ready": not why, "why": why, "storage": storage}

    def words(self) -> str:
        """One line for the service manager."""
        server = self.server
        room = getattr(server.switch, "room", None)
        calls = len(room.calls) if room is not None else 0
        return f"{'draining, ' if server.draining else ''}{calls} calls, site {server.site.version[:12]}"
