"""What a service manager is told: sd_notify(3) in a few datagrams, without a library.

READY=1 once calls are taken, RELOADING=1 round a reload, STOPPING=1 when a drain begins (with as much time as the site
gives it), WATCHDOG=1 as long as the event loop *and* the media thread are alive. Without $NOTIFY_SOCKET nothing is
sent. The ping comes from a timer of the event loop, so a loop that hangs sends none.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Callable, Mapping

pings_per_limit = 3  # systemd advises two at least


class Supervisor:
    """The manager named by the environment, or none at all: every method may be called anyway."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        found = os.environ if environment is None else environment
        self.address = found.get("NOTIFY_SOCKET", "")
        self.ping_s = _ping_s(found)
        self.failures = 0
        self._timer: asyncio.TimerHandle | None = None

    def tell(self, *lines: str) -> None:
        """Send assignments such as READY=1. A manager that doesn't take them is counted, and changes nothing here."""
        if not self.address:
            return
        address = "\0" + self.address[1:] if self.address.startswith("@") else self.address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
                sock.setblocking(False)
                sock.sendto("\n".join(lines).encode(), address)
        except OSError:
            self.failures += 1

    def ready(self, status: str) -> None:
        """Calls are taken (again)."""
        self.tell("READY=1", f"STATUS={status}")

    def reloading(self) -> None:
        """A reload has begun; `ready` ends it."""
        self.tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1_000}")

    def stopping(self, status: str, seconds: float) -> None:
        """On the way to the end, which may take so long."""
        self.tell("STOPPING=1", f"STATUS={status}", f"EXTEND_TIMEOUT_USEC={int(seconds * 1e6)}")

    def start_pings(
        self, loop: asyncio.AbstractEventLoop, alive: Callable[[], bool], status: Callable[[], str]
    ) -> None:
        """Ping from now on, while `alive()`; nothing when the manager set no watchdog."""
        if not self.ping_s:
            return

        def ping() -> None:
            if alive():
                self.tell("WATCHDOG=1", f"STATUS={status()}")
            self._timer = loop.call_later(self.ping_s, ping)

        ping()

    def stop_pings(self) -> None:
        """The process ends."""
        if self._timer is not None:
            self._timer.cancel()


def _ping_s(environment: Mapping[str, str]) -> float:
    """Seconds between pings; 0 without a watchdog, or when it is meant for another process (WATCHDOG_PID)."""
    limit, pid = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
    if not (limit.isascii() and limit.isdigit()) or (pid and pid != str(os.getpid())):
        return 0.0
    return int(limit) / 1e6 / pings_per_limit
