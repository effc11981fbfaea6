"""What the Switch wishes of streams: how a bot is asked and shown a secret, and what becomes of every wish."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from engine import limits
from engine.call.stream_wall import StreamDone, StreamHushed, StreamPressed, StreamUnwanted
from engine.errors import SiteError
from engine.runtime.stream_line import SILENCE
from engine.runtime.stream_messages import signature
from engine.runtime.streams import Streams
from tests.dialplan.site import lines, site_of
from tests.runtime.bots import LOUD, Bot, Sound, Talk, audio_of, octets_of, until, wish
from tests.runtime.certificates import certificate


class Log:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def warning(self, text: str, *more: object) -> None:
        self.lines.append(text)

    error = warning


def secret(name: str) -> str:
    if name == "broken":
        raise SiteError("the file of secrets can't be read")
    return {"travel": "s3cret", "odd": "caf\u00e9"}.get(name, "")


class Place:
    """Streams with a bot, outside a server."""

    def __init__(self, bot: Bot, **sound: int) -> None:
        self.bot, self.sound, self.log = bot, Sound(**sound), Log()
        self.done: list[StreamDone] = []
        loop = asyncio.get_running_loop()
        self.streams = Streams(loop, self.done.append, secret, lambda: self.sound, self.log)  # type: ignore[arg-type]

    async def ended(self, count: int = 1) -> StreamDone:
        await until(lambda: len(self.done) >= count)
        return self.done[-1]


def play(
    talk: Callable[[Talk], Awaitable[None]], act: Callable[[Place], Awaitable[None]], *,
    sound: dict[str, int] | None = None, **bot: Any,
) -> None:
    async def run() -> None:
        async with Bot(talk, **bot) as server:
            place = Place(server, **(sound or {}))
            try:
                await act(place)
            finally:
                await place.streams.close()

    asyncio.run(run())


async def listens(talk: Talk) -> None:
    while await talk.next():
        pass


async def done_at_once(talk: Talk) -> None:
    await talk.next("media")
    await talk.say("done", values={"n": 1})
    await listens(talk)


@pytest.mark.parametrize("auth", ["bearer", "signature"])
def test_a_bot_is_shown_the_secret_and_talks(auth: str) -> None:
    async def act(place: Place) -> None:
        place.streams.want(wish(place.bot.url, auth=auth))
        done = await place.ended()
        assert (done.call, done.ticket, done.result, done.values) == (7, 3, "done", {"n": "1"})
        headers = place.bot.asked[0].headers
        shown = headers.get("Authorization"), headers.get("X-Twilio-Signature")
        assert shown == (("Bearer s3cret", None) if auth == "bearer" else (None, signature("s3cret", place.bot.url)))
        await until(lambda: not place.sound.busy())
        assert place.sound.mouths[0].closed and len(place.done) == 1

    play(done_at_once, act)


@pytest.mark.parametrize(("name", "reason"), [
    ("nobody", "the secret nobody is missing"), ("odd", "the secret odd holds what no header can"),
    ("broken", "the secret broken can't be read"),
])
def test_without_its_secret_no_bot_is_asked(name: str, reason: str) -> None:
    async def act(place: Place) -> None:
        import msgspec

        place.streams.want(msgspec.structs.replace(wish(place.bot.url), secret=name))
        done = await place.ended()
        assert (done.result, done.reason) == ("failed", reason) and place.bot.asked == []

    play(listens, act)


@pytest.mark.parametrize(("status", "location", "reason"), [
    (403, "", "status 403"), (200, "", "status 200"), (500, "", "status 500"),
    (302, "http://127.0.0.1:9/elsewhere", "redirects are not followed"),
])
def test_a_bot_that_refuses(status: int, location: str, reason: str) -> None:
    async def act(place: Place) -> None:
        place.streams.want(wish(place.bot.url))
        done = await place.ended()
        assert (done.result, done.reason) == ("failed", reason) and len(place.bot.asked) == 1

    play(listens, act, status=status, location=location)


def test_a_bot_whose_certificate_is_nobodys_and_one_without_tls(tmp_path: Path) -> None:
    trust = certificate(tmp_path, 30)

    async def act(place: Place) -> None:
        async def told(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heard.append(await reader.read(1_000))
            writer.close()

        heard: list[bytes] = []
        reasons = ("the server's certificate is not valid: self-signed certificate", "")
        for number, context in enumerate((trust, None)):
            async with await asyncio.start_server(told, "127.0.0.1", 0, ssl=context) as server:
                port = server.sockets[0].getsockname()[1]
                place.streams.want(wish(f"wss://127.0.0.1:{port}/x", connect_ms=2_000))
                done = await place.ended(number + 1)
                assert done.result == "failed" and done.reason.startswith(reasons[number]) and done.reason
        assert not any(b"GET" in each for each in heard)  # neither the secret nor the address went in clear

    play(listens, act)


def test_a_server_that_is_no_bot_and_one_that_never_answers() -> None:
    async def act(place: Place) -> None:
        async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        async def rude(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"220 mail.example ESMTP\r\n" * 1_000)
            await reader.read()
            writer.close()

        for number, serve in enumerate((mute, rude)):
            async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
                port = server.sockets[0].getsockname()[1]
                place.streams.want(wish(f"ws://127.0.0.1:{port}/x", connect_ms=300))
                done = await place.ended(number + 1)
                assert done.reason == ("not connected within 300 ms", "the answer is not HTTP")[number]

    play(listens, act)


def test_a_bot_that_hangs_in_the_middle_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its process lives, its port is open, and nothing comes any more: not even an answer to a ping."""
    monkeypatch.setattr(limits, "stream_stall_ms_max", 600)

    async def talk(bot: Talk) -> None:
        await bot.next("media")
        transport = bot.request.transport
        assert transport is not None
        transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.sleep(5)

    async def act(place: Place) -> None:
        place.streams.want(wish(place.bot.url))
        done = await place.ended()
        assert (done.result, done.reason) == ("failed", "no answer to a ping for 0 s") and done.ms < 3_000

    play(talk, act)


def test_who_is_unwanted_is_silent_at_once_and_the_bot_is_told() -> None:
    async def act(place: Place) -> None:
        place.streams.want(wish(place.bot.url))
        await until(lambda: bool(place.bot.talks) and len(place.bot.talks[0].told) > 3)
        place.streams.unwanted(StreamUnwanted(7, 3))
        assert place.sound.mouths[0].closed and not place.sound.busy()
        await until(lambda: place.bot.talks[0].told[-1]["event"] == "stop")
        place.streams.unwanted(StreamUnwanted(7, 3))
        assert place.done == []

    play(listens, act)


def test_keys_and_secrets() -> None:
    async def act(place: Place) -> None:
        place.streams.want(wish(place.bot.url, tracks="caller"))
        await until(lambda: bool(place.bot.talks) and len(place.bot.talks[0].told) > 4)
        place.streams.pressed(StreamPressed(7, 3, "5"))
        place.streams.hushed(StreamHushed(7, 3, True))
        told = place.bot.talks[0].told
        await until(lambda: any(each["event"] == "dtmf" for each in told))
        assert audio_of(next(each for each in told if each["event"] == "media")) == octets_of(LOUD)
        await until(lambda: told[-1]["event"] == "media" and audio_of(told[-1]) == SILENCE)
        place.streams.hushed(StreamHushed(7, 3, False))
        await until(lambda: told[-1]["event"] == "media" and audio_of(told[-1]) == octets_of(LOUD))
        for late in (StreamPressed(8, 3, "5"), StreamPressed(7, 4, "5")):
            place.streams.pressed(late)
        place.streams.hushed(StreamHushed(9, 9, True))
        assert place.sound.mouths == []

    play(listens, act)


@pytest.mark.parametrize("sound", [{"ears": 1}, {"mouths": 1}])
def test_without_a_free_ear_or_mouth_it_has_failed(sound: dict[str, int]) -> None:
    async def act(place: Place) -> None:
        place.streams.want(wish(place.bot.url))
        place.streams.want(wish(place.bot.url, call=8))
        assert place.done == []  # never from within
        done = await place.ended()
        assert (done.call, done.reason) == (8, "as many calls are listened to as can be")
        await until(lambda: len(place.bot.talks) == 1)
        assert len(place.sound.legs) == 1

    play(listens, act, sound=sound)


def test_many_at_once_keep_their_calls_apart() -> None:
    async def talk(bot: Talk) -> None:
        name = (await bot.next("start"))["start"]["customParameters"]["who"]
        await bot.next("media")
        await bot.say("done", values={"who": name})
        await listens(bot)

    async def act(place: Place) -> None:
        for call in range(20):
            place.streams.want(wish(place.bot.url, call=call, send={"who": f"caller {call}"}))
        await place.ended(20)
        assert {each.call: each.values["who"] for each in place.done} == {call: f"caller {call}" for call in range(20)}
        await until(lambda: not place.sound.busy())

    play(talk, act, sound={"ears": 20, "mouths": 20})


def test_a_close_tells_every_bot() -> None:
    async def act(place: Place) -> None:
        for call in (1, 2):
            place.streams.want(wish(place.bot.url, call=call))
        await until(lambda: len(place.bot.talks) == 2 and all(len(each.told) > 2 for each in place.bot.talks))
        await place.streams.close()
        await until(lambda: all(each.told[-1]["event"] == "stop" for each in place.bot.talks))
        assert place.done == []

    play(listens, act)


@pytest.mark.parametrize(("name", "told"), [
    ("travel", ""), ("new_one", "RINGDOWN_LOOKUP_NEW_ONE"), ("broken", "can't be read"),
])
def test_a_missing_secret_is_told_when_the_site_is_loaded(name: str, told: str) -> None:
    site = site_of(lines(
        "ringdown: 1", "flows:", "  main:", "    - answer", f"    - stream: {{url: 'wss://b.example', secret: {name},"
        " fork: both}", "    - hangup: served",
    ))  # fmt: skip

    async def act(place: Place) -> None:
        place.streams.prepare(site, secret)
        assert len(place.log.lines) == bool(told) and told in "".join(place.log.lines)

    play(listens, act)
