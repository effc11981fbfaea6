"""Words that only a call knows, as a clip of that call: spoken by the child process, answered in the wish's time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import numpy as np

from engine.call.effects import SoundDone, SpeakWanted
from engine.errors import LimitExceeded, SpeechError
from engine.runtime.files import Files, law_pair
from engine.runtime.speaking import Speaking
from engine.runtime.wav import RATE


class CallWords:
    """`ask` for words; `deliver` gets one SoundDone for each, from the loop and never from within `ask`."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, deliver: Callable[[SoundDone], None], files: Files,
        speaking: Speaking | None = None,
    ) -> None:
        self._loop = loop
        self._deliver = deliver
        self._files = files
        self._speaking = speaking or Speaking()
        self._asking: dict[asyncio.Task[None], None] = {}

    def ask(self, wanted: SpeakWanted) -> None:
        """Have it spoken; what comes too late serves the next who wants the same words."""
        self._files.claim(wanted.clip, wanted.serial)
        task = self._loop.create_task(self._answer(wanted, self._loop.time()))
        self._asking[task] = None
        task.add_done_callback(lambda done: self._asking.pop(done, None))

    async def _answer(self, wanted: SpeakWanted, began: float) -> None:
        detail, length_ms = "", 0
        try:
            async with asyncio.timeout(wanted.wait_ms / 1_000):
                sound = await self._speaking.say(wanted.text, wanted.language, wanted.voice, keep=not wanted.secret)
                both = await self._loop.run_in_executor(None, law_pair, np.frombuffer(sound, "<i2"))
            length_ms = len(both[0]) * 1_000 // RATE
            if not self._files.put(wanted.clip, wanted.serial, both):
                detail = "nobody waits for it any more"
        except TimeoutError:
            detail = f"not spoken within {wanted.wait_ms} ms"
        except (SpeechError, LimitExceeded) as problem:
            detail = str(problem)
        took = round((self._loop.time() - began) * 1_000)
        self._deliver(SoundDone(wanted.call, wanted.ticket, 0 if detail else length_ms, detail, took))

    async def close(self) -> None:
        """Give up what is under way; nobody is told any more."""
        for task in list(self._asking):
            task.cancel()
        await asyncio.gather(*self._asking, return_exceptions=True)
        await self._speaking.close()
