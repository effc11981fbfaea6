"""`ringdown recognizer`: our models for other machines, by vosk-server's WebSocket protocol.

A client may send `{"config": {"sample_rate": 16000, "phrase_list": […], "words": true}}`, sends sound (linear 16 bit,
mono, little-endian) in binary messages, each answered by `{"partial": …}`, and `{"eof": 1}`, answered by `{"text": …}`,
after which the connection is closed. The phrases of a list are understood as they are, one an utterance; another engine
of ours sends its grammar beside them, and is understood exactly. Without a list the server's own grammar counts.
Decoding runs in threads,
which the library leaves the GIL to, one at a time for each connection.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from engine.errors import SpeechError, UsageError
from engine.runtime.embedded_recognizer import EmbeddedRecognizer
from engine.runtime.graph_shelf import Shelf
from engine.speech.grammar import Grammar, Line
from engine.speech.ports import Heard

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web

message_bytes_max = 1_048_576  # half a minute of sound at once
utterance_s_max = 60.0
idle_s_max = 60.0
connections_max = 200
phrases_max = 10_001  # what an engine of ours sends at most
phrase_bytes_max = 500
RATES_HZ = (8_000, 48_000)
_TRY_LATER, _TOO_BIG, _POLICY = 1013, 1009, 1008  # RFC 6455 §7.4.1


class Config(msgspec.Struct):
    """What a client may say of its sound and of what may be said in it."""

    sample_rate: float = 8_000.0
    phrase_list: list[str] = []
    words: bool = False
    max_alternatives: int = 0
    ringdown: Grammar | None = None  # what an engine of ours sends beside the list: the grammar itself


class _Told(msgspec.Struct):
    config: Config | None = None
    eof: int = 0


class RecognizerServer:
    """`await start()` says where it listens; `await close()`."""

    def __init__(
        self, folder: Path, language: str, grammar: Grammar | None, *, host: str = "127.0.0.1", port: int = 2700,
        threads: int = 2, say: Callable[[str], None] = print,
    ) -> None:
        """`folder`: of the model; `grammar`: for clients without a phrase list."""
        self._folder, self._language, self._grammar = folder, language, grammar
        self._host, self._port = host, port
        self._threads = ThreadPoolExecutor(threads, "recogniser")
        self._compiling = ThreadPoolExecutor(1, "compile")  # one client's grammar keeps nobody from being heard
        self._shelf = Shelf()
        self._say = say
        self._runner: web.AppRunner | None = None
        self.connections = 0
        self.served = 0

    async def start(self) -> str:
        """The address. Raises UsageError when it can't be listened on, SpeechError when the model can't be used."""
        from aiohttp import web

        loop = asyncio.get_running_loop()
        if self._grammar is not None:
            await loop.run_in_executor(self._compiling, self._shelf.prepared, str(self._folder), self._grammar, {})
        app = web.Application()
        app.router.add_get("/", self._serve)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port)
        try:
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            raise UsageError(f"can't listen on {self._host}:{self._port}: {error.strerror or error}") from error
        (host, port, *_) = self._runner.addresses[0]
        return f"ws://{f'[{host}]' if ':' in host else host}:{port}"

    async def close(self) -> None:
        """No more connections; those that stand are ended."""
        if self._runner is not None:
            await self._runner.cleanup()
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._compiling.shutdown(wait=False, cancel_futures=True)

    async def _serve(self, request: Any) -> Any:
        from aiohttp import web

        socket = web.WebSocketResponse(max_msg_size=message_bytes_max, heartbeat=20.0)
        await socket.prepare(request)
        if self.connections >= connections_max:
            await socket.close(code=_TRY_LATER, message=b"too many connections")
            return socket
        self.connections += 1
        try:
            await _Connection(self, socket).run()
        finally:
            self.connections -= 1
            self.served += 1
        return socket

    async def prepared(self, config: Config) -> Grammar:
        """What a client's words are understood by, ready to be decoded with. Raises SpeechError."""
        grammar = self._grammar
        if config.phrase_list:
            grammar = config.ringdown or grammar_of(config.phrase_list, self._language)
        if grammar is None:
            raise SpeechError("send a phrase_list: this server has no grammar of its own")
        folder = str(self._folder)
        if not self._shelf.holds(folder, grammar, {}):
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._compiling, self._shelf.prepared, folder, grammar, {})
        return grammar

    async def recognizer(self, config: Config) -> EmbeddedRecognizer:
        """A started recogniser for one connection. Raises SpeechError."""
        grammar = await self.prepared(config)
        recognizer = EmbeddedRecognizer(self._shelf, str(self._folder), {}, rate_hz=round(config.sample_rate))
        await self.on_thread(recognizer.start, grammar)
        return recognizer

    async def on_thread(self, work: Callable[..., Any], *arguments: Any) -> Any:
        """Computing, off the loop."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)


class _Connection:
    """One client and its utterance."""

    def __init__(self, server: RecognizerServer, socket: Any) -> None:
        self._server, self._socket = server, socket
        self._config = Config()
        self._recognizer: EmbeddedRecognizer | None = None
        self._samples = 0

    async def run(self) -> None:
        """Until it has its result, or does something that it may not."""
        from aiohttp import WSMsgType

        try:
            while True:
                try:
                    message = await self._socket.receive(timeout=idle_s_max)
                except TimeoutError:
                    await self._refuse(_POLICY, f"nothing for {idle_s_max:.0f} s")
                    return
                if message.type == WSMsgType.BINARY:
                    await self._socket.send_str(await self._sound(message.data))
                elif message.type == WSMsgType.TEXT:
                    if not await self._words(message.data):
                        return
                else:
                    return
        except SpeechError as error:
            await self._refuse(_POLICY, str(error))
        except ConnectionError:
            return

    async def _refuse(self, code: int, why: str) -> None:
        await self._socket.close(code=code, message=why.encode()[:120])

    async def _words(self, text: str) -> bool:
        """A configuration, or the end (then False)."""
        try:
            told = msgspec.json.decode(text, type=_Told)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            raise SpeechError(f"not understood: {error}") from error
        if told.config is not None:
            if self._recognizer is not None:
                raise SpeechError("the configuration comes before the sound")
            self._config = checked(told.config)
            if self._config.phrase_list:  # compiled now, perhaps over a prompt, not when somebody speaks
                await self._server.prepared(self._config)
        if not told.eof:
            return True
        readings: tuple[Heard, ...] = ()
        if self._recognizer is not None:
            readings = await self._server.on_thread(self._recognizer.finish)
        await self._socket.send_str(final(readings, self._config))
        await self._socket.close()
        return False

    async def _sound(self, data: bytes) -> str:
        """More sound; the answer to it."""
        if self._recognizer is None:
            self._recognizer = await self._server.recognizer(self._config)
        self._samples += len(data) // 2
        if self._samples > utterance_s_max * self._config.sample_rate:
            raise SpeechError(f"an utterance has at most {utterance_s_max:.0f} s")
        samples = np.frombuffer(data[: len(data) & ~1], "<i2").astype(np.int16)
        await self._server.on_thread(self._recognizer.feed, samples)
        return msgspec.json.encode({"partial": self._recognizer.words_so_far}).decode()


def checked(config: Config) -> Config:
    """A configuration within its bounds. Raises SpeechError."""
    if not RATES_HZ[0] <= config.sample_rate <= RATES_HZ[1]:
        raise SpeechError(f"a sample rate lies between {RATES_HZ[0]} and {RATES_HZ[1]}")
    if len(config.phrase_list) > phrases_max:
        raise SpeechError(f"at most {phrases_max} phrases")
    if any(len(each.encode()) > phrase_bytes_max for each in config.phrase_list):
        raise SpeechError(f"a phrase has at most {phrase_bytes_max} bytes")
    return config


def grammar_of(phrases: list[str], language: str) -> Grammar:
    """Exactly these sentences. Signs of our own notation mean nothing here, `[unk]` is always understood."""
    plain = (" ".join("".join(" " if sign in "()[]|$" else sign for sign in each).split())
             for each in phrases if each.strip() != "[unk]")  # fmt: skip
    lines = tuple(Line(each, each) for each in dict.fromkeys(plain) if each)
    if not lines:
        raise SpeechError("the phrase list holds no phrase")
    return Grammar(language, lines, fillers=False)


def final(readings: tuple[Heard, ...], config: Config) -> str:
    """The last message, with alternatives when they were asked for, with each word's confidence when these were."""
    if config.max_alternatives > 0:
        told = [{"text": each.text, "confidence": each.confidence} for each in readings[: config.max_alternatives]]
        return msgspec.json.encode({"alternatives": told or [{"text": "", "confidence": 0.0}]}).decode()
    best = readings[0] if readings else Heard("", "")
    answer: dict[str, Any] = {"text": best.text}
    if config.words and best.text:
        answer["result"] = [{"word": word, "conf": best.confidence} for word in best.text.split()]
    return msgspec.json.encode(answer).decode()
