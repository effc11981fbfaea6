"""What operators have moved off its default, kept over a restart: `switches.json` in the data folder.

The file is written whole, beside the old one, and renamed; off the loop, and never twice at once. A file that can't be
read is put aside under another name and said: calls go on with every switch at its default.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import msgspec

from engine.call.levers import Lever
from engine.records.events import Event
from engine.runtime.log import Log

FORMAT = 1


class Stored(msgspec.Struct):
    """The file: a list of levers as they stood at the last change."""

    format: int
    switches: list[Lever]


class Levers:
    """`load()` once before the first site; `note(event)` for each `operator.switch`; `await close()` at the end."""

    def __init__(self, path: Path, loop: asyncio.AbstractEventLoop, log: Log) -> None:
        self.path = path
        self.standing: dict[str, Lever] = {}
        self._loop = loop
        self._log = log
        self._dirty = False
        self._writing: asyncio.Task[None] | None = None

    def load(self) -> list[Lever]:
        """What stood when the last engine ended."""
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return []
        except OSError as error:
            self._log.error(f"switches: can't read {self.path}: {error.strerror}; all are at their default")
            return []
        try:
            stored = msgspec.json.decode(data, type=Stored)
            if stored.format != FORMAT:
                raise ValueError(f"format {stored.format}, this engine reads {FORMAT}")
        except (msgspec.MsgspecError, ValueError) as error:
            aside = self.path.with_suffix(".unreadable")
            self.path.replace(aside)
            self._log.error(f"switches: {error}; put aside as {aside}; all are at their default")
            return []
        self.standing = {f"{lever.kind}/{lever.name}": lever for lever in stored.switches}
        return stored.switches

    def adopt(self, levers: dict[str, Lever]) -> None:
        """An engine that goes on where one died knows better than the file, which may lack the last moment."""
        if levers != self.standing:
            self.standing = dict(levers)
            self._save()

    def note(self, event: Event) -> None:
        """A lever was moved, or is back at its default."""
        data = event.data
        kind, name = str(data["switch"]), str(data["name"])
        if data["state"] == "default":
            self.standing.pop(f"{kind}/{name}", None)
        else:
            self.standing[f"{kind}/{name}"] = Lever(
                kind, name, str(data["state"]), str(data["author"]), event.at_ms, int(data["until_ms"] or 0),
                str(data["reason"] or ""), str(data.get("recording") or ""), int(data.get("recording_ms") or 0),
            )  # fmt: skip
        self._save()

    def _save(self) -> None:
        self._dirty = True
        if self._writing is None:
            self._writing = self._loop.create_task(self._write())

    async def _write(self) -> None:
        try:
            while self._dirty:
                self._dirty = False
                data = msgspec.json.encode(Stored(FORMAT, list(self.standing.values())))
                await self._loop.run_in_executor(None, self._put, data)
        except OSError as error:
            self._log.error(f"switches: can't write {self.path}: {error.strerror}", "switches")
        finally:
            self._writing = None

    def _put(self, data: bytes) -> None:
        beside = self.path.with_suffix(".new")
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.write(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        beside.replace(self.path)

    async def close(self) -> None:
        """What is being written is finished first."""
        if self._writing is not None:
            await self._writing
