"""Free ports for one run. Each is handed out once, from outside the kernel's ephemeral range.

Processes of one parallel run have a part of the range each: a port is free until whoever asked for it binds it, so two
that look at the same part would hand out the same port.
"""

from __future__ import annotations

import os
import socket

WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
SIZE = (15_900 - 10_200) // WORKERS
FIRST, LAST = 10_200 + WORKER * SIZE, 10_200 + (WORKER + 1) * SIZE
_next = FIRST + (os.getpid() * 37) % (SIZE * 2 // 3)


def free_port(*, pairs: bool = False, reserve: int = 0) -> int:
    """A port that is free on UDP and TCP at 127.0.0.1 now; with `pairs` even, and the next one free too.

    The `reserve` ports that follow are not handed out either.
    """
    global _next
    for _ in range(SIZE):
        port = _next
        _next = FIRST if _next >= LAST - 50 else _next + 1
        if pairs and port % 2:
            continue
        if _is_free(port) and (not pairs or _is_free(port + 1)):
            _next = max(_next, port + max(reserve, 4 if pairs else 1))  # SIPp takes media port + 2 as well
            return port
    raise RuntimeError(f"no free port between {FIRST} and {LAST}")


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
