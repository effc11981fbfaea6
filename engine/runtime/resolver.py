"""Names to addresses, off the path: a name in a Via or Contact never makes the loop wait.

Only A and AAAA: far ends that aren't trunks name hosts. Trunks are found by `naming` (RFC 3263).
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

from engine.runtime.net import is_numeric

cached_max = 2_048
kept_s = 60.0
failure_kept_s = 10.0
pending_max = 64
waiting_per_name_max = 32
look_up_s_max = 5.0

Told = Callable[[str | None], None]


class Resolver:
    """`numeric(host)` is the fast answer; `ask(host, then)` looks up and calls `then(address or None)` on the loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._numeric: dict[str, str] = {}
        self._cache: dict[str, tuple[float, str | None]] = {}
        self._waiting: dict[str, list[Told]] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self.refused = 0

    def numeric(self, host: str) -> str | None:
        """The address to send to when `host` is literal or freshly cached, else None (then `ask`)."""
        known = self._numeric.get(host)
        if known is not None:
            return known
        if is_numeric(host.strip("[]")):
            if len(self._numeric) >= cached_max:
                self._numeric.clear()
            address = self._numeric[host] = host.strip("[]")
            return address
        entry = self._cache.get(host)
        if entry is not None and entry[0] > self._loop.time():
            return entry[1]
        return None

    def ask(self, host: str, then: Told) -> None:
        """Look `host` up; `then` gets None when the name is unknown, too many are pending, or it took too long."""
        entry = self._cache.get(host)
        if entry is not None and entry[0] > self._loop.time():
            then(entry[1])
            return
        waiting = self._waiting.get(host)
        if waiting is not None:
            if len(waiting) < waiting_per_name_max:
                waiting.append(then)
            else:
                self.refused += 1
                then(None)
            return
        if len(self._waiting) >= pending_max or len(host) > 253:
            self.refused += 1
            then(None)
            return
        self._waiting[host] = [then]
        self._running[host] = self._loop.create_task(self._look_up(host))

    async def _look_up(self, host: str) -> None:
        address: str | None = None
        try:
            found = await asyncio.wait_for(
                self._loop.getaddrinfo(host, None, type=socket.SOCK_DGRAM), look_up_s_max
            )
            found.sort(key=lambda entry: entry[0] != socket.AF_INET)  # IPv4 first, else as the resolver ordered
            address = str(found[0][4][0]) if found else None
        except (OSError, UnicodeError, TimeoutError):
            pass
        finally:
            self._running.pop(host, None)
            waiting = self._waiting.pop(host, [])
        if len(self._cache) >= cached_max:
            self._cache.clear()
        self._cache[host] = (self._loop.time() + (kept_s if address else failure_kept_s), address)
        for then in waiting:
            then(address)

    def close(self) -> None:
        """Forget all pending look-ups."""
        for task in list(self._running.values()):
            task.cancel()
