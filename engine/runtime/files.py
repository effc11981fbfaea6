"""Files below the data folder that the Switch wants no more: removed off the loop, in the order it said so."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from engine.call.effects import RemoveFile
from engine.runtime.log import Log


class Files:
    """`remove(output)` for each RemoveFile; `await close()` lets what was asked for be done."""

    def __init__(self, folder: Path, loop: asyncio.AbstractEventLoop, log: Log) -> None:
        self._folder = folder.resolve()
        self._loop = loop
        self._log = log
        self._thread = ThreadPoolExecutor(1, "files")

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

    async def close(self) -> None:
        """Everything asked for is done."""
        await self._loop.run_in_executor(None, self._thread.shutdown)
