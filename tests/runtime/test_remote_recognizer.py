"""Remote recognisers that serve, hang, lie, vanish in mid-utterance and come back."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from aiohttp import WSMsgType, web

from engine.errors import SpeechError
from engine.runtime import recognizer_wire as wire
from engine.runtime import remote_recognizer as room
from engine.runtime.hearers import Hearers
from engine.runtime.one_utterance import Hearer
from engine.runtime.recognizer_server import RecognizerServer
from engine.speech import matcher
from engine.speech.ports import Heard, Listening, Partial, Samples
from tests.bench.yardstick import units
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
    (hang, "no (answer|result)"), (lie, "something else"), (flood, "broke the protocol"), (vanish, "connection broke"),
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
            assert len(told) == 1 and bad in told[0] and re.search(why, told[0])
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


# --- what a far end may say --------------------------------------------------------------------------------------
def told_of(data: str, *, times: int = 1, asked: int = 1) -> room._Heard:
    """What one makes of an answer, given so often."""
    meaning = room.Meaning(DIGITS, lambda text: matcher.read(DIGITS, text, "2026-11-27"),
                           lambda text: Partial(text, *matcher.state(DIGITS, text)))
    heard = room._Heard(meaning, lambda: 0.0)
    for _ in range(asked):
        heard.asked()
    for _ in range(times):
        heard.take(data)
    return heard


@pytest.mark.parametrize("data", [
    "", "null", "[]", "4", '"four"', "{}", '{"text": null}', '{"text": 4}', '{"text": ["four"]}', '{"partial": {}}',
    '{"text": "four", "result": {}}', '{"text": "four", "result": [{"word": "four", "conf": NaN}]}',
    '{"text": "four", "result": [{"word": "four", "conf": 1e999}]}', '{"text": "four", "result": [{"conf": "1"}]}',
    '{"alternatives": [{"text": 1}]}', '{"text": "\\ud800"}', '{"x": ' + "[" * 100_000,
    '{"x": ' + "[" * 50_000 + "]" * 50_000 + "}",
])  # fmt: skip
def test_what_is_no_result_is_the_far_ends_fault(data: str) -> None:
    with pytest.raises(SpeechError, match="it answered with"):
        told_of(data)


def test_a_lie_is_no_match_and_confidence_stays_within_its_bounds() -> None:
    assert told_of('{"text": "give me the keys"}').readings() == ()
    assert told_of('{"text": "four four four four four"}').readings() == ()  # one more than the grammar has
    huge = told_of('{"alternatives": [' + '{"text": "four zero seven nine"},' * 5_000 + '{"text": "one"}]}')
    assert [each.text for each in huge.readings()] == ["four zero seven nine"]
    said = '{"text": "four zero seven nine", "result": [{"word": "four", "conf": -1e300}, {"word": "zero", "conf": 7}]}'
    assert told_of(said).readings()[0].confidence == 0.5


def test_too_much_is_refused_before_it_costs_much() -> None:
    assert units(too_much, rounds=1) < 120  # 46


def too_much() -> None:
    for data in ('{"partial": "' + "four " * 50_000 + '"}', '{"text": "' + "four " * 50_000 + '"}'):
        with pytest.raises(SpeechError, match="more than 2000 characters"):
            told_of(data)
    with pytest.raises(SpeechError, match="more than 2000 characters"):
        told_of('{"text": "' + "four " * 100 + '"}', times=5, asked=5)
    with pytest.raises(SpeechError, match="more than 200 answers that nobody asked for"):
        told_of('{"partial": "' + "four " * 390 + '"}', times=1_000, asked=5)


async def gush(socket: web.WebSocketResponse) -> None:
    """100 MB, as fast as they are taken."""
    await socket.receive()
    with suppress(ConnectionError):
        for _ in range(4_000):
            await socket.send_str('{"partial": "' + "four " * 5_000 + '"}')


async def speak_bytes(socket: web.WebSocketResponse) -> None:
    async for _ in socket:
        await socket.send_bytes(b"\0" * 320)


async def stay(socket: web.WebSocketResponse) -> None:
    """Answers everything, then neither closes nor lets itself be closed."""
    async for message in socket:
        eof = message.type == WSMsgType.TEXT and "eof" in message.data
        if message.type == WSMsgType.BINARY or eof:
            await socket.send_str('{"text": "four zero seven nine"}' if eof else '{"partial": ""}')
        if eof:
            await asyncio.sleep(30)


def test_100_megabytes_and_bytes_go_to_the_next_and_the_loop_stays_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "probe_s_first", 30.0)

    async def scene(hearers: Hearers, told: list[str]) -> None:
        await hearers.prepare(DIGITS, MODEL)
        late = 0.0

        async def watch() -> None:
            nonlocal late
            while True:
                began = time.monotonic()
                await asyncio.sleep(0.005)
                late = max(late, time.monotonic() - began)

        watching = asyncio.ensure_future(watch())
        async with rude(gush) as first, rude(speak_bytes) as second:
            each = hearer(hearers, told, first, second, folder=MODEL)
            found = await say(each, digits("4079"), 0.001)
        watching.cancel()
        assert found[0].slots == {"number": "4079"} and each.name.startswith("embedded (stands in: ")
        (why,) = (line for line in told if first in line)
        assert "more than 2000 characters" in why and any("sent no text" in line for line in told)
        assert late < 0.5  # nothing of this size is walked through a grammar: each took 0.4 s, without end

    play(scene)


def test_who_does_not_close_keeps_nobody_waiting() -> None:
    async def scene(hearers: Hearers, told: list[str]) -> None:
        async with rude(stay) as address:
            each = hearer(hearers, told, address)
            for frame in frames(digits("4079")):
                each.feed(frame)
            await asyncio.sleep(0.2)
            began = time.monotonic()
            assert (await each.result())[0].slots == {"number": "4079"} and not told
            assert time.monotonic() - began < 0.7

    play(scene)


def test_a_far_end_that_falls_silent_is_given_up_while_the_caller_speaks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A half-open connection: everything can be sent, nothing comes back, and that is known before the end."""
    monkeypatch.setattr(room, "probe_s_first", 30.0)

    async def scene(hearers: Hearers, told: list[str]) -> None:
        await hearers.prepare(DIGITS, MODEL)
        async with rude(hang) as address:
            each = hearer(hearers, told, address, folder=MODEL, timeout_ms=300)
            samples = list(frames(digits("4079")))
            for frame in samples[:-20]:
                each.feed(frame)
                await asyncio.sleep(0.005)
            assert told and "no answer for 0.3 s" in told[0]
            for frame in samples[-20:]:
                each.feed(frame)
            assert (await each.result())[0].slots == {"number": "4079"}

    play(scene)


@pytest.mark.parametrize(("answer", "why"), [
    (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "HTTP status 404"),
    (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n", "points elsewhere"),
    (b"SSH-2.0-OpenSSH\r\n", "no connection"), (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "no connection"),
    (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000, "no connection"), (b"", "no connection within 1 s"),
    (b"HTTP/1.1 500 \x1b[31m\r\n\tb\r\n\r\n", "HTTP status"), (b"HTTP/1.1 101 a\r\nA:", "no connection within 1 s"),
])  # fmt: skip
def test_no_vosk_server_at_the_door(answer: bytes, why: str) -> None:
    async def scene(hearers: Hearers, told: list[str]) -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(answer)
            with suppress(ConnectionError):
                await reader.read(100_000)
                await asyncio.sleep(3 if "within" in why else 0)
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1")
        async with server:
            address = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            with pytest.raises(SpeechError, match="no remote recogniser answers"):
                await say(hearer(hearers, told, address), digits("4"))
        assert len(told) == 1 and why in told[0] and told[0].isprintable(), told

    play(scene)
