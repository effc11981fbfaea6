"""HTTP for machines: /metrics, /health and /ready, nothing else, parsed by h11 (RFC 9112).

Everything is bounded: connections, bytes of a request, time for a request, time without one, time for a slow reader.
What is no HTTP gets 400 and its connection is closed. Nothing here is secret, but there is no password either: listen
on loopback or on a network that only your monitoring reaches.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress

import h11
import msgspec

from engine import limits
from engine.errors import UsageError
from engine.runtime import net

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"
_READ_BYTES = 4_096

Page = tuple[int, str, bytes]  # status, content type, body
Pages = dict[str, Callable[[], Awaitable[Page]]]


class Gone(Exception):
    """The other side has gone, is too slow, or has nothing more to ask."""


def parse_address(text: str, option: str = "--http") -> tuple[str, int]:
    """`127.0.0.1:8080` or `[::1]:8080` -> (host, port). Raises UsageError with an example."""
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not net.is_numeric(host) or not (port.isascii() and port.isdigit()) or int(port) > 65_535:
        raise UsageError(f"can't read {option} {text!r}: write an address and a port, like 127.0.0.1:8080")
    return host, int(port)


def json_page(status: int, facts: object) -> Page:
    """Facts as JSON."""
    return status, JSON, msgspec.json.encode(facts) + b"\n"


class Scrape:
    """`start()` serves `pages` (path -> what makes the page) at an address; `close()` ends every connection."""

    def __init__(self, pages: Pages) -> None:
        self.address = ""
        self.requests = 0
        self.refused = 0
        self._pages = pages
        self._server: asyncio.Server | None = None
        self._open: dict[asyncio.Task[None], None] = {}

    def bind(self, text: str) -> socket.socket:
        """A bound socket for `start`; `address` says where. Raises UsageError when it is taken or not ours."""
        host, port = parse_address(text)
        sock = net.open_tcp(host, port)
        self.address = net.show(host, sock.getsockname()[1])
        return sock

    async def start(self, sock: socket.socket, *, tls: ssl.SSLContext | None = None) -> None:
        """Begin to answer."""
        limit = limits.scrape_request_bytes_max
        self._server = await asyncio.start_server(self._accept, sock=sock, limit=limit, ssl=tls)

    async def close(self) -> None:
        """Stop listening and end what is open."""
        if self._server is not None:
            self._server.close()
        waiting = list(self._open)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._open) >= limits.scrape_connections_max:
            self.refused += 1
            writer.write(b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
            writer.close()
            return
        task = asyncio.current_task()
        assert task is not None
        self._open[task] = None
        try:
            await _Connection(self, reader, writer).serve()
        except (Gone, OSError, TimeoutError):
            pass  # nobody is there to be told
        finally:
            del self._open[task]
            writer.close()

    async def answer(self, request: h11.Request, theirs: str = "", ours: str = "") -> Page:
        """The page that a request asks for. `theirs`, `ours`: the addresses of the two ends."""
        self.requests += 1
        path = request.target.decode("ascii", "replace").partition("?")[0]
        if request.method not in (b"GET", b"HEAD"):
            return 405, TEXT, b"only GET and HEAD\n"
        page = self._pages.get(path)
        if page is None:
            return 404, TEXT, f"there are {', '.join(self._pages)}\n".encode()
        return await page()


class _Connection:
    """One connection: requests one after another until somebody closes it."""

    def __init__(self, scrape: Scrape, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.scrape = scrape
        self.reader = reader
        self.writer = writer
        self.http = h11.Connection(h11.SERVER, max_incomplete_event_size=limits.scrape_request_bytes_max)

    async def serve(self) -> None:
        while True:
            try:
                request = await self._request()
            except h11.RemoteProtocolError as error:
                if self.http.our_state in (h11.IDLE, h11.SEND_RESPONSE):
                    await self._send((error.error_status_hint, TEXT, f"{error}\n".encode()), b"GET", close=True)
                return
            page = await self.scrape.answer(request, self._end("peername"), self._end("sockname"))
            await self._send(page, request.method)
            if self.http.our_state is not h11.DONE or self.http.their_state is not h11.DONE:
                return
            self.http.start_next_cycle()

    def _end(self, which: str) -> str:
        return str((self.writer.get_extra_info(which) or ("",))[0])

    async def _request(self) -> h11.Request:
        """The next request, its body read and thrown away. The first byte may take long, the rest may not."""
        if not self.http.trailing_data[0]:
            self.http.receive_data(await self._read(limits.scrape_idle_ms_max))
        async with asyncio.timeout(limits.scrape_request_ms_max / 1000):
            request = await self._event()
            assert isinstance(request, h11.Request)
            taken = 0
            while not isinstance(event := await self._event(), h11.EndOfMessage):
                taken += len(event.data) if isinstance(event, h11.Data) else 0
                if taken > limits.scrape_request_bytes_max:
                    raise h11.RemoteProtocolError("the request is too large", error_status_hint=413)
            return request

    async def _event(self) -> h11.Event:
        while True:
            event = self.http.next_event()
            if event is h11.NEED_DATA:
                if self.http.they_are_waiting_for_100_continue:
                    self.writer.write(self.http.send(h11.InformationalResponse(status_code=100, headers=[])) or b"")
                self.http.receive_data(await self._read(limits.scrape_request_ms_max))
            elif isinstance(event, h11.ConnectionClosed) or event is h11.PAUSED:
                raise Gone
            else:
                assert isinstance(event, h11.Event)
                return event

    async def _read(self, ms_max: int) -> bytes:
        async with asyncio.timeout(ms_max / 1000):
            return await self.reader.read(_READ_BYTES)

    async def _send(self, page: Page, method: bytes, *, close: bool = False) -> None:
        status, kind, body = page
        headers = [
            ("Content-Type", kind), ("Content-Length", str(len(body))), ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
        ]  # fmt: skip
        if status == 405:
            headers.append(("Allow", "GET, HEAD"))
        if close:
            headers.append(("Connection", "close"))
        parts = [self.http.send(h11.Response(status_code=status, headers=headers, reason=_REASONS.get(status, b"")))]
        if method != b"HEAD":
            parts.append(self.http.send(h11.Data(data=body)))
        parts.append(self.http.send(h11.EndOfMessage()))
        self.writer.write(b"".join(part for part in parts if part))
        try:
            async with asyncio.timeout(limits.scrape_send_ms_max / 1000):
                await self.writer.drain()
        except TimeoutError:
            with suppress(OSError):
                self.writer.transport.abort()
            raise


_REASONS = {
    200: b"OK", 400: b"Bad Request", 404: b"Not Found", 405: b"Method Not Allowed", 413: b"Content Too Large",
    429: b"Too Many Requests", 431: b"Request Header Fields Too Large", 503: b"Service Unavailable",
}  # fmt: skip
