"""Everything by which others watch the engine: a service manager, machines that ask by HTTP, and the loop's lag."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

from engine import limits
from engine.runtime.health import Health
from engine.runtime.provisioning import Provisioning
from engine.runtime.scrape import Scrape
from engine.runtime.watchdog import Supervisor

if TYPE_CHECKING:
    from engine.runtime.server import Server

lag_s = 0.25
stop_s_max = 15.0  # after a drain: for what is left to be written


class Watching:
    """`bind` early, `start` when calls are taken, `close` at the end; the rest tells the service manager."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.health = Health(server)
        self.scrape = Scrape(self.health.pages())
        self.supervisor = Supervisor()
        self.provisioning = Provisioning(server)
        self._socket: socket.socket | None = None
        self._lag: asyncio.TimerHandle | None = None

    def bind(self, address: str) -> None:
        """Take the address of `--http`, '' for none, and that of `--provision`. Raises UsageError when one can't be
        had."""
        if address:
            self._socket = self.scrape.bind(address)
        self.provisioning.prepare(self.server.options.provision, self.server.options.provision_cert)

    async def start(self) -> str:
        """Calls are taken from now on: say so, and answer. Returns the address of /metrics, `-` without one."""
        loop = self.server.loop
        if self._socket is not None:
            await self.scrape.start(self._socket)
            self._socket = None  # the server's now
        await self.provisioning.open()
        self._measure(loop.time())
        self.health.started = True
        self.supervisor.ready(self.health.words())
        self.supervisor.start_pings(loop, self.health.media_alive, self.health.words)
        return self.scrape.address or "-"

    def look(self) -> None:
        """Once a second."""
        self.health.look()
        self.server.log.tick()

    def _measure(self, expected: float) -> None:
        loop = self.server.loop
        self.server.tally.lag(max(0.0, loop.time() - expected))
        due = loop.time() + lag_s
        self._lag = loop.call_at(due, self._measure, due)

    def reloading(self) -> None:
        """A reload has begun."""
        self.supervisor.reloading()

    def reloaded(self) -> None:
        """… and has ended, well or not: calls are taken."""
        self.supervisor.ready(self.health.words())

    def draining(self) -> None:
        """The process is on its way to its end: as long as the site lets a drain take, and a little for the disk."""
        wait_ms = self.server.site.drain_ms_max + limits.drain_farewell_ms_max
        self.supervisor.stopping(self.health.words(), wait_ms / 1000 + stop_s_max)

    async def close(self) -> None:
        """No more pings, no more pages."""
        self.supervisor.stop_pings()
        if self._lag is not None:
            self._lag.cancel()
        if self._socket is not None:
            self._socket.close()
        await self.scrape.close()
        await self.provisioning.close()
