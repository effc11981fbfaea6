"""Mouths as the event loop has them: audio pushed as fast as it comes, marks told as it is said, cleared at once.

The ring of a mouth holds 2 s; what a bot sends beyond that waits here, bounded by `waiting_ms_max`. Call `step` of
each open mouth every 20 to 500 ms.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from engine.media import columns as c
from engine.media import commands as m
from engine.media import mouths

Samples = npt.NDArray[np.int16]
_SAMPLES_PER_MS = 8


class Mouth:
    """What a leg says from outside. `open` until the leg or this has ended it: then pushing does nothing more."""

    def __init__(self, owner: Mouths, number: int, row: int, generation: int, waiting_ms_max: int) -> None:
        self._owner = owner
        self._number = number
        self._leg = (row, generation)
        self._waiting_max = waiting_ms_max * _SAMPLES_PER_MS
        self._ring, self._shared = owner.plane.mouth_samples[number], owner.plane.mouth_shared[number]
        self._queue: deque[Samples] = deque()
        self._queued = 0
        self._marks: deque[tuple[int, str]] = deque()
        self.open = True
        self._first = mouths.pushed(self._shared)  # what lies before was another's
        owner.command(m.StartMouth(row, generation, number, self._first))

    def push(self, samples: Samples) -> int:
        """Say this (int16, 8 kHz) behind what was pushed before; returns how many samples were refused at the end
        because more than `waiting_ms_max` would wait."""
        room = max(0, self._waiting_max - self.waiting_ms * _SAMPLES_PER_MS)
        taken = samples[:room] if self.open else samples[:0]
        if taken.size:
            self._queue.append(np.array(taken, np.int16))
            self._queued += taken.size
            self._feed()
        return int(samples.size - taken.size)

    @property
    def waiting_ms(self) -> int:
        """How much has been pushed and not been said."""
        return (self._queued + mouths.pushed(self._shared) - self._said()) // _SAMPLES_PER_MS

    def mark(self, name: str) -> None:
        """Tell `name` by `step` once everything pushed before has been said."""
        self._marks.append((mouths.pushed(self._shared) + self._queued, name))

    def clear(self) -> list[str]:
        """Say nothing more of what was pushed; the names of the marks that will not come, in order."""
        self._queue.clear()
        self._queued = 0
        if self.open:
            self._owner.command(m.ClearMouth(*self._leg, self._number, mouths.pushed(self._shared)))
        names = [name for _, name in self._marks]
        self._marks.clear()
        return names

    def step(self) -> list[str]:
        """Top up the ring; the marks reached since the last call, in order."""
        self._feed()
        said = self._said()
        reached = []
        while self._marks and self._marks[0][0] <= said:
            reached.append(self._marks.popleft()[1])
        return reached

    def go_on(self) -> None:
        """Speak again after something else was played to the leg."""
        if self.open:
            self._owner.command(m.StartMouth(*self._leg, self._number, 0))

    def close(self) -> None:
        """Take the mouth off the leg; what wasn't said is dropped."""
        if self.open:
            self.open = False
            self._owner.command(m.StopMouth(*self._leg, self._number))

    def ended(self) -> None:
        """The media thread has let go of it."""
        self.open = False

    def _said(self) -> int:
        return max(mouths.said(self._shared), self._first)

    def _feed(self) -> None:
        while self._queue and self.open:
            part = self._queue[0]
            taken = mouths.push(self._ring, self._shared, part, 0)
            self._queued -= taken
            if taken < part.size:
                self._queue[0] = part[taken:]
                return
            self._queue.popleft()


class Mouths:
    """All mouths of a plane."""

    def __init__(self, plane: c.Plane, command: Callable[[m.Wiring], None]) -> None:
        self.plane = plane
        self.command = command
        self._free = list(range(c.MOUTH_COUNT - 1, -1, -1))
        self._mouths: dict[int, Mouth] = {}

    def open(self, row: int, generation: int, waiting_ms_max: int) -> Mouth | None:
        """A mouth on a leg; None when all are in use. A leg that is gone shuts it at once."""
        if not self._free:
            return None
        number = self._free.pop()
        self._mouths[number] = Mouth(self, number, row, generation, waiting_ms_max)
        return self._mouths[number]

    def ended(self, number: int) -> None:
        """The media thread's MOUTH_DONE: the number may be used again."""
        mouth = self._mouths.pop(number, None)
        if mouth is not None:
            mouth.ended()
            self._free.append(number)
