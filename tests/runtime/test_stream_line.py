"""One bot's connection: what it is sent and says, how it ends, and everything a bot can do wrong."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Awaitable, Callable
from contextlib import suppress

import aiohttp
import numpy as np
import pytest

from engine import limits
from engine.call.stream_wall import StreamDone, StreamWanted
from engine.media import g711
from engine.runtime import stream_line
from engine.runtime.stream_line import SILENCE, Line, octets
from tests.runtime.bots import LOUD, QUIET, Bot, Mouth, Talk, audio_of, until, wish

TALK = Callable[[Talk], Awaitable[None]]


class Call:
    """A line with the 20 ms beat that the engine gives it."""

    def __init__(self, bot: Bot, *, tracks: str = "", mouth: Mouth | None = None, **more: object) -> None:
        self.mouth = mouth if mouth is not None or tracks else Mouth()
        self.line = Line(wish(bot.url, tracks=tracks, **more), "MZ1", self.mouth, self._connect)
        self.said, self.sent = LOUD, QUIET

    async def _connect(self, wanted: StreamWanted) -> aiohttp.ClientWebSocketResponse:
        return await self.session.ws_connect(wanted.url, max_msg_size=limits.stream_message_bytes_max)

    async def _beat(self) -> None:
        while True:
            self.line.hear(self.said, self.sent)
            self.line.step(asyncio.get_running_loop().time())
            await asyncio.sleep(0.005)

    async def run(self) -> StreamDone:
        async with aiohttp.ClientSession() as self.session:
            beat = asyncio.ensure_future(self._beat())
            try:
                return await self.line.run()
            finally:
                beat.cancel()
                await self.line.part()


def called(
    talk: TALK, *, tracks: str = "", mouth: Mouth | None = None, **more: object
) -> tuple[StreamDone, Talk, Call]:
    async def play() -> tuple[StreamDone, Talk, Call]:
        async with Bot(talk) as bot:
            call = Call(bot, tracks=tracks, mouth=mouth, **more)
            return await call.run(), bot.talks[0], call

    return asyncio.run(play())


async def wait_for(talk: Talk) -> None:
    """Listen until the connection is over."""
    while await talk.next():
        pass


# --- what is sent and said -------------------------------------------------------------------------------------
def test_the_caller_is_heard_and_the_bot_is_done() -> None:
    async def talk(bot: Talk) -> None:
        for _ in range(3):
            await bot.next("media")
        await bot.say("done", values={"destination": "Rome"}, next="person")
        await wait_for(bot)

    done, bot, call = called(talk, send={"who": "+441"})
    kinds = [each["event"] for each in bot.told]
    assert kinds[:2] == ["connected", "start"] and kinds[-1] == "stop"
    assert bot.told[1]["start"]["customParameters"] == {"who": "+441"}
    first, second = (each for each in bot.told if each["event"] == "media" and each["media"]["chunk"] in "12")
    assert audio_of(first) == octets(LOUD) and first["media"]["track"] == "inbound"
    assert int(second["media"]["timestamp"]) - int(first["media"]["timestamp"]) == 20
    assert (done.call, done.ticket, done.result, done.reason) == (7, 3, "done", "")
    assert (done.values, done.next) == ({"destination": "Rome"}, "person")
    assert done.sent >= 3 and done.dropped == 0 and done.ms < 2_000
    assert call.mouth is not None and call.mouth.closed


def test_octets_are_those_of_the_law() -> None:
    samples = np.arange(-32_768, 32_767, 409, np.int16)
    assert octets(samples) == g711.encode_tables()[0][samples.astype(np.int64) & 0xFFFF].tobytes()
    assert octets(QUIET) == SILENCE


def test_what_it_says_is_heard_and_marks_tell_how_far() -> None:
    async def talk(bot: Talk) -> None:
        await bot.speak(100, octet=0x80)
        await bot.say("mark", mark={"name": "one"})
        await bot.speak(60, octet=0x00)
        await bot.say("mark", mark={"name": "two"})
        assert (await bot.next("mark"))["mark"] == {"name": "one"}
        assert (await bot.next("mark"))["mark"] == {"name": "two"}
        await bot.line.close()

    done, _, call = called(talk)
    assert (done.result, done.heard) == ("done", 8)
    assert call.mouth is not None
    assert call.mouth.audio.tolist() == [32_124] * 800 + [-32_124] * 480


def test_clear_gives_back_every_mark_at_once() -> None:
    async def talk(bot: Talk) -> None:
        await bot.speak(60_000)
        await bot.say("mark", mark={"name": "never heard"})
        await bot.say("clear")
        assert (await bot.next("mark"))["mark"] == {"name": "never heard"}
        await bot.say("done")
        await wait_for(bot)

    done, _, call = called(talk)
    assert done.result == "done" and done.ms < 2_000
    assert call.mouth is not None and call.mouth.waiting_ms == 0


def test_what_it_said_before_it_was_done_is_heard_out() -> None:
    async def talk(bot: Talk) -> None:
        await bot.speak(800)
        await bot.say("done")
        await wait_for(bot)

    done, _, call = called(talk)
    assert done.result == "done" and call.mouth is not None and call.mouth.said == 6_400


def test_keys_are_told() -> None:
    async def play() -> None:
        async def talk(bot: Talk) -> None:
            await bot.next("start")
            pressed.set()
            assert (await bot.next("dtmf"))["dtmf"] == {"track": "inbound_track", "digit": "5"}
            await bot.line.close()

        pressed = asyncio.Event()
        async with Bot(talk) as bot:
            call = Call(bot)
            running = asyncio.ensure_future(call.run())
            await pressed.wait()
            call.line.press("5")
            assert (await running).result == "done"

    asyncio.run(play())


def test_a_fork_hears_both_and_says_nothing() -> None:
    async def talk(bot: Talk) -> None:
        await bot.speak(1_000)
        await bot.say("mark", mark={"name": "x"})
        for _ in range(6):
            await bot.next("media")
        await bot.say("done")
        await wait_for(bot)

    done, bot, _ = called(talk, tracks="both")
    media = [each for each in bot.told if each["event"] == "media"]
    assert [each["media"]["track"] for each in media[:4]] == ["inbound", "outbound"] * 2
    assert audio_of(media[0]) == octets(LOUD) and audio_of(media[1]) == SILENCE
    assert done.result == "done" and done.heard == 0
    assert "mark" not in [each["event"] for each in bot.told]


def test_a_fork_that_is_hushed_hears_silence_on_both_tracks() -> None:
    async def talk(bot: Talk) -> None:
        for _ in range(6):
            await bot.next("media")
        await bot.line.close()

    _, bot, _ = called(talk, tracks="both", hushed=True)
    assert {audio_of(each) for each in bot.told if each["event"] == "media"} == {SILENCE}


# --- ends ---------------------------------------------------------------------------------------------------------
async def _breaks(bot: Talk) -> None:
    await bot.next("media")
    transport = bot.request.transport
    assert transport is not None
    transport.abort()


async def _ends_well(bot: Talk) -> None:
    await bot.next("media")
    await bot.line.close(code=1001)


async def _ends_badly(bot: Talk) -> None:
    await bot.next("media")
    await bot.line.close(code=1011, message=b"4711")


async def _speaks_bytes(bot: Talk) -> None:
    await bot.line.send_bytes(b"4711")
    await wait_for(bot)


async def _lies(bot: Talk) -> None:
    await bot.line.send_str('{"event": "media", "media": {"payload": "4711!"}}')
    await wait_for(bot)


async def _says_too_much(bot: Talk) -> None:
    await bot.line.send_str("x" * (limits.stream_message_bytes_max + 1))
    await wait_for(bot)


@pytest.mark.parametrize(("talk", "result", "reason"), [
    (_ends_well, "done", ""), (_ends_badly, "failed", "it closed the connection with status 1011"),
    (_breaks, "failed", "the connection broke"), (_speaks_bytes, "failed", "a message of bytes"),
    (_lies, "failed", "the payload of a media message is no base64"),
    (_says_too_much, "failed", "a message of more than 1000000 bytes"),
])
def test_how_it_ends(talk: TALK, result: str, reason: str) -> None:
    done, _, call = called(talk)
    assert (done.result, done.reason) == (result, reason)
    assert call.mouth is not None and call.mouth.closed


def test_its_time_is_over() -> None:
    done, bot, call = called(wait_for, ms_max=300)
    assert (done.result, done.reason) == ("timeout", "it was not done within 0 s") and 250 < done.ms < 3_000
    assert bot.told[-1]["event"] == "stop" and call.mouth is not None and call.mouth.closed


def test_a_bot_that_hangs_at_the_door() -> None:
    async def play() -> StreamDone:
        async def never(wanted: StreamWanted) -> aiohttp.ClientWebSocketResponse:
            await asyncio.sleep(60)
            raise AssertionError("not reached")

        return await Line(wish("ws://127.0.0.1:9/", connect_ms=100), "MZ1", Mouth(), never).run()

    done = asyncio.run(play())
    assert (done.result, done.reason) == ("failed", "not connected within 100 ms")


def test_nobody_is_there() -> None:
    async def play() -> StreamDone:
        async with Bot(wait_for) as bot:
            gone = bot
        return await Call(gone).run()

    done = asyncio.run(play())
    assert done.result == "failed" and done.reason.startswith("no connection: ")


# --- too much -----------------------------------------------------------------------------------------------------
def test_a_bot_that_takes_nothing_loses_frames_and_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "stream_stall_ms_max", 600)
    monkeypatch.setattr(limits, "stream_behind_ms_max", 200)

    async def talk(bot: Talk) -> None:
        await bot.next("media")
        transport = bot.request.transport
        assert transport is not None
        transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.sleep(5)

    async def play() -> StreamDone:
        async with Bot(talk) as bot:
            call = Call(bot, ms_max=20_000)
            running = asyncio.ensure_future(call.run())
            while not running.done():  # as if for hours: the network's buffers are large
                for _ in range(200):
                    call.line.hear(LOUD, QUIET)
                await asyncio.sleep(0)
            return await running

    done = asyncio.run(play())
    assert (done.result, done.reason) == ("failed", "it took nothing for 1 s")
    assert done.dropped > 100 and done.ms < 10_000


def test_a_bot_that_is_far_ahead_waits_in_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "stream_ahead_ms_max", 1_000)
    sent = 0

    async def talk(bot: Talk) -> None:
        nonlocal sent
        await bot.next("start")
        while sent < 20_000:
            await bot.speak(1_000)
            await asyncio.sleep(0)
            sent += 1

    async def play() -> None:
        async with Bot(talk) as bot:
            call = Call(bot, ms_max=800)
            part, taken = call.line.part, 0

            async def parted() -> None:
                nonlocal taken
                taken = sent  # a close reads on for a second, and hears nothing of it
                await part()

            call.line.part = parted  # type: ignore[method-assign]
            done = await call.run()
            assert done.result == "timeout"
            assert call.mouth is not None and call.mouth.waiting_ms <= 2_000 + 1_000
            assert 0 < taken < 20_000

    asyncio.run(play())


def test_a_flood_of_messages_is_read_at_its_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "stream_messages_s_max", 100)
    taken = 0

    async def talk(bot: Talk) -> None:
        await bot.next("start")
        while True:
            await bot.say("clear")
            await asyncio.sleep(0)

    class Counting(Mouth):
        def clear(self) -> list[str]:
            nonlocal taken
            taken += 1
            return super().clear()

    done, _, _ = called(talk, mouth=Counting(), ms_max=1_000)
    assert (done.result, done.reason[:4]) == ("timeout", "it w") and 150 <= taken <= 230


def test_marks_that_are_asked_for_and_never_taken_have_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bot that takes a little now and then is not stalled; what it asks for must not pile up for hours."""
    monkeypatch.setattr(limits, "stream_messages_s_max", 100_000)
    monkeypatch.setattr(stream_line, "words_waiting_max", 200)

    async def talk(bot: Talk) -> None:
        await bot.next("media")
        transport = bot.request.transport
        assert transport is not None
        transport.pause_reading()  # type: ignore[attr-defined]
        with suppress(ConnectionError):
            for _ in range(200_000):
                await bot.say("mark", mark={"name": "x" * 120})
                await bot.say("clear")

    done, _, call = called(talk, ms_max=30_000)
    assert (done.result, done.reason) == ("failed", "it asks for more than it takes")
    assert len(call.line._words) <= 200


def test_100_megabytes_of_sound_wait_in_the_network() -> None:
    """In messages just within the bound: the loop stays free, and memory is bounded by what may wait to be heard."""
    payload = b64encode(bytes([0x80]) * 700_000).decode()
    late = 0.0

    async def talk(bot: Talk) -> None:
        await bot.next("media")
        with suppress(ConnectionError):
            for _ in range(110):
                await bot.say("media", media={"payload": payload})

    async def play() -> tuple[StreamDone, Mouth]:
        async def watch() -> None:
            nonlocal late
            while True:
                began = asyncio.get_running_loop().time()
                await asyncio.sleep(0.005)
                late = max(late, asyncio.get_running_loop().time() - began)

        mouth = Mouth()
        async with Bot(talk) as bot:
            watching = asyncio.ensure_future(watch())
            done = await Call(bot, mouth=mouth, ms_max=1_500).run()
            watching.cancel()
            return done, mouth

    done, mouth = asyncio.run(play())
    assert done.result == "timeout" and mouth.pushed / 8 <= limits.stream_ahead_ms_max + 1_500 + 700_000 / 8
    assert late < 0.3


def test_a_line_that_is_dropped_tells_the_bot() -> None:
    async def play() -> None:
        async with Bot(wait_for) as bot:
            call = Call(bot)
            running = asyncio.ensure_future(call.run())
            await until(lambda: bool(bot.talks) and any(each["event"] == "media" for each in bot.talks[0].told))
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            await until(lambda: bot.talks[0].told[-1]["event"] == "stop")

    asyncio.run(play())
