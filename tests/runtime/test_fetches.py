"""Recordings fetched from a server that behaves, and from one that does everything else."""

from __future__ import annotations

import asyncio
import io
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from engine import limits
from engine.call.effects import FetchWanted, SoundDone
from engine.errors import LimitExceeded
from engine.runtime.fetches import Fetches
from engine.runtime.files import Files
from engine.runtime.lookups import Lookups
from tests.runtime.fakes import quiet_log, run, until
from tests.runtime.test_lookups import Act, Server, answer

CLIP = 16_320


def sound(seconds: float = 1.0, kind: str = "WAV", rate: int = 8_000, tracks: int = 1) -> bytes:
    at = np.arange(int(seconds * rate)) / rate
    wave = np.column_stack([0.3 * np.sin(2 * np.pi * 440 * at)] * tracks)
    file = io.BytesIO()
    soundfile.write(file, wave, rate, format=kind)
    return file.getvalue()


class Fetching:
    """The part under test with what it has been told, and what was stored."""

    def __init__(self) -> None:
        self.done: list[SoundDone] = []
        self.stored: list[tuple[int, bytes]] = []
        self.full = False
        loop, log = asyncio.get_running_loop(), quiet_log()[0]
        self.lookups = Lookups(loop, self.done.append, {}.get, log)  # type: ignore[arg-type]
        self.files = Files(Path("/nonexistent"), loop, log)
        self.files.store = self.store
        self.fetches = Fetches(loop, self.done.append, self.lookups.client, self.files)
        self.serial = 0

    def store(self, clip: int, both: tuple[bytes, bytes]) -> None:
        if self.full:
            raise LimitExceeded("audio_bytes", 7)
        self.stored.append((clip, both[0]))

    def ask(self, url: str, timeout_ms: int = 5_000, cache_ms: int = 0, *, call: int = 4, clip: int = CLIP) -> None:
        self.serial += 1
        before = len(self.done)
        self.fetches.ask(FetchWanted(call, 7, clip, self.serial, url, timeout_ms, cache_ms))
        assert len(self.done) == before, "told from within ask"

    async def told(self, url: str, timeout_ms: int = 5_000, cache_ms: int = 0) -> SoundDone:
        await self.lookups.client()  # its import is not a matter of the server's
        before = len(self.done)
        self.ask(url, timeout_ms, cache_ms)
        await until(lambda: len(self.done) > before, 15)
        return self.done[-1]

    async def close(self) -> None:
        await self.fetches.close()
        await self.lookups.close()
        await self.files.close()


async def opened(said: bytes | Act) -> tuple[Server, Fetching, str]:
    server, fetching = await Server().open(), Fetching()
    server.said["/a"] = said
    return server, fetching, f"http://127.0.0.1:{server.port}/a"


def one(said: bytes | Act, timeout_ms: int = 5_000) -> tuple[SoundDone, list[tuple[int, bytes]], float]:
    """What a server's answer comes to, what was stored, and how long it took (s)."""

    async def work() -> tuple[SoundDone, list[tuple[int, bytes]], float]:
        server, fetching, url = await opened(said)
        await fetching.lookups.client()
        began = time.monotonic()
        done = await fetching.told(url, timeout_ms)
        lasted = time.monotonic() - began
        await fetching.close()
        await server.close()
        return done, fetching.stored, lasted

    return run(work(), 30)


@pytest.mark.parametrize(
    ("kind", "rate", "tracks"), [("WAV", 8_000, 1), ("WAV", 44_100, 2), ("FLAC", 48_000, 1), ("OGG", 16_000, 2),
                                 ("MP3", 44_100, 1)]
)  # fmt: skip
def test_what_admins_have_becomes_the_calls_clip(kind: str, rate: int, tracks: int) -> None:
    done, stored, _ = one(answer(sound(1.0, kind, rate, tracks)))
    assert (done.call, done.ticket, done.detail) == (4, 7, "")
    assert 950 <= done.duration_ms <= 1_150  # MP3 pads
    ((clip, law),) = stored
    assert clip == CLIP and len(law) * 1_000 // 8_000 == done.duration_ms
    loud = np.frombuffer(law, np.uint8)
    assert np.unique(loud).size > 20  # a tone, not silence


async def hangs(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(30)


async def drips(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nRIFF")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.05)


async def endless(writer: asyncio.StreamWriter) -> None:
    """20 MB without a length that would give it away."""
    writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    for _ in range(20):
        writer.write(bytes(1_000_000))
        await writer.drain()
    writer.close()


async def breaks_off(writer: asyncio.StreamWriter) -> None:
    writer.write(answer(sound()[:100], length=16_000))
    await writer.drain()
    writer.close()


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (answer(b"", "404 Not Found"), "status 404"),
        (answer(b"", "500 Oops"), "status 500"),
        (answer(b"", "204 No Content"), "status 204"),
        (answer(b"", "302 Found", "Location: /b"), "status 302: redirects are not followed"),
        (answer(sound(), "200 OK", "Content-Encoding: gzip"), "the answer is compressed, which was not asked for"),
        (answer(b"<html>not a sound</html>"), "this is no sound that can be read"),
        (answer(bytes(100_000)), "this is no sound that can be read"),
        (answer(b""), "this is no sound that can be read"),
        (answer(sound(0.0)), "it holds no sound"),
        (answer(b"x", length=20_000_000), f"it is longer than {limits.fetch_bytes_max} bytes"),
        (endless, f"it is longer than {limits.fetch_bytes_max} bytes"),
        (breaks_off, "the answer broke off"),
        (b"SIP/2.0 200 OK\r\n\r\n", "the answer is not HTTP"),
        (answer(sound(0.1, rate=96_000)), "96000 Hz in 1 tracks"),
        (answer(sound(0.1, rate=47_999)), "47999 Hz in 1 tracks"),
        (answer(sound(0.1, tracks=3)), "8000 Hz in 3 tracks"),
        (answer(sound(limits.fetch_sound_ms_max / 1_000 + 1, "FLAC")), "it lasts longer than 300 s"),
    ],
)  # fmt: skip
def test_what_cannot_be_heard_is_said_in_words_and_stored_nowhere(said: bytes | Act, reason: str) -> None:
    done, stored, _ = one(said, 10_000)
    assert done.detail.startswith(reason) and done.duration_ms == 0
    assert stored == []


@pytest.mark.parametrize("act", [hangs, drips])
def test_a_slow_server_costs_the_callers_timeout_and_no_more(act: Act) -> None:
    done, stored, lasted = one(act, 400)
    assert done.detail == "not fetched within 400 ms" and stored == []
    assert 0.35 <= lasted < 5 and done.ms >= 390


def test_a_server_that_is_gone() -> None:
    async def work() -> SoundDone:
        server, fetching, url = await opened(b"")
        await server.close()
        done = await fetching.told(url)
        await fetching.close()
        return done

    assert run(work()).detail.startswith("no connection")


def test_the_cache_spares_the_server_for_as_long_as_it_is_allowed_to() -> None:
    async def work() -> None:
        server, fetching, url = await opened(answer(sound()))
        assert not (await fetching.told(url, cache_ms=60_000)).detail
        del server.said["/a"]
        again = await fetching.told(url, cache_ms=60_000)
        assert (again.detail, again.duration_ms) == ("", 1_000) and len(server.got) == 1
        assert (await fetching.told(url)).detail == "status 404"  # without cache: what is there now
        await asyncio.sleep(0.05)
        assert (await fetching.told(url, cache_ms=40)).detail == "status 404"  # older than this step allows
        await fetching.close()
        await server.close()

    run(work())


def test_the_cache_has_a_bound_and_the_oldest_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "fetch_cache_bytes_max", 2 * 2 * 8_000)

    async def work() -> None:
        server, fetching, url = await opened(answer(sound()))
        for name in ("/a", "/b", "/c"):
            server.said[name] = answer(sound())
            assert not (await fetching.told(url[:-2] + name, cache_ms=60_000)).detail
        assert [each[-2:] for each in fetching.fetches._kept] == ["/b", "/c"]
        assert fetching.fetches._kept_bytes == 2 * 2 * 8_000
        server.said["/long"] = answer(sound(3))
        assert not (await fetching.told(url[:-2] + "/long", cache_ms=60_000)).detail
        assert fetching.fetches._kept_bytes <= limits.fetch_cache_bytes_max
        await fetching.close()
        await server.close()

    run(work())


def test_a_caller_who_could_not_wait_has_fetched_it_for_the_next() -> None:
    async def slowly(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.4)
        writer.write(answer(sound()))
        await writer.drain()

    async def work() -> None:
        server, fetching, url = await opened(slowly)
        assert (await fetching.told(url, 100, 60_000)).detail == "not fetched within 100 ms"
        await until(lambda: not fetching.fetches._under_way)
        assert (await fetching.told(url, 100, 60_000)).detail == "" and len(server.got) == 1
        await fetching.close()
        await server.close()

    run(work())


def test_many_at_once_share_one_request() -> None:
    async def work() -> None:
        server, fetching, url = await opened(answer(sound()))
        await fetching.lookups.client()
        for number in range(20):
            fetching.ask(url, call=number, clip=CLIP + number)
        await until(lambda: len(fetching.done) == 20)
        assert len(server.got) == 1 and not any(each.detail for each in fetching.done)
        assert sorted(clip for clip, _ in fetching.stored) == [CLIP + number for number in range(20)]
        await fetching.close()
        await server.close()

    run(work())


def test_too_many_different_ones_are_refused_and_places_come_back() -> None:
    async def work() -> None:
        server, fetching, url = await opened(hangs)
        await fetching.lookups.client()
        for number in range(limits.fetches_under_way_max + 1):
            server.said[f"/{number}"] = hangs
            fetching.ask(f"{url[:-2]}/{number}", 300, clip=CLIP + number)
        await until(lambda: len(fetching.done) == limits.fetches_under_way_max + 1)
        refused = [each.detail for each in fetching.done if "already" in each.detail]
        assert refused == [f"{limits.fetches_under_way_max} recordings are being fetched already"]
        await fetching.close()
        assert not fetching.fetches._under_way and not fetching.fetches._asking
        await server.close()

    run(work())


def test_nobody_hears_what_was_meant_for_another() -> None:
    """The call is over, its clip is another's: what comes late is not stored."""

    async def slowly(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.2)
        writer.write(answer(sound()))
        await writer.drain()

    async def work() -> None:
        server, fetching, url = await opened(slowly)
        await fetching.lookups.client()
        fetching.ask(url, call=1)
        server.said["/b"] = answer(sound(2))
        fetching.ask(url[:-2] + "/b", call=2)
        await until(lambda: len(fetching.done) == 2)
        late = next(each for each in fetching.done if each.call == 1)
        assert late.detail == "nobody waits for it any more"
        assert [len(law) for _, law in fetching.stored] == [16_000]
        await fetching.close()
        await server.close()

    run(work())


def test_a_full_plane_is_said() -> None:
    async def work() -> None:
        server, fetching, url = await opened(answer(sound()))
        fetching.full = True
        done = await fetching.told(url)
        assert "audio_bytes" in done.detail and done.duration_ms == 0
        await fetching.close()
        await server.close()

    run(work())


def test_closing_gives_up_what_is_under_way() -> None:
    async def work() -> None:
        server, fetching, url = await opened(hangs)
        await fetching.lookups.client()
        fetching.ask(url)
        await until(lambda: server.got)
        await fetching.close()
        assert fetching.done == []
        await server.close()

    run(work())
