"""A small HTTP server that nobody can hang, fill or crash."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

import pytest

from engine import limits
from engine.errors import UsageError
from engine.runtime.scrape import Page, Scrape, json_page, parse_address
from tests.runtime.fakes import run, until

BIG = b"x" * 3_000_000


async def metrics() -> Page:
    return 200, "text/plain", b"a 1\n"


async def big() -> Page:
    return 200, "text/plain", BIG


async def unwell() -> Page:
    return json_page(503, {"ready": False})


def play(scene: Callable[[Scrape, int], Awaitable[None]]) -> None:
    async def work() -> None:
        scrape = Scrape({"/metrics": metrics, "/ready": unwell, "/big": big})
        await scrape.start(scrape.bind("127.0.0.1:0"))
        try:
            await scene(scrape, int(scrape.address.rpartition(":")[2]))
        finally:
            await scrape.close()
        await until(lambda: not scrape._open)

    run(work(), 20)


async def ask(port: int, data: bytes) -> bytes:
    """Everything that comes back until the other side closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    try:
        return await asyncio.wait_for(reader.read(), 8)
    finally:
        writer.close()


def get(path: str, *more: str, method: str = "GET") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: x", *more, "Connection: close", "", ""]).encode()


@pytest.mark.parametrize(("text", "found"), [("127.0.0.1:8080", ("127.0.0.1", 8080)), ("[::1]:0", ("::1", 0))])
def test_addresses(text: str, found: tuple[str, int]) -> None:
    assert parse_address(text) == found


@pytest.mark.parametrize("text", ["8080", "localhost:8080", "127.0.0.1:", "127.0.0.1:99999", "127.0.0.1:x", "::1"])
def test_wrong_addresses(text: str) -> None:
    with pytest.raises(UsageError, match=r"127\.0\.0\.1:8080"):
        parse_address(text)


def test_a_taken_port_is_said() -> None:
    async def scene(scrape: Scrape, port: int) -> None:
        with pytest.raises(UsageError, match="in use"):
            Scrape({}).bind(f"127.0.0.1:{port}")

    play(scene)


def test_pages_and_their_statuses() -> None:
    async def scene(scrape: Scrape, port: int) -> None:
        good = await ask(port, get("/metrics?x=1"))
        assert good.startswith(b"HTTP/1.1 200 OK\r\n") and good.endswith(b"\r\n\r\na 1\n")
        assert b"Cache-Control: no-store" in good and b"Content-Length: 4" in good
        assert (await ask(port, get("/ready"))).startswith(b"HTTP/1.1 503 ")
        assert b"there are /metrics" in await ask(port, get("/nothing"))
        assert (await ask(port, get("/../../etc/passwd"))).startswith(b"HTTP/1.1 404 ")
        head = await ask(port, get("/metrics", method="HEAD"))
        assert head.startswith(b"HTTP/1.1 200 ") and head.endswith(b"\r\n\r\n") and b"Content-Length: 4" in head
        wrong = await ask(port, get("/metrics", "Content-Length: 3", method="POST") + b"abc")
        assert wrong.startswith(b"HTTP/1.1 405 ") and b"Allow: GET, HEAD" in wrong
        assert scrape.requests == 6

    play(scene)


def test_one_connection_serves_many_requests() -> None:
    async def scene(scrape: Scrape, port: int) -> None:
        two = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 2 + get("/ready")
        found = await ask(port, two)
        assert found.count(b"HTTP/1.1 200 OK") == 2 and found.count(b"HTTP/1.1 503 ") == 1
        old = await ask(port, b"GET /metrics HTTP/1.0\r\n\r\n")
        assert old.endswith(b"a 1\n")

    play(scene)


@pytest.mark.parametrize("data", [
    b"INVITE sip:100@x SIP/2.0\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n",
    b"GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
    b"POST /metrics HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"GET /metrics HTTP/1.1\r\nHost: x\r\nA: " + b"y" * 40_000,
])
def test_what_is_no_http_is_refused_and_closed(data: bytes) -> None:
    async def scene(scrape: Scrape, port: int) -> None:
        found = await ask(port, data)
        assert found.split(b" ")[1] in (b"400", b"431"), found
        assert b"Connection: close" in found
        assert (await ask(port, get("/metrics"))).endswith(b"a 1\n")

    play(scene)


def test_a_body_beyond_the_limit() -> None:
    async def scene(scrape: Scrape, port: int) -> None:
        data = b"y" * (2 * limits.scrape_request_bytes_max)
        found = await ask(port, get("/metrics", f"Content-Length: {len(data)}", method="POST") + data)
        assert found.startswith(b"HTTP/1.1 413 ") or found == b""

    play(scene)


def test_random_bytes_never_hurt() -> None:
    async def scene(scrape: Scrape, port: int) -> None:
        chance = random.Random(3)
        for _ in range(60):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(chance.randbytes(chance.randint(1, 400)))
            writer.write_eof()
            await reader.read()
            writer.close()
        assert (await ask(port, get("/metrics"))).endswith(b"a 1\n")

    play(scene)


def test_slow_requests_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "scrape_request_ms_max", 100)
    monkeypatch.setattr(limits, "scrape_idle_ms_max", 150)

    async def scene(scrape: Scrape, port: int) -> None:
        for data in (b"GET /metrics HT", b"", b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc"):
            assert await ask(port, data) == b""

    play(scene)


def test_a_reader_who_never_reads_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "scrape_send_ms_max", 100)

    async def scene(scrape: Scrape, port: int) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", port, limit=64)
        writer.write(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n" * 8)
        await until(lambda: scrape.requests)
        await until(lambda: not scrape._open)
        writer.close()

    play(scene)


def test_connections_beyond_the_limit_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "scrape_connections_max", 2)

    async def scene(scrape: Scrape, port: int) -> None:
        idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        await until(lambda: len(scrape._open) == 2)
        assert (await ask(port, b"")).startswith(b"HTTP/1.1 503 ")
        assert scrape.refused == 1
        idle[0][1].close()
        await until(lambda: len(scrape._open) == 1)
        assert (await ask(port, get("/metrics"))).endswith(b"a 1\n")

    play(scene)
