"""An upgrade in place: the process replaces its program (exec) and keeps its pid, listening sockets and connections.

The kernel queues what phones send meanwhile; the new program finds the state in the journal, as after a crash, and
the sockets by number in its environment. Nobody is asked to register or to call again.
"""

from __future__ import annotations

import base64
import os
import socket
import sys
from contextlib import suppress

import msgspec

VARIABLE = "RINGDOWN_HANDOVER"


class Stream(msgspec.Struct, array_like=True):
    """One TCP connection: its flow id, its descriptor, and bytes of a message that was half here (base64)."""

    flow: int
    descriptor: int
    rest: str = ""


class Inherited(msgspec.Struct):
    """Descriptors by flow id: listening sockets, and streams."""

    listening: dict[int, int] = {}
    streams: list[Stream] = []


def keep(sock: socket.socket) -> int:
    """A descriptor of this socket that survives exec."""
    descriptor = os.dup(sock.fileno())
    os.set_inheritable(descriptor, True)
    return descriptor


def half_read(data: bytes) -> str:
    """Bytes as they stand in the environment."""
    return base64.b64encode(data).decode()


def rest_of(stream: Stream) -> bytes:
    """The reverse of `half_read`."""
    return base64.b64decode(stream.rest)


def taken() -> Inherited | None:
    """What the program before us handed over (asked for once); None at an ordinary start. Bad text is no handover."""
    text = os.environ.pop(VARIABLE, "")
    if not text:
        return None
    try:
        inherited = msgspec.json.decode(text, type=Inherited)
    except msgspec.MsgspecError:
        return None
    for descriptor in [*inherited.listening.values(), *(stream.descriptor for stream in inherited.streams)]:
        with suppress(OSError):
            os.set_inheritable(descriptor, False)
    return inherited


def sock_of(descriptor: int) -> socket.socket | None:
    """A socket object for a handed-over descriptor; None when it is none (any more)."""
    try:
        sock = socket.socket(fileno=descriptor)
        sock.setblocking(False)
    except OSError:
        return None
    return sock


def replace(inherited: Inherited) -> None:
    """Become the program anew, with the same arguments. Returns only by raising OSError."""
    os.environ[VARIABLE] = msgspec.json.encode(inherited).decode()
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
