"""Recordings on disk: one thread appends what the taps yield, so the event loop never waits for a disk."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue

from engine.media.commands import TapEnded
from engine.runtime.recording_quota import Shelves
from engine.runtime.wav import HEADER_BYTES, RATE, WavWriter

_FRAME_MS = 20


class Recording:
    """A running recording, known to the plane by its tap slot."""

    def __init__(self, row: int, generation: int, tap: int, name: str) -> None:
        self.row, self.generation, self.tap, self.name = row, generation, tap, name
        self.goes_on = False  # the file exists: a process before us began it
        self.writer: WavWriter | None = None  # the writing thread's own
        self.detail = ""


class Recordings:
    """Writes each recording below `folder`. `announce` is called in the writing thread when one has ended."""

    def __init__(self, folder: Path, announce: Callable[[], None]) -> None:
        self._folder = folder
        self._announce = announce
        self._work: SimpleQueue[tuple[Recording | None, bytes, bool]] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._writing: dict[str, None] = {}
        self.shelves = Shelves(folder)
        self.ended: deque[TapEnded] = deque()

    def append(self, recording: Recording, interleaved: bytes, last: bool) -> None:
        """Queue 16-bit stereo frames; `last` closes the file and puts TapEnded into `ended`."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="recordings", daemon=True)
            self._thread.start()
        self._work.put((recording, interleaved, last))

    def stop(self) -> None:
        """Write what is queued, then end the thread. Files left open are valid: their headers are right already."""
        if self._thread is not None:
            self._work.put((None, b"", True))
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        while True:
            recording, interleaved, last = self._work.get()
            if recording is None:
                return
            self._write(recording, interleaved)
            if last:
                self._finish(recording)

    def _write(self, recording: Recording, interleaved: bytes) -> None:
        if recording.detail:
            return
        try:
            size = len(interleaved) + (HEADER_BYTES if recording.writer is None else 0)
            full = self.shelves.grows(recording.name, size, tuple(self._writing))
            if full:
                raise OSError(full)
            if recording.writer is None:
                path = (self._folder / recording.name).resolve()
                if not path.is_relative_to(self._folder.resolve()):
                    raise OSError(f"{recording.name} lies outside the data folder")
                recording.writer = WavWriter(path, go_on=recording.goes_on)
                self._writing[recording.name] = None
            if interleaved:
                recording.writer.append(interleaved)
        except OSError as error:
            recording.detail = str(error)

    def _finish(self, recording: Recording) -> None:
        frames = 0
        self._writing.pop(recording.name, None)
        if recording.writer is not None:
            frames = recording.writer.frames
            try:
                recording.writer.close()
            except OSError as error:
                recording.detail = recording.detail or str(error)
        ended = TapEnded(
            recording.row, recording.generation, recording.tap, recording.name, frames * 1_000 // RATE,
            recording.detail,
        )
        self.ended.append(ended)
        self._announce()
