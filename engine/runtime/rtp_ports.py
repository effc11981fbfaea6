"""RTP sockets bound ahead: a call is never answered with a port that somebody else on this machine holds.

Even ports of the range, in turn; a port that another program holds is passed over. A freed port rests before it is
bound again, so that packets of the call before can't reach the call after (DESIGN §2).
"""

from __future__ import annotations

import socket
import time
from collections import deque

from engine import limits
from engine.runtime import net

BATCH = 128
LOW = 96
_RECEIVE_BUFFER = 65_536


class Ports:
    """The bound sockets of one local address."""

    def __init__(
        self, host: str, *, first: int = limits.rtp_port_first, last: int = limits.rtp_port_last,
        rest_s: float = limits.port_rest_ms / 1_000,
    ) -> None:
        self.host, self.first, self.last, self.rest_s = host, first, last, rest_s
        self._next = first
        self._ready: dict[int, socket.socket] = {}
        self._resting: deque[tuple[float, int]] = deque()

    def low(self) -> bool:
        """Time to prepare more?"""
        return len(self._ready) < LOW

    def prepare(self, count: int = BATCH) -> tuple[int, ...]:
        """Bind up to `count` more; fewer when the range is used up. Raises OSError when the address isn't ours."""
        bound: list[int] = []
        now = time.monotonic()
        while self._next <= self.last and len(bound) < count:
            self._bind(self._next, bound)
            self._next += 2
        while self._resting and self._resting[0][0] <= now and len(bound) < count:
            port = self._resting.popleft()[1]
            if not self._bind(port, bound):
                self._resting.append((now + self.rest_s, port))
                break
        return tuple(bound)

    def spare(self) -> tuple[int, socket.socket] | None:
        """One more bound port beside those that are ready; None when the range is used up."""
        while self._next <= self.last:
            port, self._next = self._next, self._next + 2
            try:
                return port, bind(self.host, port)
            except OSError as error:
                if error.errno not in (98, 13):
                    raise
        return None

    def take(self, port: int) -> socket.socket | None:
        """The bound socket of a port that `prepare` named, emptied of strays; None when it isn't there."""
        sock = self._ready.pop(port, None)
        if sock is not None:
            try:
                while sock.recv(2_048):
                    pass
            except OSError:
                pass  # nothing (more) there
        return sock

    def give_back(self, port: int) -> None:
        """The leg is over and its socket closed: the port rests."""
        self._resting.append((time.monotonic() + self.rest_s, port))

    def close(self) -> None:
        for sock in self._ready.values():
            sock.close()
        self._ready.clear()

    def _bind(self, port: int, bound: list[int]) -> bool:
        try:
            self._ready[port] = bind(self.host, port)
        except OSError as error:
            if error.errno in (98, 13):  # EADDRINUSE, EACCES: another program's
                return False
            raise
        bound.append(port)
        return True


def reports_of(host: str, port: int) -> socket.socket | None:
    """The socket for RTCP beside that of an RTP port; None where somebody else holds it: a call goes on without."""
    try:
        return bind(host, port + 1)
    except (OSError, OverflowError):
        return None


def bind(host: str, port: int) -> socket.socket:
    """A non-blocking RTP socket. Raises OSError or OverflowError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        net.mark(sock, net.AUDIO_TOS)
        sock.bind((host, port))
    except (OSError, OverflowError):
        sock.close()
        raise
    return sock
