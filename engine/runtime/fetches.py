"""Recordings on other people's servers, fetched off the call path for a step `play_url`.

Whatever the far end does, each wish is answered within its own timeout, as SoundDone; the reason of a failure is for
the operators. The client is that of the lookups, with its rules: no redirect, no cookie, no compressed answer, TLS
verified. At most `fetch_bytes_max` of an answer and `fetch_sound_ms_max` of sound are taken. Several who want the
same recording at once share one request, and `cache` keeps it, within `fetch_cache_bytes_max` of memory in all.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from engine import limits
from engine.call.effects import FetchWanted, SoundDone
from engine.errors import LimitExceeded, SiteError
from engine.runtime.call_words import CallWords
from engine.runtime.files import Files, law_pair
from engine.runtime.lookups import reason_of
from engine.runtime.sounds import decode_bounded
from engine.runtime.wav import RATE

if TYPE_CHECKING:
    import aiohttp

Both = tuple[bytes, bytes]  # µ-law, A-law
ACCEPT = "audio/*, application/ogg, */*;q=0.1"


class Fetches:
    """`ask` for a recording; `deliver` gets a SoundDone for each, from the loop and never from within `ask`.

    `client` gives the HTTP client. `words` speaks what only a call knows. Clips are stored through `files`, which knows
    who asked for a number last.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, deliver: Callable[[SoundDone], None],
        client: Callable[[], Awaitable[aiohttp.ClientSession]], files: Files,
    ) -> None:
        self._loop = loop
        self._deliver = deliver
        self._client = client
        self._files = files
        self.words = CallWords(loop, deliver, files)
        self._thread = ThreadPoolExecutor(1, "fetches")  # one recording is decoded at a time: its memory is bounded
        self._asking: dict[asyncio.Task[None], None] = {}
        self._under_way: dict[str, asyncio.Task[Both]] = {}
        self._keeping: dict[str, None] = {}  # of those under way, which are to be kept
        self._kept: dict[str, tuple[float, Both]] = {}  # address -> (when it was fetched, s of the loop; the sound)
        self._kept_bytes = 0

    def ask(self, wanted: FetchWanted) -> None:
        """Fetch, or take what is kept and not older than the wish allows."""
        self._files.claim(wanted.clip, wanted.serial)
        task = self._loop.create_task(self._answer(wanted, self._loop.time()))
        self._asking[task] = None
        task.add_done_callback(lambda done: self._asking.pop(done, None))

    async def _answer(self, wanted: FetchWanted, began: float) -> None:
        both: Both = (b"", b"")
        detail = ""
        try:
            async with asyncio.timeout(wanted.timeout_ms / 1_000):
                both = await self._sound(wanted)
            if not self._files.put(wanted.clip, wanted.serial, both):
                detail = "nobody waits for it any more"
        except TimeoutError:
            detail = f"not fetched within {wanted.timeout_ms} ms"
        except (SiteError, LimitExceeded) as problem:
            detail = str(problem)
        except Exception as error:  # whatever the client raises: the caller goes on by `failed`
            detail = reason_of(error)
        now = self._loop.time()
        length_ms = 0 if detail else len(both[0]) * 1_000 // RATE
        self._deliver(SoundDone(wanted.call, wanted.ticket, length_ms, detail, round((now - began) * 1_000)))

    async def _sound(self, wanted: FetchWanted) -> Both:
        kept = self._kept.get(wanted.url)
        if kept is not None and self._loop.time() - kept[0] < wanted.cache_ms / 1_000:
            return kept[1]
        task = self._under_way.get(wanted.url)
        if task is None:
            if len(self._under_way) >= limits.fetches_under_way_max:
                raise SiteError(f"{limits.fetches_under_way_max} recordings are being fetched already")
            task = self._under_way[wanted.url] = self._loop.create_task(self._fetch(wanted.url))
            task.add_done_callback(lambda done: self._fetched(wanted.url, done))
        if wanted.cache_ms:
            self._keeping[wanted.url] = None
        return await asyncio.shield(task)  # one caller's time being over is not the others'

    def _fetched(self, url: str, task: asyncio.Task[Both]) -> None:
        """Over; kept where a wish said so, also when its caller could not wait for it: the next one can."""
        self._under_way.pop(url, None)
        keep = url in self._keeping
        self._keeping.pop(url, None)
        if not task.cancelled() and task.exception() is None and keep:
            self._keep(url, task.result())

    async def _fetch(self, url: str) -> Both:
        """One request, decoded. Raises SiteError in words, and what the client raises."""
        try:
            async with asyncio.timeout(limits.fetch_ms_max / 1_000):
                content = await self._content(url)
        except TimeoutError as error:
            raise SiteError(f"no whole answer within {limits.fetch_ms_max} ms") from error
        return await self._loop.run_in_executor(self._thread, _decoded, url, content)

    async def _content(self, url: str) -> bytes:
        yarl: Any = importlib.import_module("yarl")
        session = await self._client()
        response = await session.request(
            "GET", yarl.URL(url, encoded=True), headers={"Accept": ACCEPT}, allow_redirects=False
        )
        try:
            if 300 <= response.status < 400:
                raise SiteError(f"status {response.status}: redirects are not followed")
            if response.status != 200:
                raise SiteError(f"status {response.status}")
            if response.headers.get("Content-Encoding", "identity").lower() != "identity":
                raise SiteError("the answer is compressed, which was not asked for")
            return await _body(response)
        finally:
            response.close()

    def _keep(self, url: str, both: Both) -> None:
        """As the newest; the oldest go where there is no room."""
        self._lose(url)
        size = 2 * len(both[0])
        while self._kept and self._kept_bytes + size > limits.fetch_cache_bytes_max:
            self._lose(next(iter(self._kept)))
        if size <= limits.fetch_cache_bytes_max:
            self._kept[url] = (self._loop.time(), both)
            self._kept_bytes += size

    def _lose(self, url: str) -> None:
        old = self._kept.pop(url, None)
        if old is not None:
            self._kept_bytes -= 2 * len(old[1][0])

    async def close(self) -> None:
        """Give up what is under way; nobody is told any more."""
        tasks: list[asyncio.Task[Any]] = [*self._asking, *self._under_way.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._loop.run_in_executor(None, self._thread.shutdown)
        await self.words.close()


async def _body(response: aiohttp.ClientResponse) -> bytes:
    """The answer, as far as it may be long. Raises SiteError."""
    too_long = f"it is longer than {limits.fetch_bytes_max} bytes"
    if (response.content_length or 0) > limits.fetch_bytes_max:
        raise SiteError(too_long)
    content = bytearray()
    while chunk := await response.content.readany():
        content += chunk
        if len(content) > limits.fetch_bytes_max:
            raise SiteError(too_long)
    return bytes(content)


def _decoded(url: str, content: bytes) -> Both:
    """In (µ-law, A-law) at 8 kHz. Raises SiteError in words."""
    from engine.media import voice

    signal, rate = decode_bounded(content, limits.fetch_sound_ms_max)
    return law_pair(voice.convert(signal, rate))
