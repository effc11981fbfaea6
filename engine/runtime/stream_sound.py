"""The media plane's ears and mouths as streams use them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from engine.runtime.ears import read_frame

if TYPE_CHECKING:
    from engine.runtime.ears import Frames
    from engine.runtime.mouths import Mouth
    from engine.runtime.rtp_plane import RtpPlane


class StreamSound:
    """See `streams.Sound`."""

    def __init__(self, plane: RtpPlane) -> None:
        self._mouths = plane.mouths
        self._hearing = plane.ears.hearing(lambda ear: None)

    def listen(self, row: int, generation: int) -> int:
        return self._hearing.start(row, generation)

    def deafen(self, ear: int) -> None:
        self._hearing.stop(ear)

    def speak(self, row: int, generation: int, waiting_ms_max: int) -> Mouth | None:
        return self._mouths.open(row, generation, waiting_ms_max)

    def busy(self) -> bool:
        return len(self._hearing) > 0

    def heard(self) -> Iterator[tuple[int, Frames, Frames]]:
        for row in self._hearing.drain():
            frame = read_frame(row)
            yield frame.ear, frame.said, frame.sent
