"""A recogniser process: the sound of many callers in, what they said out. Runs niced, with one socket as its stdin.

One event loop does it all: a frame costs tens of microseconds. What may take longer, compiling a grammar and waiting
for a remote recogniser, is a thread's or a task's, and its caller's frames wait. When the engine's end of the socket
closes, the process ends.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import socket
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec

from engine import jit
from engine.errors import SpeechError
from engine.runtime import recognizer_wire as wire
from engine.runtime import second_opinion
from engine.runtime.hearers import Hearers
from engine.runtime.kept_sound import KeptSound, SoundShelf
from engine.runtime.niceness import step_back
from engine.runtime.one_utterance import Endpoint, OneUtterance
from engine.speech.endpointing import Endpointer, warm
from engine.speech.grammar import Grammar
from engine.speech.ports import RATE_HZ, Listening

niceness = 10
VAD_MODE = 3  # the one that is hardest to persuade
CALLS_MAX = 1_024  # whose lines are remembered
MakeEndpoint = Callable[[Listening, Endpoint | None], Endpoint]


class Child(asyncio.Protocol):
    """The engine's orders, carried out."""

    def __init__(self, hearers: Hearers, endpoint: MakeEndpoint, began_s: float) -> None:
        self.ended = asyncio.Event()
        self._hearers, self._endpoint = hearers, endpoint
        self._began_s = began_s
        self._reader = wire.Reader(to_child=True)
        self._grammars: dict[str, Grammar] = {}
        self._utterances: dict[int, OneUtterance] = {}  # by the listening's number, as frames name it
        self._lines: dict[int, Endpoint] = {}  # by call: what was learnt of it last
        self._tasks: dict[asyncio.Task[None], None] = {}
        self._transport: Any = None
        self._frames = self._decoded = 0
        self._shelf = SoundShelf(lambda path, why: self._say(wire.Unkept(path, why)))

    # --- the socket
    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._say(wire.Ready(round((time.monotonic() - self._began_s) * 1000)))

    def data_received(self, data: bytes) -> None:
        for message in self._reader.feed(data):
            match message:
                case wire.Learn():
                    self._learn(message)
                case wire.Listen():
                    self._listen(message)
                case wire.Leave():
                    self._leave(message.number)
                case wire.Ping():
                    cpu_ms = time.process_time_ns() // 1_000_000
                    self._say(wire.Pong(message.number, cpu_ms, self._frames, self._decoded))
                case _:
                    self._sound(message)  # type: ignore[arg-type]

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended.set()

    def _say(self, message: wire.FromChild) -> None:
        if not self._transport.is_closing():
            self._transport.write(wire.words(message))

    # --- orders
    def _learn(self, order: wire.Learn) -> None:
        self._grammars[order.key] = order.grammar
        if order.remote:
            self._later(self._hearers.prepare_remote())
        if order.folder:
            self._later(self._ahead(order))

    async def _ahead(self, order: wire.Learn) -> None:
        """Compile it before anybody speaks."""
        try:
            await self._hearers.prepare(order.grammar, order.folder)
            self._unkept()
        except SpeechError as error:
            self._say(wire.Complaint(order.key, str(error)))

    def _listen(self, order: wire.Listen) -> None:
        number = order.number
        endpoint = self._endpoint(order.listening, self._lines.pop(order.call, None))
        if order.call:
            self._lines[order.call] = endpoint
            if len(self._lines) > CALLS_MAX:
                del self._lines[next(iter(self._lines))]
        utterance = OneUtterance(order.listening, endpoint, lambda ms: self._say(wire.Began(number, ms)))
        self._utterances[number] = utterance
        if order.keep and not order.listening.sensitive:
            utterance.sound = KeptSound(order.keep)
        try:
            grammar = self._grammars[order.listening.grammar]
            hearer = self._hearers.at_once(order.engine, grammar, order.listening, self._complain)
        except SpeechError as error:
            self._unserved(number, utterance, error)
            return
        if hearer is not None:
            utterance.serve(hearer)
        else:
            self._later(self._serve(order, utterance))

    async def _serve(self, order: wire.Listen, utterance: OneUtterance) -> None:
        """Make a recogniser for it, which takes a while."""
        try:
            grammar = self._grammars[order.listening.grammar]
            utterance.serve(await self._hearers.hearer(order.engine, grammar, order.listening))
            self._unkept()
        except SpeechError as error:
            self._unserved(order.number, utterance, error)

    def _unserved(self, number: int, utterance: OneUtterance, error: SpeechError) -> None:
        self._complain(str(error))
        failed = utterance.fail(str(error))
        if self._utterances.pop(number, None) is not None:  # else it is over already, and concludes so
            self._say(wire.Done(number, failed))

    def _unkept(self) -> None:
        """Each start will compile again: worth a line, and no caller notices."""
        if self._hearers.shelf.unkept:
            self._complain(self._hearers.shelf.unkept)

    def _complain(self, text: str) -> None:
        self._say(wire.Complaint(text[:60], text))

    def _leave(self, number: int) -> None:
        utterance = self._utterances.pop(number, None)
        if utterance is not None:
            utterance.cancel()

    def _sound(self, frames: wire.Frames) -> None:
        heard, sent = frames["heard"], frames["sent"]
        places = zip(frames["token"].tolist(), frames["frame"].tolist(), frames["flags"].tolist(), strict=True)
        for at, (token, frame, flags) in enumerate(places):
            utterance = self._utterances.get(token)
            if utterance is None:
                continue
            self._frames += 1
            self._decoded += utterance.begun
            utterance.frame(frame, heard[at], sent[at], flags)
            if utterance.over:
                del self._utterances[token]
                self._later(self._conclude(token, utterance))
                if utterance.sound is not None and utterance.begun:
                    self._shelf.put(utterance.sound)

    async def _conclude(self, number: int, utterance: OneUtterance) -> None:
        began_s = time.monotonic()
        try:
            told = await utterance.conclude()
        except Exception as error:  # the caller waits: he is asked again rather than left
            self._complain(f"fault in a recogniser: {type(error).__name__}: {error}")
            told = utterance.fail(f"a fault in the recogniser: {type(error).__name__}")
        waited_ms = round((time.monotonic() - began_s) * 1000)
        self._say(wire.Done(number, msgspec.structs.replace(told, decided_ms=told.decided_ms + waited_ms)))

    def _later(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(self._guarded(work))
        self._tasks[task] = None
        task.add_done_callback(lambda ended: self._tasks.pop(ended, None))

    async def _guarded(self, work: Any) -> None:
        """A fault costs one utterance, and is told."""
        try:
            await work
        except Exception as error:
            self._complain(f"fault in a recogniser: {type(error).__name__}: {error}")


def endpointing() -> MakeEndpoint:
    """The engine's own, its kernels compiled before anybody waits for them. What the one before has learnt of a call's
    line goes on with the next, as does the detector of voices. The second opinion, where installed, is one for all."""
    jit.load_lean()
    webrtcvad: Any = importlib.import_module("webrtcvad")
    opinion = second_opinion.load()

    def make(listening: Listening, before: Endpoint | None) -> Endpoint:
        if isinstance(before, Endpointer):
            return Endpointer(listening, before.detector, opinion, before)
        return Endpointer(listening, partial(webrtcvad.Vad(VAD_MODE).is_speech, sample_rate=RATE_HZ), opinion)

    warm()
    return make


async def serve(began_s: float, endpoint: MakeEndpoint) -> None:
    """Until the engine closes its end."""
    loop = asyncio.get_running_loop()
    hearers = Hearers()
    await loop.run_in_executor(None, hearers.warm)
    child = Child(hearers, endpoint, began_s)
    await loop.connect_accepted_socket(lambda: child, socket.socket(fileno=os.dup(0)))
    await child.ended.wait()


def main(endpoint: Callable[[], MakeEndpoint] = endpointing) -> int:
    """Status 1, with a sentence on stderr, when there can be no recognising here."""
    began_s = time.monotonic()
    step_back(niceness)
    try:
        asyncio.run(serve(began_s, endpoint()))
    except SpeechError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    status = main()
    sys.stderr.flush()
    os._exit(status)  # threads that still compile have nobody to compile for
