"""The command line's end of the operators' socket: one request, one answer, or a stream of lines."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.errors import RingdownError

SOCKET_NAME = "ringdown.sock"
answer_s_max = 330.0  # a reload may read a large site, a restart compiles first


class NotRunning(RingdownError):
    """Nobody listens on the socket of this data folder."""


class Refused(RingdownError):
    """The engine said no; `data` is what it gave along."""

    def __init__(self, text: str, data: Any = None) -> None:
        super().__init__(text)
        self.data = data


def _connect(folder: Path) -> socket.socket:
    path = folder / SOCKET_NAME
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.settimeout(answer_s_max)
    try:
        sock.connect(str(path))
    except PermissionError as error:
        sock.close()
        raise NotRunning(f"{path} belongs to another user: run this as the user who runs the engine") from error
    except OSError as error:
        sock.close()
        raise NotRunning(
            f"no engine runs with the data folder {folder}: start `ringdown serve`, or name its folder by --data"
        ) from error
    return sock


def _request(verb: str, arguments: dict[str, str]) -> bytes:
    return json.dumps({"verb": verb, "arguments": arguments}).encode() + b"\n"


def ask(folder: Path, verb: str, **arguments: str) -> Any:
    """The answer's data. Raises NotRunning, or Refused with the engine's sentence."""
    try:
        with _connect(folder) as sock, sock.makefile("rb") as file:
            sock.sendall(_request(verb, arguments))
            line = file.readline()
    except OSError as error:
        raise Refused(f"no answer from the engine: {error}") from error
    if not line:
        raise Refused("the engine closed the connection without an answer")
    answer = json.loads(line)
    if not answer["ok"]:
        raise Refused(answer.get("error") or "refused", answer.get("data"))
    return answer["data"]


def stream(folder: Path, verb: str, **arguments: str) -> Iterator[dict[str, Any]]:
    """Lines of a stream until the engine ends it; it has begun when this returns. Raises NotRunning, Refused."""
    sock = _connect(folder)
    file = sock.makefile("rb")
    try:
        sock.sendall(_request(verb, arguments))
        first = json.loads(file.readline() or b'{"ok": false}')
        if not first["ok"]:
            raise Refused(first.get("error") or "refused")
        sock.settimeout(None)
    except BaseException:
        file.close()
        sock.close()
        raise
    return _lines(sock, file)


def _lines(sock: socket.socket, file: Any) -> Iterator[dict[str, Any]]:
    with sock, file:
        try:
            for line in file:
                yield json.loads(line)
        except OSError:
            return  # the engine ended, or dropped a slow reader
