"""Accepting TLS connections: the limits hold before the first byte of a handshake, and each takes the certificate that
is in force at that moment.

asyncio's own server can do neither: it begins a handshake with whoever connects, and keeps the context it began with.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections.abc import Callable
from typing import Protocol

from engine.runtime import tls_words

handshake_s_max = 8.0
shutdown_s_max = 2.0
handshakes_max = 256
handshakes_per_host_max = 32
accepts_max = 16  # of one wake-up: packets of calls come in between
rest_s = 1.0  # while no descriptor is left: the waiting connection would wake us at once, again and again
STARVED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)

Context = Callable[[], ssl.SSLContext | None]
Room = Callable[[str, int], bool]
Ends = Callable[[tuple[str, int], tuple[str, int]], bool]


class Failed(Protocol):
    """Who hears of what came to nothing. `kind` of a handshake of theirs: tls."""

    def __call__(self, host: str, port: int, reason: str, kind: str = "tls") -> None: ...


class Handshakes:
    """`made` gives the protocol for a new connection; `failed(host, port, reason)` hears of those that come to nothing.

    `lets_in(their end, our end)`: is such a connection heard at all? Whoever is not costs nothing but the accepting.
    `turned_away` counts connections that were closed at once: too many, or no certificate.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, made: Callable[[], asyncio.Protocol],
        failed: Failed, lets_in: Ends = lambda far, own: True,
    ) -> None:
        self._loop, self._made, self._failed, self._lets_in = loop, made, failed, lets_in
        self._listening: list[socket.socket] = []
        self._under_way: dict[asyncio.Task[None], str] = {}
        self._resting: dict[socket.socket, asyncio.TimerHandle] = {}
        self.turned_away = 0

    def listen(self, sock: socket.socket, context: Context, room: Room) -> None:
        """Accept on a bound socket. `room(host, more)`: may there be one more connection?"""
        sock.listen(1024)
        self._listening.append(sock)
        self._loop.add_reader(sock.fileno(), self._readable, sock, context, room)

    def _readable(self, sock: socket.socket, context: Context, room: Room) -> None:
        for _ in range(accepts_max):
            try:
                accepted, address = sock.accept()
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                if error.errno in STARVED:
                    self._rest(sock, error, context, room)
                return  # else it has gone again: the next wake-up tries anew
            if self._lets_in(address[:2], accepted.getsockname()[:2]):
                self._begin(accepted, address[0], address[1], context(), room)
            else:
                accepted.close()

    def _rest(self, sock: socket.socket, error: OSError, context: Context, room: Room) -> None:
        self._loop.remove_reader(sock.fileno())
        again = (sock.fileno(), self._readable, sock, context, room)
        self._resting[sock] = self._loop.call_later(rest_s, self._loop.add_reader, *again)
        host, port = sock.getsockname()[:2]
        remedy = "raise LimitNOFILE= of the service, or see who holds so many connections (ss -tnp)"
        self._failed(host, port, f"no connection can be accepted: {error.strerror}: {remedy}", "starved")

    def _begin(self, sock: socket.socket, host: str, port: int, context: ssl.SSLContext | None, room: Room) -> None:
        own = sum(each == host for each in self._under_way.values())
        why = ""
        if context is None:
            why = "no certificate is in force: see tls: in site.yaml, and the log above"
        elif len(self._under_way) >= handshakes_max or own >= handshakes_per_host_max:
            why = "too many handshakes at once"
        elif not room(host, len(self._under_way)):
            why = "too many connections"
        if context is None or why:
            self.turned_away += 1
            sock.close()
            self._failed(host, port, why)
            return
        sock.setblocking(False)
        task = self._loop.create_task(self._shake(sock, host, port, context))
        self._under_way[task] = host
        task.add_done_callback(self._under_way.pop)

    async def _shake(self, sock: socket.socket, host: str, port: int, context: ssl.SSLContext) -> None:
        try:
            await self._loop.connect_accepted_socket(
                self._made, sock, ssl=context, ssl_handshake_timeout=handshake_s_max,
                ssl_shutdown_timeout=shutdown_s_max,
            )
        except (OSError, TimeoutError) as error:
            sock.close()
            self._failed(host, port, tls_words.reason(error))

    def close(self) -> None:
        """No more, and none of those that are under way."""
        for timer in self._resting.values():
            timer.cancel()
        for sock in self._listening:
            self._loop.remove_reader(sock.fileno())
            sock.close()
        self._listening.clear()
        for task in list(self._under_way):
            task.cancel()
