"""What the Switch wants of files below the data folder: recordings to be played, others to be removed.

One thread does it in the order in which it was asked, so that the event loop never waits for a disk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from engine.call.effects import ClipLoaded, LoadClip, RemoveFile
from engine.errors import LimitExceeded, SiteError
from engine.media.clips import Samples, encode_both
from engine.runtime.log import Log
from engine.runtime.wav import RATE, read_caller

encoded_at_once = 4_000  # samples: nobody holds the interpreter for more than a moment
Store = Callable[[int, tuple[bytes, bytes]], None]


class Files:
    """`remove` and `load` carry outputs out; `store` and `deliver` are the plane's and the server's, called in the
    loop's thread; `await close()` lets what was asked for be done."""

    store: Store
    deliver: Callable[[ClipLoaded], None]

    def __init__(self, folder: Path, loop: asyncio.AbstractEventLoop, log: Log) -> None:
        self._folder = folder.resolve()
        self._loop = loop
        self._log = log
        self._thread = ThreadPoolExecutor(1, "files")
        self._claims: dict[int, int] = {}  # clip of a call -> who asked for it last (Room.clip_serial)

    def remove(self, output: RemoveFile) -> None:
        """Its name never leads out of the folder; a file that is gone already is what was wanted."""
        self._thread.submit(self._unlink, output.name)

    def _unlink(self, name: str) -> None:
        path = (self._folder / name).resolve()
        try:
            if not path.is_relative_to(self._folder):
                raise OSError(f"{name} lies outside the data folder")
            path.unlink(missing_ok=True)
        except OSError as error:
            self._loop.call_soon_threadsafe(
                self._log.error, f"can't remove {name}: {error.strerror or error}; remove it by hand", "files"
            )

    def load(self, output: LoadClip) -> None:
        """What the caller said in a recording becomes a clip."""
        self.claim(output.clip, output.ticket)
        self._thread.submit(self._read, output)

    def _read(self, output: LoadClip) -> None:
        path = (self._folder / output.name).resolve()
        both, detail = (b"", b""), ""
        try:
            if not path.is_relative_to(self._folder):
                raise SiteError(f"{output.name} lies outside the data folder")
            both = encoded(path)
        except SiteError as error:
            detail = str(error)
        self._loop.call_soon_threadsafe(self._loaded, output, both, detail)

    def _loaded(self, output: LoadClip, both: tuple[bytes, bytes], detail: str) -> None:
        if not detail:
            try:
                if not self.put(output.clip, output.ticket, both):
                    detail = "nobody waits for it any more"
            except LimitExceeded as error:
                detail = str(error)
        self.deliver(ClipLoaded(output.ticket, len(both[0]) * 1_000 // RATE, detail))

    def claim(self, clip: int, serial: int) -> None:
        """From now on only `serial` may store into this clip: numbers are used again while a disk or a server is slow,
        and nobody may hear what was meant for another."""
        self._claims[clip] = serial

    def put(self, clip: int, serial: int, both: tuple[bytes, bytes]) -> bool:
        """Store; False when somebody else has claimed the clip since. Raises LimitExceeded."""
        if self._claims.get(clip) != serial:
            return False
        self.store(clip, both)
        return True

    async def close(self) -> None:
        """Everything asked for is done."""
        await self._loop.run_in_executor(None, self._thread.shutdown)


def encoded(path: Path) -> tuple[bytes, bytes]:
    """What the caller said, in (µ-law, A-law). Raises SiteError naming the file."""
    return law_pair(read_caller(path))


def law_pair(samples: Samples) -> tuple[bytes, bytes]:
    """Samples in (µ-law, A-law)."""
    parts = [encode_both(samples[at : at + encoded_at_once]) for at in range(0, len(samples), encoded_at_once)]
    return b"".join(part[0] for part in parts), b"".join(part[1] for part in parts)
