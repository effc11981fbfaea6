"""Words that nobody has recorded, spoken in a child process while calls go on.

The child starts with the first words and stays. One that hangs or dies is replaced: whoever waited is told so, and
nobody else notices.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import msgspec

from engine.dialplan.voice_model import VoiceModel
from engine.errors import SiteError, SpeechError
from engine.runtime import synthesizers
from engine.runtime.speaking_child import LENGTH_BYTES, Order, Said, packed
from engine.runtime.wav import RATE, header

ORDERS_MAX = 32  # more are refused: they could not be spoken in time
KEPT_BYTES_MAX = 8_000_000
answer_s_max = synthesizers.speak_s_max + 5.0
_PROGRAM = (sys.executable, "-m", "engine.runtime.speaking_child")

Key = tuple[str, str, VoiceModel | None]


class Speaking:
    """`await say(…)` and `await close()`, from one event loop. What was said lately is kept in memory and nowhere else,
    since callers may have said it."""

    def __init__(self, program: tuple[str, ...] = _PROGRAM) -> None:
        self._program = program
        self._child: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._serial = 0
        self._asked: dict[int, asyncio.Future[bytes]] = {}
        self._under_way: dict[Key, asyncio.Task[bytes]] = {}
        self._kept: dict[Key, bytes] = {}
        self._kept_bytes = 0

    async def say(self, text: str, language: str, voice: VoiceModel | None = None, *, keep: bool = True) -> bytes:
        """16-bit samples at 8 kHz (little-endian). `keep` False: forgotten at once. Raises SpeechError in words."""
        key = (text, language, voice)
        if (kept := self._kept.get(key)) is not None:
            return kept
        task = self._under_way.get(key)
        if task is None:
            if len(self._under_way) >= ORDERS_MAX:
                raise SpeechError(f"{ORDERS_MAX} texts are being spoken already")
            task = self._under_way[key] = asyncio.get_running_loop().create_task(self._say(*key))
            task.add_done_callback(lambda done: self._said(key, done, keep=keep))
        return await asyncio.shield(task)  # one caller's time being over is not the others'

    def _said(self, key: Key, task: asyncio.Task[bytes], *, keep: bool) -> None:
        self._under_way.pop(key, None)
        if task.cancelled() or task.exception() is not None or not keep:
            return
        sound = task.result()
        while self._kept and self._kept_bytes + len(sound) > KEPT_BYTES_MAX:
            self._kept_bytes -= len(self._kept.pop(next(iter(self._kept))))
        if len(sound) <= KEPT_BYTES_MAX:
            self._kept[key] = sound
            self._kept_bytes += len(sound)

    async def _say(self, text: str, language: str, voice: VoiceModel | None) -> bytes:
        child = await self._started()
        self._serial += 1
        serial = self._serial
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._asked[serial] = answer
        try:
            assert child.stdin is not None
            child.stdin.write(packed(Order(serial, text, language, voice)))
            async with asyncio.timeout(answer_s_max):
                return await answer
        except TimeoutError:
            if self._child is child:
                await self._end()
            raise SpeechError(f"the words were not spoken within {answer_s_max:.0f} s") from None
        finally:
            self._asked.pop(serial, None)

    async def _started(self) -> asyncio.subprocess.Process:
        async with self._starting:
            if self._child is None or self._child.returncode is not None:
                pipe = asyncio.subprocess.PIPE
                try:
                    self._child = await asyncio.create_subprocess_exec(*self._program, stdin=pipe, stdout=pipe)
                except OSError as error:
                    raise SpeechError(f"no process to speak in: {error.strerror}") from error
                self._reader = asyncio.get_running_loop().create_task(self._read(self._child))
            return self._child

    async def _read(self, child: asyncio.subprocess.Process) -> None:
        """Answers until the child is gone; then whoever waits is told."""
        assert child.stdout is not None
        try:
            while True:
                length = int.from_bytes(await child.stdout.readexactly(LENGTH_BYTES), "big")
                said = msgspec.msgpack.decode(await child.stdout.readexactly(length), type=Said)
                answer = self._asked.get(said.serial)
                if answer is None or answer.done():
                    continue
                if said.error:
                    answer.set_exception(SpeechError(said.error))
                else:
                    answer.set_result(said.sound)
        except (asyncio.IncompleteReadError, OSError, msgspec.MsgspecError):
            if self._child is child:
                self._child = None
                for answer in self._asked.values():
                    if not answer.done():
                        answer.set_exception(SpeechError("the process that speaks ended; the next words start another"))

    async def _end(self) -> None:
        child, reader = self._child, self._reader
        self._child = self._reader = None
        if child is not None and child.returncode is None:
            child.kill()
            await child.wait()
        if reader is not None:
            await asyncio.gather(reader, return_exceptions=True)

    async def close(self) -> None:
        """Give up what is under way; nobody is told any more."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._end()


async def speak(text: str, language: str, path: Path, voice: VoiceModel | None = None) -> None:
    """Write `text` to `path` as a WAV file. Raises SiteError, with the remedy, when it can't be spoken here."""
    one = Speaking()
    try:
        sound = await one.say(text, language, voice)
        await asyncio.to_thread(path.write_bytes, header(1, 1, 16, RATE, len(sound)) + sound)
    except SpeechError as error:
        raise SiteError(f"{error}; or give a --recording instead") from error
    finally:
        await one.close()
