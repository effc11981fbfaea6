"""Ears as the event loop has them: numbers given out, frames drained for each user with one kernel call.

A user (the recognisers, the streams) has a `Hearing`: its ears, drained together every 20 ms or so. An ear's number is
given out again only when the media thread has let go of it and its last frames are drained.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

import msgspec
import numpy as np
import numpy.typing as npt

from engine.media import columns as c
from engine.media import commands as m
from engine.media import ears

_HEADER = struct.Struct(ears.HEADER)
Frames = npt.NDArray[np.int16]


class Frame(msgspec.Struct, frozen=True):
    """20 ms of a leg. `at_us`: when it was complete, on the monotonic clock; `number` counts from 0 since the ear was
    started; `dropped`: frames of it so far that found the ring full; `missing`: samples that never came; the flags are
    `media.ears`'s SILENT, KEY, PLAYING, LOST. Samples: int16[160], views of what was drained."""

    ear: int
    flags: int
    token: int
    at_us: int
    number: int
    dropped: int
    missing: int
    said: Frames
    sent: Frames


def read_frame(row: Frames) -> Frame:
    """One row of `Hearing.drain`, taken apart."""
    ear, flags, token, at_us, number, dropped, missing = _HEADER.unpack(row[: c.EAR_HEADER].tobytes())
    said = row[c.EAR_HEADER : c.EAR_HEADER + c.EAR_FRAME]
    sent = row[c.EAR_HEADER + c.EAR_FRAME :]
    return Frame(ear, flags, token, at_us, number, dropped, missing, said, sent)


class Hearing:
    """One user's ears. `on_end(ear)` is called by `drain` when an ear's last frame has been drained."""

    def __init__(self, ears_of_plane: Ears, on_end: Callable[[int], None], frames_max: int) -> None:
        self._all = ears_of_plane
        self._on_end = on_end
        self._target = np.zeros((frames_max, c.EAR_WORDS), np.int16)
        self._numbers = np.zeros(c.EAR_COUNT, np.int64)
        self._legs: dict[int, tuple[int, int]] = {}
        self._ended: list[int] = []

    def __len__(self) -> int:
        return len(self._legs)

    def start(self, row: int, generation: int, token: int = 0) -> int:
        """Listen to a leg; its ear's number, or -1 when all are in use. A leg that is gone ends at the next drain."""
        ear = self._all.take(self)
        if ear >= 0:
            self._legs[ear] = (row, generation)
            self._renumber()
            self._all.command(m.StartEar(row, generation, ear, token))
        return ear

    def stop(self, ear: int) -> None:
        """Frames already told still come; then `on_end`."""
        leg = self._legs.get(ear)
        if leg is not None:
            self._all.command(m.StopEar(*leg, ear))

    def drain(self) -> Frames:
        """What was heard since the last call: int16[frames, EAR_WORDS], ear by ear, each ear's in order.

        A view that the next call overwrites. At most `frames_max` rows; more stay for the next call.
        """
        plane = self._all.plane
        count = ears.drain(plane.ear_frames, plane.ear_shared, self._numbers, len(self._legs), self._target)
        if self._ended and count < self._target.shape[0]:
            ended, self._ended = self._ended, []
            for ear in ended:
                del self._legs[ear]
                self._all.give_back(ear)
            self._renumber()
            for ear in ended:
                self._on_end(ear)
        return self._target[:count]

    def ended(self, ear: int) -> None:
        """The media thread has let go of it."""
        self._ended.append(ear)

    def _renumber(self) -> None:
        self._numbers[: len(self._legs)] = list(self._legs)


class Ears:
    """All ears of a plane."""

    def __init__(self, plane: c.Plane, command: Callable[[m.Wiring], None]) -> None:
        self.plane = plane
        self.command = command
        self._free = list(range(c.EAR_COUNT - 1, -1, -1))
        self._users: dict[int, Hearing] = {}

    def hearing(self, on_end: Callable[[int], None], frames_max: int = 2 * c.EAR_COUNT) -> Hearing:
        """A place for one user's ears."""
        return Hearing(self, on_end, frames_max)

    def take(self, user: Hearing) -> int:
        """A free number, or -1."""
        if not self._free:
            return -1
        ear = self._free.pop()
        self._users[ear] = user
        return ear

    def give_back(self, ear: int) -> None:
        """Nothing of this ear is left."""
        del self._users[ear]
        self._free.append(ear)

    def ended(self, ear: int) -> None:
        """The media thread's EAR_DONE."""
        user = self._users.get(ear)
        if user is not None:
            user.ended(ear)
