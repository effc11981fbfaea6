"""Accepting TLS connections: the limits hold before the first byte of a handshake, and each takes the certificate that
is in force at that moment.

asyncio's own server can do neither: it begins a handshake with whoever connects, and keeps the context it began with.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable

from engine.runtime import tls_words

handshake_s_max = 8.0
shutdown_s_max = 2.0
handshakes_max = 256
handshakes_per_host_max = 32
accepts_max = 16  # of one wake-up: packets of calls come in between

Context = Callable[[], ssl.SSLContext | None]
Room = Callable[[str, int], bool]


class Handshakes:
    """`made` gives the protocol for a new connection; `failed(host, port, reason)` hears of those that come to nothing.

    `turned_away` counts connections that were closed at once: too many, or no certificate.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, made: Callable[[], asyncio.Protocol],
        failed: Callable[[str, int, str], None],
    ) -> None:
        self._loop, self._made, self._failed = loop, made, failed
        self._listening: list[socket.socket] = []
        self._under_way: dict[asyncio.Task[None], str] = {}
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
            except OSError:  # it has gone again, or we have no descriptor left: the next wake-up tries anew
                return
            self._begin(accepted, address[0], address[1], context(), room)

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
        for sock in self._listening:
            self._loop.remove_reader(sock.fileno())
            sock.close()
        self._listening.clear()
        for task in list(self._under_way):
            task.cancel()
