"""Which recogniser hears an utterance: embedded, a model folder of the admin's, or remote; made ready off the loop."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import msgspec

from engine.runtime import recognizer_wire as wire
from engine.runtime import vosk_library
from engine.runtime.embedded_recognizer import EmbeddedRecognizer
from engine.runtime.graph_shelf import Lists, Shelf
from engine.runtime.one_utterance import Hearer
from engine.runtime.remote_recognizer import Meaning, RemoteHearer, Remotes
from engine.speech import grammar_net, matcher, phrase_list
from engine.speech.grammar import Grammar
from engine.speech.ports import Heard, Listening, Partial, Samples

phrase_lists_max = 256


class Embedded:
    """The embedded recogniser as an utterance uses it."""

    def __init__(self, recognizer: EmbeddedRecognizer) -> None:
        self._recognizer = recognizer
        self.name = recognizer.name

    def feed(self, frame: Samples) -> Partial | None:
        return self._recognizer.feed(frame)

    async def result(self) -> tuple[Heard, ...]:
        return self._recognizer.finish()

    def cancel(self) -> None:
        self._recognizer.cancel()


class Hearers:
    """`await hearer(…)` for each listening. Compiling happens in one thread: it stops no other utterance."""

    def __init__(self, shelf: Shelf | None = None) -> None:
        self.shelf = shelf or Shelf()
        self._thread = ThreadPoolExecutor(1, "compile")
        self._remotes: Remotes | None = None
        self._lists: dict[bytes, tuple[str, ...]] = {}

    def warm(self) -> None:
        """Load the library, and what else takes time to load. Raises SpeechError."""
        vosk_library.load()
        self.shelf.warm()

    async def prepare(self, grammar: Grammar, folder: str) -> None:
        """Compile a grammar for a model ahead. Raises SpeechError."""
        if not any(slot.open_list for slot in grammar.slots.values()):
            await self._ready(grammar, folder, {})

    async def prepare_remote(self) -> None:
        """Load the client before anybody speaks: it takes longer than a word."""
        await asyncio.get_running_loop().run_in_executor(self._thread, importlib.import_module, "aiohttp")

    async def _ready(self, grammar: Grammar, folder: str, lists: Lists) -> None:
        if not self.shelf.holds(folder, grammar, lists):
            prepare = self.shelf.prepared
            await asyncio.get_running_loop().run_in_executor(self._thread, prepare, folder, grammar, lists)

    def at_once(
        self, engine: wire.Engine, grammar: Grammar, listening: Listening, complain: Callable[[str], None]
    ) -> Hearer | None:
        """The recogniser of one listening, started; None when that would take long. Raises SpeechError."""
        if engine.kind == "remote":
            return self._remote(engine, grammar, listening, complain)
        if not self.shelf.holds(engine.folder, grammar, listening.lists):
            return None
        return self._here(engine.folder, grammar, listening)

    async def hearer(self, engine: wire.Engine, grammar: Grammar, listening: Listening) -> Hearer:
        """The same, when it takes long. Raises SpeechError."""
        await self._ready(grammar, engine.folder, listening.lists)
        return self._here(engine.folder, grammar, listening)

    def _here(self, folder: str, grammar: Grammar, listening: Listening) -> Hearer:
        recognizer = EmbeddedRecognizer(self.shelf, folder, listening.lists)
        recognizer.start(grammar, listening.today)
        return Embedded(recognizer)

    def _remote(
        self, engine: wire.Engine, grammar: Grammar, listening: Listening, complain: Callable[[str], None]
    ) -> Hearer:
        """One that hears elsewhere, with what is here to stand in."""
        filled = grammar_net.fill(grammar, listening.lists) if listening.lists else grammar
        if self._remotes is None:
            self._remotes = Remotes(complain)

        async def stand_in() -> Hearer:
            return await self.hearer(engine, grammar, listening)

        meaning = Meaning(
            filled,
            lambda text: matcher.read(filled, text, listening.today),
            lambda text: Partial(text, *matcher.state(filled, text)),
        )
        return RemoteHearer(
            self._remotes, engine.addresses, engine.timeout_ms, self._phrases(filled), meaning,
            stand_in if engine.folder else None,
        )  # fmt: skip

    def _phrases(self, grammar: Grammar) -> tuple[str, ...]:
        """The phrase list of a grammar, written once."""
        key = msgspec.msgpack.encode(grammar)
        if key not in self._lists:
            while len(self._lists) >= phrase_lists_max:
                del self._lists[next(iter(self._lists))]
            self._lists[key] = phrase_list.phrases(grammar)
        return self._lists[key]

    async def close(self) -> None:
        """Ask nobody any more."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        if self._remotes is not None:
            await self._remotes.close()
