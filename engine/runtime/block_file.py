"""Sources that the gate holds off, kept over a restart and a crash: `blocks.json` in the data folder.

Written whole, beside the old one, and renamed, when a block began, lasts longer or is over; off the loop, never twice
at once, and for the last time before the sockets are handed over. Unix ms. A file that can't be read is said and
written anew: whoever goes on is blocked again within seconds.
"""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import msgspec

from engine.runtime.log import Log
from engine.sip.gate import Gate, Kept

FORMAT = 1
PER_BLOCK_MS = 10  # from one writing to the next
bytes_max = 16_000_000


class Stored(msgspec.Struct):
    """The file."""

    format: int
    blocks: list[Kept]


class BlockFile:
    """`load` once before anybody is heard, `note` whenever blocks may have changed, `close` at the end."""

    def __init__(self, path: Path, loop: asyncio.AbstractEventLoop, log: Log) -> None:
        self.path = path
        self._loop = loop
        self._log = log
        self._saved: tuple[tuple[str, int, bool, int], ...] = ()
        self._next_ms = 0
        self._writing: asyncio.Future[None] | None = None

    def load(self, gate: Gate, now_ms: int) -> None:
        """Whom the engine before held off is held off for the rest of his time."""
        try:
            if self.path.stat().st_size > bytes_max:
                raise ValueError(f"larger than {bytes_max} bytes")
            stored = msgspec.json.decode(self.path.read_bytes(), type=Stored)
            if stored.format != FORMAT:
                raise ValueError(f"format {stored.format}, this engine reads {FORMAT}")
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:  # what msgspec raises is a ValueError
            self._log.error(f"blocks: can't read {self.path}: {error}; nobody is blocked at the start", "blocks")
            return
        gate.restore(stored.blocks, now_ms, _offset_ms(now_ms))
        self._saved = gate.marks()
        if stored.blocks:
            self._log.info(f"{len(stored.blocks)} sources were blocked and are held off for the rest of their time")

    def note(self, gate: Gate, now_ms: int) -> None:
        """Written where they differ from what was written last: the more there are, the more seldom, lest a botnet
        keeps us busy with its list."""
        if now_ms < self._next_ms or (self._writing is not None and not self._writing.done()):
            return
        marks = gate.marks()
        if marks == self._saved:
            return
        self._saved, self._next_ms = marks, now_ms + PER_BLOCK_MS * len(marks)
        self._writing = self._loop.run_in_executor(None, self._put, _encoded(gate, now_ms))

    async def close(self, gate: Gate, now_ms: int) -> None:
        """As they stand now."""
        if self._writing is not None:
            await self._writing
        if gate.blocks or self._saved:
            self._put(_encoded(gate, now_ms))

    def _put(self, data: bytes) -> None:
        beside = self.path.with_suffix(".new")
        try:
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
            beside.replace(self.path)
        except OSError as error:
            self._log.error(f"blocks: can't write {self.path}: {error.strerror}", "blocks")


def _offset_ms(now_ms: int) -> int:
    """From the engine's time to Unix ms."""
    return time.time_ns() // 1_000_000 - now_ms


def _encoded(gate: Gate, now_ms: int) -> bytes:
    return msgspec.json.encode(Stored(FORMAT, gate.keep(_offset_ms(now_ms))))
