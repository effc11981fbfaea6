"""Remote recognisers that serve, hang, lie, vanish in mid-utterance and come back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from engine.errors import SpeechError
from engine.runtime import recognizer_wire as wire
from engine.runtime import remote_recognizer as room
from engine.runtime.hearers import Hearers
from engine.runtime.one_utterance import Hearer
from engine.runtime.recognizer_server import RecognizerServer
from engine.speech.ports import Heard, Listening, Samples
from tests.runtime.fakes import run, until
from tests.runtime.spoken import DIGITS, MODEL, digits, frames

Behave = Callable[[web.WebSocketResponse], Awaitable[None]]


@asynccontextmanager
async def rude(behave: Behave, port: int = 0) -> AsyncIterator[str]:
    """A far end that does as it is told, not as the protocol says."""

    async def serve(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await behave(socket)
        return socket

    app = web.Application()
    app.router.add_get("/", serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"ws://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def good(port: int = 0) -> AsyncIterator[str]:
    """`ringdown recognizer`."""
    server = RecognizerServer(Path(MODEL), "en", None, port=port)
    try:
        yield await server.start()
    finally:
        await server.close()


async def hang(socket: web.WebSocketResponse) -> None:
    async for _ in socket:
        pass


async def lie(socket: web.WebSocketResponse) -> None:
    async for _ in socket:
        await socket.send_str("<html>")


async def flood(socket: web.WebSocketResponse) -> None:
    async for _ in socket:
        await socket.send_str('{"partial": "' + "x" * room.message_bytes_max + '"}')


async def vanish(socket: web.WebSocketResponse) -> None:
    for _ in range(4):
        await socket.receive()
    socket._req.transport.close()  # type: ignore[union-attr]


async def say(hearer: Hearer, samples: Samples, pace_s: float = 0.0) -> tuple[Heard, ...]:
    for frame in frames(samples):
        hearer.feed(frame)
        await asyncio.sleep(pace_s)
    return await hearer.result()


def hearer(hearers: Hearers, told: list[str], *addresses: str, folder: str = "", timeout_ms: int = 2_000) -> Hearer:
    engine = wire.Engine("remote", folder, addresses, timeout_ms)
    found = hearers.at_once(engine, DIGITS, Listening("digits", "en"), told.append)
    assert found is not None
    return found


def play(scene: Callable[[Hearers, list[str]], Awaitable[None]]) -> None:
    async def work() -> None:
        hearers, told = Hearers(), list[str]()
        try:
            await scene(hearers, told)
        finally:
            await hearers.close()

    run(work(), 60)


def test_a_remote_of_ours_understands_digits() -> None:
    async def scene(hearers: Hearers, told: list[str]) -> None:
        async with good() as address:
            each = hearer(hearers, told, address)
            news = [each.feed(frame) for frame in frames(digits("4079")) if not await asyncio.sleep(0.003)]
            found = await each.result()
            assert found[0].slots == {"number": "4079"} and 0.5 < found[0].confidence <= 1.0
            assert any(part is not None and part.continues for part in news)
            assert each.name == f"remote {address}" and not told

    play(scene)


@pytest.mark.parametrize(("behave", "why"), [
    (hang, "no result within"), (lie, "something else"), (flood, "broke the protocol"), (vanish, "connection broke"),
])  # fmt: skip
def test_the_next_address_hears_it_from_the_beginning(
    behave: Behave, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "probe_s_first", 30.0)

    async def scene(hearers: Hearers, told: list[str]) -> None:
        async with rude(behave) as bad, good() as address:
            each = hearer(hearers, told, address, bad, timeout_ms=3_000)  # the turn begins with the second
            found = await say(each, digits("4079"), 0.002)
            assert found[0].slots == {"number": "4079"} and each.name == f"remote {address}"
            assert len(told) == 1 and bad in told[0] and why in told[0]
            again = hearer(hearers, told, address, bad)
            assert (await say(again, digits("4079")))[0].slots == {"number": "4079"} and len(told) == 1

    play(scene)


def test_nobody_answers_and_what_is_here_stands_in() -> None:
    async def scene(hearers: Hearers, told: list[str]) -> None:
        await hearers.prepare(DIGITS, MODEL)
        each = hearer(hearers, told, "ws://127.0.0.1:9", folder=MODEL)
        assert (await say(each, digits("4079")))[0].slots == {"number": "4079"}
        assert each.name.startswith("embedded (stands in: no connection")
        alone = hearer(hearers, told, "ws://127.0.0.1:9")
        with pytest.raises(SpeechError, match="no remote recogniser answers"):
            await say(alone, digits("4"))

    play(scene)


def test_one_that_comes_back_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "probe_s_first", 0.05)

    async def scene(hearers: Hearers, told: list[str]) -> None:
        async with good() as address:
            port = int(address.rpartition(":")[2])
        with pytest.raises(SpeechError):
            await say(hearer(hearers, told, address), digits("4"))
        async with good(port):
            await until(lambda: any("answers again" in each for each in told), 10)
            assert (await say(hearer(hearers, told, address), digits("4079")))[0].slots == {"number": "4079"}

    play(scene)


def test_a_cancelled_utterance_leaves_nothing_behind() -> None:
    async def scene(hearers: Hearers, told: list[str]) -> None:
        ended = asyncio.Event()

        async def watch(socket: web.WebSocketResponse) -> None:
            await hang(socket)
            ended.set()

        async with rude(watch) as address:
            each: Any = hearer(hearers, told, address)
            for frame in frames(digits("4")):
                each.feed(frame)
            await asyncio.sleep(0.1)
            each.cancel()
            await asyncio.wait_for(ended.wait(), 5)
            assert not told

    play(scene)
