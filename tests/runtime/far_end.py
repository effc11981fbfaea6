"""A plane and a bare socket at the other end of its leg 0, for tests that say themselves what is sent when."""

from __future__ import annotations

import socket
from pathlib import Path

from engine.media import commands as m
from tests.runtime.test_rtp_plane import HOST, Bench


class Line(Bench):
    """`far` is the socket: what it sends comes to leg 0, what leg 0 sends comes to it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.far = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.far.bind((HOST, 0))
        self.far.setblocking(False)
        port = self.open(0)
        self.far.connect((HOST, port))
        self.plane.command(m.SetLeg(
            0, 1, HOST, self.far.getsockname()[1], 0, 0, ((0, 0), (8, 8)), 101, 101, 20, True, True
        ))
        self.until(lambda: self.plane.metrics()["commands"] >= 2 or self.plane.metrics()["commands_waiting"] == 0)

    def received(self) -> list[bytes]:
        """Datagrams since the last call."""
        found = []
        while True:
            try:
                found.append(self.far.recv(2_048))
            except BlockingIOError:
                return found

    def stop(self) -> None:
        super().stop()
        self.far.close()
