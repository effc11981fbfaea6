"""A TCP relay in front of the engine: a phone's connection that a test can break, as a router that forgets it does."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading

from harness.ports import free_port

_AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: close resets


class Relay:
    """Listens at 127.0.0.1:`port` and passes everything on to `server`. Use as a context manager."""

    def __init__(self, server: tuple[str, int]) -> None:
        self.server, self.port = server, free_port()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Relay:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        self.cut()

    @property
    def seen_as(self) -> list[str]:
        """host:port of each connection, oldest first, as the engine sees it."""
        return ["{}:{}".format(*far.getsockname()) for _, far in self._pairs if far.fileno() >= 0]

    def cut(self) -> None:
        """Reset every connection, towards both sides; new ones are taken."""
        pairs, self._pairs = self._pairs, []
        for sock in (each for pair in pairs for each in pair):
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
                sock.shutdown(socket.SHUT_RD)  # wakes the thread that reads it
            sock.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(self.server, timeout=5)
            far.settimeout(None)
            self._pairs.append((near, far))
            for source, target in ((near, far), (far, near)):
                threading.Thread(target=self._pass, args=(source, target), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                target.sendall(data)
        for sock in (source, target):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
