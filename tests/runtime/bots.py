"""A bot for tests: a WebSocket server that does what a test's function says; and a mouth and ears without a plane."""

from __future__ import annotations

import asyncio
import json
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import numpy as np
from aiohttp import WSMsgType, web

from engine.call.stream_wall import StreamWanted
from engine.media import g711
from engine.runtime.stream_line import Samples

LOUD = np.full(160, 1_000, np.int16)
QUIET = np.zeros(160, np.int16)


class Talk:
    """One call as the bot has it: `told` are the messages so far, in order."""

    def __init__(self, line: web.WebSocketResponse, request: web.Request) -> None:
        self.line, self.request = line, request
        self.told: list[dict[str, Any]] = []

    async def next(self, event: str = "") -> dict[str, Any]:
        """The next message (of this kind); {} when there will be none."""
        while True:
            message = await self.line.receive()
            if message.type is not WSMsgType.TEXT:
                return {}
            found: dict[str, Any] = json.loads(message.data)
            self.told.append(found)
            if event in ("", found["event"]):
                return found

    async def say(self, event: str, **body: object) -> None:
        await self.line.send_str(json.dumps({"event": event, "streamSid": "MZ", **body}))

    async def speak(self, ms: int, octet: int = 0x80) -> None:
        await self.say("media", media={"payload": b64encode(bytes([octet]) * (8 * ms)).decode()})


class Bot:
    """`async with Bot(talk) as bot`: serves at `bot.url`; `bot.talks` are all calls it had."""

    def __init__(self, talk: Callable[[Talk], Awaitable[None]], *, status: int = 0, location: str = "") -> None:
        self._talk, self._status, self._location = talk, status, location
        self.talks: list[Talk] = []
        self.asked: list[web.Request] = []

    async def __aenter__(self) -> Bot:
        app = web.Application()
        app.router.add_get("/calls", self._serve)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self.url = f"ws://127.0.0.1:{port}/calls"
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._runner.cleanup()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        if self._status:
            return web.Response(status=self._status, headers={"Location": self._location} if self._location else {})
        line = web.WebSocketResponse()
        await line.prepare(request)
        talk = Talk(line, request)
        self.talks.append(talk)
        await self._talk(talk)
        return line


class Mouth:
    """As the plane's, at `speed` times the pace of speech for every `step` (20 ms)."""

    def __init__(self, *, speed: int = 1) -> None:
        self.speed = speed
        self.pushed = self.said = 0
        self.marks: list[tuple[int, str]] = []
        self.closed = False
        self.audio = np.zeros(0, np.int16)

    @property
    def waiting_ms(self) -> int:
        return (self.pushed - self.said) // 8

    def push(self, samples: Samples, /) -> int:
        if self.closed:
            return int(samples.size)
        self.pushed += samples.size
        self.audio = np.concatenate([self.audio, samples])
        return 0

    def mark(self, name: str, /) -> None:
        self.marks.append((self.pushed, name))

    def clear(self) -> list[str]:
        self.said = self.pushed
        names, self.marks = [name for _, name in self.marks], []
        return names

    def step(self) -> list[str]:
        self.said = min(self.pushed, self.said + 160 * self.speed)
        reached = [name for at, name in self.marks if at <= self.said]
        self.marks = [each for each in self.marks if each[0] > self.said]
        return reached

    def close(self) -> None:
        self.closed = True


class Sound:
    """Ears and mouths: every listened leg hears `said` and `sent` at each look, at most `ears` legs."""

    def __init__(self, *, ears: int = 8, mouths: int = 8, speed: int = 1) -> None:
        self.free, self.mouths_free, self.speed = list(range(ears)), mouths, speed
        self.legs: dict[int, tuple[int, int]] = {}
        self.mouths: list[Mouth] = []
        self.said, self.sent = LOUD, QUIET

    def listen(self, row: int, generation: int) -> int:
        if not self.free:
            return -1
        ear = self.free.pop(0)
        self.legs[ear] = (row, generation)
        return ear

    def deafen(self, ear: int) -> None:
        del self.legs[ear]
        self.free.append(ear)

    def speak(self, row: int, generation: int, waiting_ms_max: int) -> Mouth | None:
        if len(self.mouths) >= self.mouths_free:
            return None
        self.mouths.append(Mouth(speed=self.speed))
        return self.mouths[-1]

    def busy(self) -> bool:
        return bool(self.legs)

    def heard(self) -> Iterator[tuple[int, Samples, Samples]]:
        for ear in list(self.legs):
            yield ear, self.said, self.sent


def wish(url: str, *, tracks: str = "", call: int = 7, **more: object) -> StreamWanted:
    given: dict[str, Any] = {"connect_ms": 2_000, "ms_max": 5_000, **more}
    return StreamWanted(
        call, 3, "bako-0", "default", 1, 2, url, "travel", str(given.get("auth", "bearer")), given["connect_ms"],
        given["ms_max"], tracks, given.get("send", {}), bool(given.get("hushed", False)),
    )  # fmt: skip


def audio_of(message: dict[str, Any]) -> bytes:
    return b64decode(message["media"]["payload"])


async def until(condition: Callable[[], bool], s_max: float = 5.0) -> None:
    end = asyncio.get_running_loop().time() + s_max
    while not condition():
        assert asyncio.get_running_loop().time() < end, "it did not happen"
        await asyncio.sleep(0.005)


def octets_of(samples: Samples) -> bytes:
    """µ-law, by the plane's tables."""
    return bytes(g711.encode_tables()[g711.MU_LAW][samples.astype(np.int64) & 0xFFFF])
