"""Free ports for one run. Each is handed out once, from outside the kernel's ephemeral range."""

from __future__ import annotations

import os
import socket

FIRST, LAST = 10_200, 15_900
_next = FIRST + (os.getpid() * 37) % 4_000


def free_port(*, pairs: bool = False, reserve: int = 0) -> int:
    """A port that is free on UDP and TCP at 127.0.0.1 now; with `pairs` even, and the next one free too.

    The `reserve` ports that follow are not handed out either.
    """
    global _next
    for _ in range(LAST - FIRST):
        port = _next
        _next = FIRST if _next >= LAST else _next + 1
        if pairs and port % 2:
            continue
        if _is_free(port) and (not pairs or _is_free(port + 1)):
            _next = max(_next, port + max(reserve, 4 if pairs else 1))  # SIPp takes media port + 2 as well
            return port
    raise RuntimeError("no free port between 10200 and 15900")


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(socket.AF_INET, kind) as sock:
            if kind == socket.SOCK_STREAM:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                sock.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True
