"""One listening in a recogniser child: frames in; when speech begins, when it has ended, and what was said, out.

Time is the frames' own count, so that a file is heard exactly as a call is. When speech begins and ends is
`speech.endpointing`'s to say; what has been understood so far is told to it, since that says how long to wait.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

import numpy as np

from engine.errors import SpeechError
from engine.media.ears import KEY, PLAYING, SILENT
from engine.runtime.kept_sound import KeptSound
from engine.speech import endpointing, ports
from engine.speech.endpointing import Step
from engine.speech.ports import (
    FAILED,
    FRAME_SAMPLES,
    MATCH,
    NO_MATCH,
    Heard,
    Listening,
    Partial,
    Samples,
    Utterance,
)

LATE_FRAMES_MAX = 1_000  # kept while a recogniser gets ready: 20 s, more than any utterance is long
GAP_FRAMES_MAX = 250  # of lost frames are made up for by silence
HEARER_S_MAX = 3.0  # for a grammar that has to be compiled first
_SILENCE = np.zeros(FRAME_SAMPLES, np.int16)


class Endpoint(Protocol):
    """`speech.endpointing.Endpointer`, as far as an utterance needs it."""

    speech_start_ms: int
    speech_end_ms: int
    barged_in: bool
    gates: endpointing.Gates

    @property
    def now_ms(self) -> int: ...

    def understood(self, *, complete: bool, continues: bool) -> None: ...

    def hear(self, said: Samples, sent: Samples, *, playing: bool, key: bool, silent: bool) -> Step: ...


class Hearer(Protocol):
    """A recogniser as an utterance uses it: `speech.ports.Recognizer`, of which the end may be waited for."""

    name: str

    def feed(self, frame: Samples) -> Partial | None:
        """One frame; a Partial when there is news."""

    async def result(self) -> tuple[Heard, ...]:
        """The readings, best first. Raises SpeechError when there is none because of the recogniser."""

    def cancel(self) -> None:
        """Forget the utterance."""


class OneUtterance:
    """Feed frames until `over`; then `await conclude()`."""

    def __init__(self, listening: Listening, endpoint: Endpoint, began: Callable[[int], None]) -> None:
        """`began(ms)`: speech was noticed, and began so long ago."""
        self.listening = listening
        self.endpoint = endpoint
        self._tell_began = began
        self._hearer: Hearer | None = None
        self._waiting: deque[Samples] = deque(maxlen=LATE_FRAMES_MAX)  # for a hearer
        self._frames = 0
        self._served = asyncio.Event()  # there is a hearer, or there will be none
        self._cancelled = False
        self._problem = ""
        self._too_long = False
        self.sound: KeptSound | None = None  # of what comes in, where it is kept
        self.over = False  # what follows is no part of it

    @property
    def begun(self) -> bool:
        """Somebody speaks."""
        return self.endpoint.speech_start_ms >= 0

    def serve(self, hearer: Hearer) -> None:
        """This is the recogniser. Frames that came before it go to it first."""
        if self._cancelled:
            hearer.cancel()
            return
        self._hearer = hearer
        self._served.set()
        while self._waiting:
            self._give(self._waiting.popleft())

    def frame(self, number: int, heard: Samples, sent: Samples, flags: int = 0) -> None:
        """The next frame of the ear, and its place: what was lost before it is silence. `flags`: `media.ears`'s."""
        if number > self._frames:
            for _ in range(min(number - self._frames, GAP_FRAMES_MAX)):
                self._one(_SILENCE, _SILENCE, SILENT)
            self._frames = number
        self._frames += 1
        self._one(heard, sent, flags)

    def _one(self, heard: Samples, sent: Samples, flags: int) -> None:
        if self.over:
            return
        if self.sound is not None:
            self.sound.hear(heard, begun=self.begun)
        step = self.endpoint.hear(
            heard, sent, playing=bool(flags & PLAYING), key=bool(flags & KEY), silent=bool(flags & SILENT)
        )
        if step is endpointing.NOTHING:  # nearly always
            return
        if step.started:
            self._tell_began(self.endpoint.now_ms - self.endpoint.speech_start_ms)
        for frame in step.feed:
            self._give(frame)
        if step.ended:
            self.over, self._too_long = True, step.ended == endpointing.TOO_LONG

    def _give(self, frame: Samples) -> None:
        if self._hearer is None:
            self._waiting.append(frame)
            return
        if self._problem:
            return
        try:
            news = self._hearer.feed(frame)
        except SpeechError as error:
            self._problem, self.over = str(error), True
            return
        if news is not None:
            self.endpoint.understood(complete=news.complete, continues=news.continues)

    def fail(self, why: str) -> Utterance:
        """There will be no recogniser."""
        self._problem = self._problem or why
        self._served.set()
        return self._utterance(FAILED, ())

    async def conclude(self) -> Utterance:
        """What came of it, once it is over."""
        if self._hearer is None and not self._problem:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._served.wait(), HEARER_S_MAX)
        if self._hearer is None or self._problem:
            return self.fail("no recogniser was ready in time")
        try:
            readings = await self._hearer.result()
        except SpeechError as error:
            return self.fail(str(error))
        sure = bool(readings) and readings[0].confidence >= self.listening.threshold
        return self._utterance(ports.TOO_LONG if self._too_long else MATCH if sure else NO_MATCH, readings)

    def cancel(self) -> None:
        """Nobody wants to know any more."""
        self.over = self._cancelled = True
        if self._hearer is not None:
            self._hearer.cancel()

    def _utterance(self, result: str, readings: tuple[Heard, ...]) -> Utterance:
        endpoint = self.endpoint
        return Utterance(
            result, readings, endpoint.speech_start_ms, endpoint.speech_end_ms, endpoint.now_ms, endpoint.barged_in,
            self._hearer.name if self._hearer is not None else "", self._problem,
        )  # fmt: skip
