"""The recogniser children: who listens to what, and what becomes of it when one of them dies or hangs.

A child is given sound without waiting: what its socket doesn't take is dropped and counted, never kept. One that is ill
(`child_health`) is killed, and another one takes its place. Everybody it listened to is told `failed`, which costs
these callers one more prompt, and nobody else anything.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from engine.errors import SpeechError
from engine.runtime import child_health
from engine.runtime import recognizer_wire as wire
from engine.speech.grammar import Grammar
from engine.speech.ports import FAILED, Listening, Utterance

if TYPE_CHECKING:
    from engine.runtime.log import Log

MODULE = "engine.runtime.recognizer_child"
ping_s = 1.0
calm_s = 30.0  # a child that lived that long may be replaced at once
pause_s_first, pause_s_max = 0.5, 30.0
socket_bytes = 1 << 20  # two seconds of sound of seventy callers
close_s_max = 2.0
orders_bytes_max = 32_000_000  # that wait for a child which takes nothing; then it is as good as hung
_SUMMED = ("cpu_ms", "frames", "decoded")  # of Pong, over all children
_LIBRARY_WARNS = b"WARNING (VoskAPI"  # of lattices that it cut short: no last words of a child that dies


class Figures(msgspec.Struct):
    """What the children have done since the engine began, those that have ended included; what they are now:
    `children` wanted and ready, callers `listening`, memory; `ready_ms`: how long the last one took to stand."""

    children: int = 0
    listening: int = 0
    memory_bytes: int = 0
    ready_ms: int = 0
    listened: int = 0
    failed: int = 0
    frames_dropped: int = 0
    children_lost: int = 0
    children_ready: int = 0
    cpu_ms: int = 0
    frames: int = 0
    decoded: int = 0


class _Child:
    """One process and our end of its socket."""

    def __init__(self, place: int) -> None:
        self.place = place
        self.socket: socket.socket | None = None
        self.process: asyncio.subprocess.Process | None = None
        self.reader = wire.Reader(to_child=False)
        self.ready = False
        self.began_s = 0.0
        self.heard_s = 0.0  # when it last answered
        self.lost_in_a_row = 0
        self.learned: dict[tuple[str, str], None] = {}
        self.numbers: dict[int, None] = {}
        self.waiting = bytearray()  # what the socket hasn't taken yet: the rest of a message, and orders
        self.writing = False
        self.last = wire.Pong(0)
        self.cpu_s = 0.0  # what it had used when it was last seen to have answered
        self.memory_bytes = 0
        self.said = ""  # its last line on stderr


class Pool:
    """`listen`, `sound`, `leave`; `began` and `done` are called on the event loop, once each at most."""

    def __init__(
        self, log: Log, began: Callable[[int, int], None], done: Callable[[int, Utterance], None], *, size: int = 2,
        module: str = MODULE,
    ) -> None:
        self.log = log
        self._tell_began, self._tell_done = began, done
        self.tell_unkept: Callable[[str, str], None] = lambda path, why: None
        self._module = module
        self._children = [_Child(place) for place in range(size)]
        self._of: dict[int, _Child] = {}
        self._grammars: dict[str, Grammar] = {}
        self._early: list[tuple[str, str]] = []  # what a child that starts shall learn at once: (grammar, folder)
        self._remote = False
        self._tasks: dict[asyncio.Task[None], None] = {}
        self._watching: asyncio.Task[None] | None = None
        self._running = False
        self._pinged = 0
        self._ended = Figures()  # of the children that are gone
        self._figures = Figures(children=size)

    @property
    def figures(self) -> Figures:
        """How it stands."""
        self._figures.listening = len(self._of)
        return self._figures

    # --- life
    def start(self) -> None:
        """Start the children; they are listening as soon as this returns, and answer once they stand."""
        if self._running:
            return
        self._running = True
        for child in self._children:
            self._spawn(child)
        self._watching = asyncio.get_running_loop().create_task(self._watch())

    def _later(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks[task] = None
        task.add_done_callback(lambda ended: self._tasks.pop(ended, None))

    def _spawn(self, child: _Child) -> None:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, socket_bytes)
        child.socket, child.reader = ours, wire.Reader(to_child=False)
        child.ready, child.process, child.said = False, None, ""
        child.learned.clear()
        child.waiting.clear()
        child.began_s = child.heard_s = _now_s()
        child.cpu_s, child.memory_bytes, child.last = 0.0, 0, wire.Pong(0)
        asyncio.get_running_loop().add_reader(ours, self._readable, child)
        for key, folder in self._early:
            self._teach(child, key, folder)
        self._later(self._run(child, ours, theirs))

    async def _run(self, child: _Child, ours: socket.socket, theirs: socket.socket) -> None:
        """One process from its start to its end."""
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", self._module, stdin=theirs.fileno(), stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE, cwd="/", start_new_session=True,
                env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1",
                                  "OPENBLAS_NUM_THREADS": "1"},
            )  # fmt: skip
        except OSError as error:
            child.said = str(error)
            if child.socket is ours:
                self._lost(child, "can't be started")
            return
        finally:
            theirs.close()
        if child.socket is ours:
            child.process = process
        else:  # given up while it was being made
            _kill(process)
        assert process.stderr is not None
        with suppress(ValueError):  # a line without end
            while line := await process.stderr.readline():
                if child.process is process and not line.startswith(_LIBRARY_WARNS):
                    child.said = line.decode("utf-8", "replace").strip()[:300] or child.said
        status = await process.wait()
        if child.process is process:
            self._lost(child, f"ended with {status}")

    def _lost(self, child: _Child, why: str) -> None:
        """A child is gone: tell its listeners, and start another, at once or after a while."""
        child.process, child.ready = None, False
        for name in _SUMMED:
            setattr(self._ended, name, getattr(self._ended, name) + getattr(child.last, name))
        child.last, child.memory_bytes = wire.Pong(0), 0
        self._sum()
        if child.socket is not None:
            asyncio.get_running_loop().remove_reader(child.socket)
            asyncio.get_running_loop().remove_writer(child.socket)
            child.writing = False
            child.socket.close()
            child.socket = None
        if not self._running:
            return
        self._figures.children_lost += 1
        child.lost_in_a_row = 0 if _now_s() - child.began_s > calm_s else child.lost_in_a_row + 1
        told = f"recogniser {child.place} {why}{f' ({child.said})' if child.said else ''}"
        numbers, child.numbers = list(child.numbers), {}
        self.log.warning(f"{told}; {len(numbers)} callers are asked again", "recogniser")
        for number in numbers:
            self._finish(number, Utterance(FAILED, detail=told))
        # the first one that dies after a calm while is replaced at once
        pause_s = min(pause_s_max, pause_s_first * 2 ** (child.lost_in_a_row - 2)) if child.lost_in_a_row > 1 else 0.0
        asyncio.get_running_loop().call_later(pause_s, self._again, child)

    def _again(self, child: _Child) -> None:
        if self._running and child.socket is None:
            self._spawn(child)

    async def _watch(self) -> None:
        """Every second: is each child well?"""
        while self._running:
            await asyncio.sleep(ping_s)
            now_s = _now_s()
            self._pinged += 1
            for child in self._children:
                if child.socket is None:
                    continue
                why = self._examine(child, now_s)
                if why:
                    self._give_up(child, why)
                elif child.ready:
                    self._write(child, wire.words(wire.Ping(self._pinged)))
            self._sum()

    def _examine(self, child: _Child, now_s: float) -> str:
        """What a child suffers from, '' from nothing."""
        if len(child.waiting) > orders_bytes_max:
            return "takes no orders"
        seen = child_health.vitals(child.process.pid) if child.process is not None else None
        silent_s = now_s - child.heard_s
        if seen is not None:
            child.memory_bytes = seen.memory_bytes
            if silent_s < 2 * ping_s:  # the last ping was answered
                child.cpu_s = seen.cpu_s
        busy_s = seen.cpu_s - child.cpu_s if seen is not None else 0.0
        return child_health.ailment(seen, ready=child.ready, silent_s=silent_s, busy_s=busy_s)

    def _give_up(self, child: _Child, why: str) -> None:
        child.said = ""
        if child.process is not None:
            _kill(child.process)
            process, child.process = child.process, None
            self._later(_reap(process))
        self._lost(child, why)

    async def close(self) -> None:
        """End the children; nobody is told any more."""
        self._running = False
        self._of.clear()
        for child in self._children:
            child.numbers.clear()
            if child.socket is not None:
                asyncio.get_running_loop().remove_reader(child.socket)
                asyncio.get_running_loop().remove_writer(child.socket)
                child.socket.close()  # the child ends itself
                child.socket = None
            if child.process is not None:
                _kill(child.process)
        if self._watching is not None:
            self._watching.cancel()
        if self._tasks:  # each ends with its process
            await asyncio.wait(self._tasks, timeout=close_s_max)

    # --- listening
    def learn(self, grammars: dict[str, Grammar], early: list[tuple[str, str]], remote: bool = False) -> None:
        """The grammars of a site, by key; `early`: which of them to make ready with which model folder ahead; `remote`:
        whether recognisers elsewhere are to be asked, too."""
        self._remote = remote
        self._grammars = dict(grammars)
        self._early = list(early)
        for child in self._children:
            if child.socket is not None:
                for key, folder in early:
                    self._teach(child, key, folder)

    def _teach(self, child: _Child, key: str, folder: str) -> None:
        if (key, folder) not in child.learned and key in self._grammars:
            child.learned[key, folder] = None
            self._write(child, wire.words(wire.Learn(key, self._grammars[key], folder, self._remote)))

    def listen(self, number: int, listening: Listening, engine: wire.Engine, call: int = 0, keep: str = "") -> None:
        """Sound of `number` will follow; all of a `call` go to one child, which knows its line by then. `keep`:
        the path of a file for its sound. Without a child, or without such a grammar, it has failed already."""
        self._figures.listened += 1
        alive = [child for child in self._children if child.socket is not None]
        if listening.grammar not in self._grammars or not alive:
            why = "no recogniser runs" if not alive else "the site has no such grammar (any more)"
            asyncio.get_running_loop().call_soon(self._refuse, number, why)
            return
        child = min(alive, key=lambda each: (not each.ready, len(each.numbers), each.place))
        if call and alive[call % len(alive)].ready:
            child = alive[call % len(alive)]
        child.numbers[number] = None
        self._of[number] = child
        self._teach(child, listening.grammar, engine.folder)
        self._write(child, wire.words(wire.Listen(number, listening, engine, call, keep)))

    def _refuse(self, number: int, why: str) -> None:
        self._figures.failed += 1
        self._tell_done(number, Utterance(FAILED, detail=why))

    def leave(self, number: int) -> None:
        """Nobody waits for it any more."""
        child = self._of.pop(number, None)
        if child is not None:
            child.numbers.pop(number, None)
            self._write(child, wire.words(wire.Leave(number)))

    def sound(self, frames: wire.Frames) -> None:
        """Frames of any ears (an array of `wire.FRAME`), each to who listens to it."""
        for child in self._children:
            if child.socket is None or not child.numbers:
                continue
            mine = frames[np.isin(frames["token"], list(child.numbers))] if len(self._children) > 1 else frames
            if not len(mine):
                continue
            if child.waiting:
                self._figures.frames_dropped += len(mine)
                continue
            self._write(child, wire.sound(mine))

    # --- the sockets
    def _write(self, child: _Child, data: bytes) -> None:
        if child.socket is None:
            return
        if child.waiting:
            child.waiting += data
            return
        try:
            sent = child.socket.send(data)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError:
            return  # its end is being noticed elsewhere
        if sent < len(data):
            child.waiting += data[sent:]
            if not child.writing:
                child.writing = True
                asyncio.get_running_loop().add_writer(child.socket, self._writable, child)

    def _writable(self, child: _Child) -> None:
        if child.socket is None:
            return
        with suppress(OSError):
            sent = child.socket.send(child.waiting)
            del child.waiting[:sent]
        if not child.waiting:
            child.writing = False
            asyncio.get_running_loop().remove_writer(child.socket)

    def _readable(self, child: _Child) -> None:
        assert child.socket is not None
        try:
            data = child.socket.recv(1 << 18)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data:  # the process is ending; `_run` learns why
            asyncio.get_running_loop().remove_reader(child.socket)
            return
        try:
            for message in child.reader.feed(data):
                self._take(child, message)
        except SpeechError as error:
            child.said = str(error)
            if child.process is not None:
                _kill(child.process)

    def _take(self, child: _Child, message: Any) -> None:
        child.heard_s = _now_s()
        match message:
            case wire.Ready():
                child.ready = True
                self._figures.ready_ms = round((child.heard_s - child.began_s) * 1000)
                self._sum()
            case wire.Pong():
                child.last = message
            case wire.Began():
                if message.number in child.numbers:
                    self._tell_began(message.number, message.ms)
            case wire.Done():
                if message.number in child.numbers:
                    del child.numbers[message.number]
                    self._finish(message.number, message.utterance)
            case wire.Unkept():
                self.tell_unkept(message.path, message.detail)
            case wire.Complaint():
                self.log.warning(message.text, f"recogniser {message.key}")

    def _sum(self) -> None:
        figures = self._figures
        figures.children_ready = sum(each.ready for each in self._children)
        figures.memory_bytes = sum(each.memory_bytes for each in self._children)
        for name in _SUMMED:
            lives = sum(getattr(each.last, name) for each in self._children)
            setattr(figures, name, getattr(self._ended, name) + lives)

    def _finish(self, number: int, utterance: Utterance) -> None:
        self._of.pop(number, None)
        self._figures.failed += utterance.result == FAILED
        self._tell_done(number, utterance)


def _now_s() -> float:
    return asyncio.get_running_loop().time()


def _kill(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGKILL)


async def _reap(process: asyncio.subprocess.Process) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), 2.0)
