"""The operators' socket: a Unix socket of mode 0600 in the data folder, one JSON object per line each way.

Request: {"verb": "agent.ready", "arguments": {"agent": "201"}}; answer: {"ok": true, "data": …} or {"ok": false,
"error": "…"}. The author is the Unix user at the other end (SO_PEERCRED), not what a client claims. `tail` turns the
connection into a stream; a reader who doesn't keep up is dropped, never waited for.
"""

from __future__ import annotations

import asyncio
import os
import pwd
import socket
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from engine import limits

SOCKET_NAME = "ringdown.sock"
request_bytes_max = 65_536
connections_max = 64
reader_bytes_max = 2_000_000


class Request(msgspec.Struct):
    verb: str
    arguments: dict[str, str] = {}


class Answer(msgspec.Struct):
    """`data` is JSON; `error` is one sentence for a person."""

    ok: bool
    data: msgspec.Raw = msgspec.Raw(b"null")
    error: str = ""


def answer(data: object) -> Answer:
    """A good answer with `data` as JSON."""
    return Answer(True, msgspec.Raw(msgspec.json.encode(data)))


def refusal(error: str) -> Answer:
    """A bad answer with its reason."""
    return Answer(False, error=error)


Handler = Callable[[str, Request], Awaitable[Answer]]


class Reader:
    """One `tail`: gets blocks of JSON lines. `sip` readers get SIP messages as well."""

    def __init__(self, writer: asyncio.StreamWriter, *, sip: bool) -> None:
        self.writer = writer
        self.sip = sip
        self.gone = False

    def push(self, block: bytes) -> None:
        """Hand over lines, or drop this reader when his buffer is full."""
        transport = self.writer.transport
        if self.gone or transport.is_closing():
            self.gone = True
        elif transport.get_write_buffer_size() > reader_bytes_max:
            self.gone = True
            transport.abort()
        else:
            transport.write(block)


class Admin:
    """Serves the socket. `readers` are the live tails; `publish` feeds them."""

    def __init__(self, path: Path, handle: Handler) -> None:
        self.path = path
        self.readers: list[Reader] = []
        self.sip_readers = 0
        self.dropped = 0
        self._handle = handle
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []

    async def start(self) -> None:
        """Bind with mode 0600. A socket file that nobody answers is a leftover of a crash and is replaced.

        Raises FileExistsError when another engine answers there.
        """
        if self.path.exists():
            if _answers(self.path):
                raise FileExistsError(f"another engine runs with this data folder ({self.path})")
            self.path.unlink()
        before = os.umask(0o177)  # the file must never exist with a wider mode, not even for a moment
        try:
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            sock.setblocking(False)
            sock.bind(str(self.path))
        finally:
            os.umask(before)
        self._server = await asyncio.start_unix_server(self._serve, sock=sock, limit=request_bytes_max)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._writers) >= connections_max:
            writer.write(_line(refusal("too many operators are connected")))
            writer.close()
            return
        self._writers.append(writer)
        try:
            author = author_of(writer.get_extra_info("socket"))
            while line := await _read_line(reader):
                try:
                    request = msgspec.json.decode(line, type=Request)
                except msgspec.MsgspecError as error:
                    writer.write(_line(refusal(f"not a request: {error}")))
                    await writer.drain()
                    continue
                if request.verb == "tail":
                    await self._tail(reader, writer, request)
                    return
                result = await self._handle(author, request)
                data = _line(result)
                if len(data) > limits.operator_reply_bytes_max:
                    data = _line(refusal("the answer is too large"))
                writer.write(data)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError, ValueError):
            pass  # the operator went away, or sent a line beyond the limit
        finally:
            self._writers.remove(writer)
            writer.close()

    async def _tail(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: Request) -> None:
        tail = Reader(writer, sip=request.arguments.get("sip") == "yes")
        writer.write(_line(answer("tail")))
        self.readers.append(tail)
        self.sip_readers += tail.sip
        try:
            while not tail.gone and await reader.read(1024):
                pass  # a tail sends nothing; end of file is its good-bye
        finally:
            if tail.gone:
                self.dropped += 1
            self.readers.remove(tail)
            self.sip_readers -= tail.sip

    def publish(self, facts: bytes, everything: bytes | None = None) -> None:
        """Lines for every tail; `everything` (SIP among them, in order) instead for those who asked for SIP."""
        for reader in self.readers:
            block = everything if everything is not None and reader.sip else facts
            if block:
                reader.push(block)

    async def close(self) -> None:
        """Stop listening, close connections, remove the socket file."""
        if self._server is not None:
            self._server.close()
        for writer in list(self._writers):
            writer.close()
        if self._server is not None:
            self.path.unlink(missing_ok=True)
        await asyncio.sleep(0)


async def _read_line(reader: asyncio.StreamReader) -> bytes:
    try:
        return (await reader.readuntil(b"\n")).strip() or b"{}"
    except asyncio.IncompleteReadError as error:
        return error.partial.strip()
    except asyncio.LimitOverrunError:
        return b""


def _line(result: Answer) -> bytes:
    return msgspec.json.encode(result) + b"\n"


def author_of(sock: socket.socket | None) -> str:
    """The Unix user's name at the other end."""
    if sock is None:
        return "unknown"
    try:
        credentials = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        uid = struct.unpack("3i", credentials)[1]
    except OSError:
        return "unknown"
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True
