"""An engine's admin socket for commands to talk to: fixed answers, in a thread."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def engine(folder: Path, answers: dict[str, Any], stream: list[Any] | None = None) -> Iterator[list[dict[str, Any]]]:
    """Serve `answers` (verb -> data, or an error text as an Exception) on the folder's socket; yields the requests."""
    asked: list[dict[str, Any]] = []
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(folder / "ringdown.sock"))
    listener.listen()

    def serve() -> None:
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            with sock, sock.makefile("rwb") as file:
                for line in file:
                    request = json.loads(line)
                    asked.append(request)
                    found = answers.get(request["verb"], Exception(f"no command {request['verb']}"))
                    bad = isinstance(found, Exception)
                    data = getattr(found, "data", None) if bad else found
                    answer = {"ok": not bad, "data": data, "error": str(found) if bad else ""}
                    file.write(json.dumps(answer).encode() + b"\n")
                    for item in stream or []:
                        file.write(json.dumps(item).encode() + b"\n")
                    file.flush()
                    if stream is not None:
                        break

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield asked
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(2)


def refused(text: str, data: Any = None) -> Exception:
    error = Exception(text)
    error.data = data  # type: ignore[attr-defined]
    return error
