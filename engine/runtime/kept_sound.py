"""The sound of utterances on disk: gathered frame by frame in a recogniser child, written by a thread of it.

What is written is what came in from the line, from a second before the caller began to speak to the moment when his
words were decided about, 16-bit linear at 8 kHz. A disk that is full, slow or gone costs these files and nothing else.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from queue import Empty, Full, Queue
from typing import TYPE_CHECKING

from engine.runtime.wav import RATE, header
from engine.speech.ports import Samples

if TYPE_CHECKING:
    from engine.runtime.server import Server

BEFORE_FRAMES = 50  # of what came before he spoke: 1 s
FRAMES_MAX = 3_100  # more than an utterance may last: 62 s
waiting_max = 32  # utterances that wait for the disk; what comes on top is lost
free_bytes_min = 200_000_000  # less than that on the disk is for records and recordings
told_every_s = 60.0
_PCM, _BITS = 1, 16
Lost = Callable[[str, str], None]


class KeptSound:
    """One utterance's, for the file at `path`."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._before: deque[bytes] = deque(maxlen=BEFORE_FRAMES)
        self._said: list[bytes] = []

    def hear(self, frame: Samples, *, begun: bool) -> None:
        """The next frame that came in; `begun`: he speaks."""
        if begun and len(self._said) < FRAMES_MAX:
            self._said.append(frame.astype("<i2").tobytes())
        elif not begun:
            self._before.append(frame.astype("<i2").tobytes())

    def wav(self) -> bytes:
        """The file's content."""
        body = b"".join([*self._before, *self._said])
        return header(_PCM, 1, _BITS, RATE, len(body)) + body


class SoundShelf:
    """`put` an utterance's sound; it is on disk a little later, or `lost(path, why)` is called on the loop."""

    def __init__(self, lost: Lost) -> None:
        self._lost = lost
        self._waiting: Queue[KeptSound] = Queue(waiting_max)
        self._thread: threading.Thread | None = None

    def put(self, sound: KeptSound) -> None:
        """From the loop; never waits."""
        try:
            self._waiting.put_nowait(sound)
        except Full:
            self._lost(sound.path, f"the disk is too slow: {waiting_max} utterances wait for it")
            return
        if self._thread is None or not self._thread.is_alive():
            loop = asyncio.get_running_loop()
            self._thread = threading.Thread(target=self._run, args=(loop,), name="utterances", daemon=True)
            self._thread.start()

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        while True:
            try:
                sound = self._waiting.get(timeout=told_every_s)
            except Empty:
                continue
            try:
                write(Path(sound.path), sound.wav())
            except OSError as error:
                with suppress(RuntimeError):  # the loop has ended
                    loop.call_soon_threadsafe(self._lost, sound.path, error.strerror or str(error))


def write(path: Path, content: bytes) -> None:
    """A new file, whole or not at all, for this user alone (0600). Raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    room = os.statvfs(path.parent)
    if room.f_bavail * room.f_frsize < free_bytes_min:
        raise OSError(0, f"less than {free_bytes_min // 1_000_000} MB are free on the disk")
    part = path.with_name(path.name + ".part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
        part.rename(path)
    except OSError:
        with suppress(OSError):
            part.unlink()
        raise


class Missing:
    """In the engine: what was lost becomes lines for ops, and one event `engine.records` a minute for a tenant."""

    def __init__(self, server: Server, *, seconds: Callable[[], float] = time.monotonic) -> None:
        self._server, self._seconds = server, seconds
        self._count: dict[str, int] = {}
        self._told_s: dict[str, float] = {}

    def tell(self, path: str, detail: str) -> None:
        """The file at `path` (…/utterances/TENANT/NAME) isn't there."""
        tenant, name = Path(path).parts[-2:]
        self._server.log.warning(f"the sound of utterance {name} of tenant {tenant} isn't kept: {detail}", "utterances")
        self._count[tenant] = self._count.get(tenant, 0) + 1
        now_s = self._seconds()
        if now_s - self._told_s.get(tenant, -told_every_s) < told_every_s:
            return
        self._told_s[tenant] = now_s
        told = {"act": "unkept", "subject": tenant, "counts": f"utterances={self._count.pop(tenant)}"}
        self._server.loop.create_task(self._server.ask("utterances", "noted", told))
