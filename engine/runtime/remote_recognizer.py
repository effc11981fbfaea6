"""Recognisers on other machines, by vosk-server's WebSocket protocol: a message with the configuration, then sound,
each message of it answered by a partial or a final result, then `eof` and the last result.

The far end may be slow, lie, say far too much or vanish: every wait has a limit, every message a size, and the sound of
an utterance is kept until its result is there. When an address fails in mid-utterance the next one hears it from the
beginning; when none is left, the stand-in does, if there is one. A failed address is not asked again before it has
answered a probe.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from engine.errors import SpeechError
from engine.speech.grammar import Grammar
from engine.speech.ports import RATE_HZ, Heard, Partial, Samples

if TYPE_CHECKING:
    import aiohttp

    from engine.runtime.one_utterance import Hearer

message_bytes_max = 262_144
parts_max = 200  # final results within one utterance: a recogniser that cuts it at each breath
text_characters_max = 2_000  # of one utterance: what nobody can say in a minute isn't looked for in a grammar
reason_characters_max = 200  # of what went wrong, in logs and events
unasked_max = 200  # answers beyond one to each message
chunk_frames = 5  # a message each 100 ms
connect_s_max = 1.0
probe_s_first, probe_s_max = 1.0, 30.0
sure = 0.8  # of a result that comes without confidences


class _Word(msgspec.Struct):
    word: str = ""
    conf: float = sure


class _Alternative(msgspec.Struct):
    text: str = ""


class _Told(msgspec.Struct):
    """A message of a vosk-server, with what is of use."""

    partial: str | None = None
    text: str | None = None
    result: list[_Word] = []
    alternatives: list[_Alternative] = []


class Meaning(msgspec.Struct, frozen=True):
    """What words mean, as `grammar` has it: `read` gives the readings of a sentence (with confidence 0), `state` what
    is to be thought of an unfinished one."""

    grammar: Grammar
    read: Callable[[str], list[Heard]]
    state: Callable[[str], Partial]


class Remotes:
    """The addresses of one pool and how they do; shared by all utterances of a process."""

    def __init__(self, complain: Callable[[str], None]) -> None:
        self._complain = complain
        self._session: aiohttp.ClientSession | None = None
        self._bad: dict[str, asyncio.Task[None]] = {}  # address -> its probe
        self._pauses: dict[str, float] = {}  # until the next probe, of those that failed and haven't served since
        self._parting: dict[asyncio.Task[None], None] = {}
        self._turn = 0

    def healthy(self, addresses: tuple[str, ...]) -> list[str]:
        """Addresses that may be asked, beginning with another one each time."""
        self._turn += 1
        well = [each for each in addresses if each not in self._bad]
        at = self._turn % len(well) if well else 0
        return well[at:] + well[:at]

    def failed(self, address: str, why: str) -> None:
        """Don't ask it again until it answers a probe."""
        if address not in self._bad:
            self._complain(f"the recogniser {address} fails: {why}")
            self._bad[address] = asyncio.get_running_loop().create_task(self._probe(address))

    def served(self, address: str) -> None:
        """It gave a result."""
        self._pauses.pop(address, None)

    async def _probe(self, address: str) -> None:
        while True:
            pause_s = self._pauses.get(address, probe_s_first)
            self._pauses[address] = min(probe_s_max, 2 * pause_s)
            await asyncio.sleep(pause_s)
            try:
                connection = await self.connect(address)
            except SpeechError:
                continue
            await connection.close()
            del self._bad[address]
            self._complain(f"the recogniser {address} answers again")
            return

    async def connect(self, address: str) -> aiohttp.ClientWebSocketResponse:
        """A connection, within `connect_s_max`. Raises SpeechError."""
        # the first time takes a while, which is not to be the other callers'
        http: Any = await asyncio.get_running_loop().run_in_executor(None, importlib.import_module, "aiohttp")
        if self._session is None:
            trace = http.TraceConfig()
            trace.on_request_redirect.append(_no_redirect)
            self._session = http.ClientSession(
                trust_env=False, cookie_jar=http.DummyCookieJar(), trace_configs=[trace]
            )
        try:
            async with asyncio.timeout(connect_s_max):
                return await self._session.ws_connect(address, max_msg_size=message_bytes_max, autoping=True)
        except TimeoutError:
            raise SpeechError(f"no connection within {connect_s_max:.0f} s") from None
        except (http.ClientError, OSError, ValueError) as error:
            raise SpeechError(f"no connection: {_words(error)}") from error

    def part(self, connection: aiohttp.ClientWebSocketResponse) -> None:
        """Close a connection. Nobody waits for a far end that doesn't."""
        task = asyncio.get_running_loop().create_task(_close(connection))
        self._parting[task] = None
        task.add_done_callback(lambda ended: self._parting.pop(ended, None))

    async def close(self) -> None:
        """Stop probing and asking."""
        tasks = [*self._bad.values(), *self._parting]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()


async def _no_redirect(*about: object) -> None:
    raise SpeechError("no connection: it points elsewhere, and callers' voices go where the site says")


def _words(error: BaseException) -> str:
    """A fault in one line, whatever a far end wrote into it."""
    if status := getattr(error, "status", 0):
        return f"HTTP status {status}"
    text = " ".join(str(error).split())[:reason_characters_max]
    return "".join(sign if sign.isprintable() else "?" for sign in text) or type(error).__name__


async def _close(connection: aiohttp.ClientWebSocketResponse) -> None:
    with suppress(Exception):
        await asyncio.wait_for(connection.close(), connect_s_max)


class RemoteHearer:
    """One utterance heard elsewhere. Frames are kept until its result is there."""

    def __init__(
        self, remotes: Remotes, addresses: tuple[str, ...], timeout_ms: int, phrases: tuple[str, ...], meaning: Meaning,
        stand_in: Callable[[], Awaitable[Hearer]] | None = None,
    ) -> None:
        """`timeout_ms`: how long the last result may take. `phrases`: the phrase list that is nearest to the grammar.
        `stand_in`: makes who hears it when nobody answers."""
        self.name = "remote"
        self._remotes, self._addresses = remotes, addresses
        self._timeout_s = timeout_ms / 1_000
        self._phrases, self._meaning, self._stand_in = phrases, meaning, stand_in
        self._frames: list[Samples] = []
        self._more = asyncio.Event()
        self._complete = False  # no frame follows
        self._news: Partial | None = None
        self._work = asyncio.get_running_loop().create_task(self._hear())

    # --- as a Hearer
    def feed(self, frame: Samples) -> Partial | None:
        self._frames.append(frame)
        if len(self._frames) % chunk_frames == 0:
            self._more.set()
        news, self._news = self._news, None
        return news

    async def result(self) -> tuple[Heard, ...]:
        self._complete = True
        self._more.set()
        return await self._work

    def cancel(self) -> None:
        self._work.cancel()

    # --- the work
    async def _hear(self) -> tuple[Heard, ...]:
        """One address after the other, then the stand-in."""
        why = "every address is known to fail"
        for address in self._remotes.healthy(self._addresses):
            self.name = f"remote {address}"
            try:
                found = await self._ask(address)
            except Exception as error:  # whatever a far end brings about is its own fault
                why = str(error) if isinstance(error, SpeechError) else f"{type(error).__name__}: {_words(error)}"
                self._remotes.failed(address, why)
            else:
                self._remotes.served(address)
                return found
        if self._stand_in is None:
            raise SpeechError(f"no remote recogniser answers: {why}")
        hearer = await self._stand_in()
        self.name = f"{hearer.name} (stands in: {why})"
        return await self._follow(hearer)

    async def _follow(self, hearer: Hearer) -> tuple[Heard, ...]:
        """Let somebody here hear it, from its beginning."""
        at = 0
        while True:
            while at < len(self._frames):
                self._news = hearer.feed(self._frames[at]) or self._news
                at += 1
            if self._complete:
                return await hearer.result()
            self._more.clear()
            await self._more.wait()

    async def _ask(self, address: str) -> tuple[Heard, ...]:
        """The whole utterance at one address. Raises SpeechError."""
        connection = await self._remotes.connect(address)
        try:
            config = {"sample_rate": RATE_HZ, "words": True, "phrase_list": [*self._phrases, "[unk]"],
                      "ringdown": self._meaning.grammar}  # which others pass over
            await self._send(connection, msgspec.json.encode({"config": config}).decode())
            heard = _Heard(self._meaning, asyncio.get_running_loop().time)
            reading = asyncio.get_running_loop().create_task(self._read(connection, heard))
            try:
                await self._pour(connection, reading, heard)
                return await asyncio.wait_for(asyncio.shield(reading), self._timeout_s)
            except TimeoutError:
                raise SpeechError(f"no result within {self._timeout_s:.1f} s") from None
            finally:
                reading.cancel()
                with suppress(asyncio.CancelledError, SpeechError):
                    await reading
        finally:
            self._remotes.part(connection)

    async def _pour(self, connection: Any, reading: asyncio.Task[Any], heard: _Heard) -> None:
        """Send what there is, then what comes, until it is complete."""
        at = 0
        while not (self._complete and at == len(self._frames)):
            if reading.done():
                return  # it has failed: whoever awaits it learns why
            if heard.silent_s() > self._timeout_s:
                raise SpeechError(f"no answer for {self._timeout_s:.1f} s")
            count = len(self._frames) - at
            if count >= chunk_frames or (self._complete and count):
                part = self._frames[at : at + 10 * chunk_frames]  # at once after a failure elsewhere
                at += len(part)
                heard.asked()
                await self._send(connection, np.concatenate(part).astype("<i2").tobytes())
                continue
            self._more.clear()
            more = asyncio.get_running_loop().create_task(self._more.wait())
            await asyncio.wait((more, reading), return_when=asyncio.FIRST_COMPLETED)
            more.cancel()
        heard.asked()
        heard.asked_for_last = True
        await self._send(connection, '{"eof" : 1}')

    async def _send(self, connection: Any, data: str | bytes) -> None:
        try:
            async with asyncio.timeout(self._timeout_s):
                await (connection.send_str(data) if isinstance(data, str) else connection.send_bytes(data))
        except TimeoutError:
            raise SpeechError("it takes no sound") from None
        except (OSError, RuntimeError) as error:
            raise SpeechError(f"the connection broke: {_words(error)}") from error

    async def _read(self, connection: Any, heard: _Heard) -> tuple[Heard, ...]:
        """Every message, until the one that answers `eof`: a connection that ends before it has failed."""
        http = importlib.import_module("aiohttp")
        async for message in connection:
            if message.type != http.WSMsgType.TEXT:
                broken = message.type == http.WSMsgType.ERROR
                raise SpeechError(f"it broke the protocol: {_words(message.data)}" if broken else "it sent no text")
            self._news = heard.take(message.data) or self._news
            if heard.whole and not heard.owed:
                return heard.readings()
            await asyncio.sleep(0)  # a flood of answers is one caller's, not the others'
        if heard.whole:  # it closes when it has said everything, without an answer to each message
            return heard.readings()
        raise SpeechError(f"the connection broke (code {connection.close_code})")


class _Heard:
    """What a recogniser has told of one utterance."""

    def __init__(self, meaning: Meaning, now_s: Callable[[], float]) -> None:
        self._meaning, self._now_s = meaning, now_s
        self._parts: list[str] = []
        self._sure: list[float] = []
        self._last_is_final = False
        self._unasked = 0
        self._since_s = 0.0  # it owes an answer
        self.owed = 0  # answers: one to each message of sound, one to `eof`
        self.asked_for_last = False

    @property
    def whole(self) -> bool:
        """The last result may be here."""
        return self.asked_for_last and self._last_is_final

    def asked(self) -> None:
        """It has been sent a message, and is to answer it."""
        if not self.owed:
            self._since_s = self._now_s()
        self.owed += 1

    def silent_s(self) -> float:
        """For how long it has owed an answer and said nothing."""
        return self._now_s() - self._since_s if self.owed else 0.0

    def take(self, data: str) -> Partial | None:
        """One message. Raises SpeechError for what the protocol has not, and for more than can be meant."""
        if not self.owed:
            self._unasked += 1
            if self._unasked > unasked_max:
                raise SpeechError(f"it gave more than {unasked_max} answers that nobody asked for")
        self.owed = max(0, self.owed - 1)
        self._since_s = self._now_s()
        try:
            told = msgspec.json.decode(data, type=_Told)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            raise SpeechError(f"it answered with something else than results: {_words(error)}") from error
        if told.partial is not None:
            self._last_is_final = False
            return self._meaning.state(self._text(told.partial)) if told.partial else None
        text = told.alternatives[0].text if told.alternatives else told.text
        if text is None:
            raise SpeechError("it answered with neither a partial nor a text")
        self._last_is_final = True
        if text.strip():
            if len(self._parts) >= parts_max:
                raise SpeechError(f"it gave more than {parts_max} results for one utterance")
            self._text(text)
            self._parts.append(text.strip())
            self._sure += [min(1.0, max(0.0, each.conf)) for each in told.result] or [sure]
        return self._meaning.state(self._text())

    def _text(self, more: str = "") -> str:
        """The whole utterance so far. Raises SpeechError when nobody can have said it."""
        text = " ".join((*self._parts, more)).strip()
        if len(text) > text_characters_max:
            raise SpeechError(f"it heard more than {text_characters_max} characters in one utterance")
        return text

    def readings(self) -> tuple[Heard, ...]:
        confidence = sum(self._sure) / len(self._sure) if self._sure else 0.0
        found = self._meaning.read(self._text())
        return tuple(msgspec.structs.replace(each, confidence=round(confidence, 3)) for each in found)
