"""A dead engine's Switch again: the newest whole checkpoint, the journal's inputs after it, then what was ahead of it.

The Switch is deterministic, so replaying its inputs gives it the state in which it died, whatever the calls were doing
(DESIGN laws 1 and 9); outputs are dropped, except that records learn the events they may not have written. Damage
costs what is damaged: a torn checkpoint sends us to the one before it, a broken record is passed over and named.
"""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from engine.call.effects import Emit, Input, Media, MediaHappened
from engine.errors import RingdownError
from engine.media.image import Image
from engine.records.events import Event
from engine.runtime import write_ahead
from engine.runtime.journal import FORMAT, Header, JournalError, end_of_records, frame, frames, records
from engine.runtime.replaying import unpack
from engine.runtime.seal import KeyDestroyed, Keys
from engine.runtime.write_ahead import Ahead

notes_max = 20
_FILE = re.compile(r".+-[0-9]{6}\.journal")


class Recovered(msgspec.Struct):
    """`switch` and `image` after `inputs` inputs, the last at engine time `last_ms`; `broke_ms`: last sign of life.

    `machine`: the machine's boot under which `broke_ms` counts; `broke_unix_ms`: the same moment on the wall clock, 0
    when unknown. `events` since the checkpoint, in order. `notes`: what was damaged, a sentence each.
    """

    header: Header
    switch: Any
    image: Image
    inputs: int
    last_ms: int
    broke_ms: int
    broke_unix_ms: int
    machine: str
    events: list[Event]
    notes: list[str]
    replayed: int
    spent_ms: int


class Lost(RingdownError):
    """There was an engine with calls, and nothing of it can be continued; the text says why."""


def dead_boot(folder: Path) -> list[Path]:
    """The journal files, oldest first, of the boot that ran last if it did not end; [] when it did or none was."""
    newest = max(
        (path for path in folder.glob("*.journal") if _FILE.fullmatch(path.name)),
        key=lambda path: (path.stat().st_mtime_ns, path.name), default=None,
    )
    if newest is None:
        return []
    boot = newest.name.rpartition("-")[0]
    files = sorted(path for path in folder.glob(f"{boot}-*.journal") if _FILE.fullmatch(path.name))
    last = b""
    with suppress(JournalError, OSError):  # it was being begun: then the file before it has everything
        for kind, _ in records(files[-1].read_bytes(), []):
            last = kind
    return [] if last == b"E" else files


def recover(folder: Path) -> Recovered | None:
    """Rebuild what ran in this data folder's journal; None when the last engine ended cleanly (or there was none).

    Raises Lost when no checkpoint can be read.
    """
    files = dead_boot(folder)
    if not files:
        return None
    began = time.monotonic()
    recovery = _Recovery(files, write_ahead.read(folder / write_ahead.FILE_NAME))
    found = recovery.run()
    found.spent_ms = int((time.monotonic() - began) * 1_000)
    return found


class _Recovery:
    def __init__(self, files: list[Path], ahead: Ahead | None) -> None:
        self.files = files
        self.boot = files[-1].name.rpartition("-")[0]
        self.ahead = ahead if ahead is not None and ahead.boot == self.boot else None
        self.keys = Keys(files[-1].with_name(f"{self.boot}.keys"))
        self.notes: list[str] = []
        self.events: list[Event] = []
        self.inputs = 0  # the number of the input that was handled last
        self.replayed = 0
        self.last_ms = 0
        self.switch: Any = None
        self.image = Image()
        self.decode = msgspec.msgpack.Decoder(tuple[int, Input]).decode

    def run(self) -> Recovered:
        header = self._begin()
        header.serial = int(self.files[-1].stem.rpartition("-")[2])  # nothing is ever written behind a torn beginning
        missing: list[bytes] = []
        for first, chunk in self.ahead.chunks if self.ahead is not None else ():
            self._chunk(first, chunk, missing)
        if missing:
            self._complete(b"".join(missing))
        ahead = self.ahead
        alive_ms = ahead.alive_ms if ahead is not None else 0
        return Recovered(
            header, self.switch, self.image, self.inputs, self.last_ms, max(self.last_ms, alive_ms),
            ahead.alive_unix_ms if ahead is not None else 0,
            ahead.machine_boot if ahead is not None else header.machine, self.events, self.notes, self.replayed, 0,
        )

    def _note(self, text: str) -> None:
        if len(self.notes) < notes_max and text not in self.notes:
            self.notes.append(text)

    def _begin(self) -> Header:
        """The newest file that can be built on, and every file after it. Raises Lost."""
        reasons = []
        for at in range(len(self.files) - 1, -1, -1):
            try:
                header = self._file(self.files[at], build=True)
            except (RingdownError, msgspec.MsgspecError, OSError, KeyError, ValueError) as error:
                reasons.append(f"{self.files[at].name}: {error}")
                self.switch = None
                continue
            self.notes.extend(reasons)
            for path in self.files[at + 1:]:
                try:
                    header = self._file(path, build=False)
                except (JournalError, OSError) as error:
                    self._note(f"{path.name}: {error}")
            return header
        raise Lost("; ".join(reasons) or "no journal can be read")

    def _file(self, path: Path, *, build: bool) -> Header:
        header: Header | None = None
        content, damage = path.read_bytes(), list[int]()
        for kind, body in records(content, damage):
            if kind == b"H":
                header = msgspec.msgpack.decode(body, type=Header)
                if header.format != FORMAT:
                    raise JournalError(f"journal format {header.format}; this engine reads {FORMAT}")
                if build and header.serial == 0:
                    self.switch, self.image = unpack(header, None)
            elif kind == b"C":
                base, name, sealed = msgspec.msgpack.decode(body, type=tuple[int, str, bytes])
                if build:
                    if header is None:
                        raise JournalError("its beginning is torn")
                    self.switch, self.image = unpack(header, self.keys.open(name, sealed))
                    self.inputs = base
                    self.last_ms = self.switch.room.now_ms
            elif kind in (b"I", b"S"):
                if self.switch is None:
                    raise JournalError("its state is missing or torn")
                self._input(kind, body)
            elif kind == b"D":  # damaged records have no number of their own: the next digest has
                self.inputs = max(self.inputs, msgspec.msgpack.decode(body, type=tuple[int, bytes])[0])
        if header is None or self.switch is None:
            raise JournalError("its beginning is torn")
        for place in damage:
            self._note(f"{path.name}: a record at byte {place} is damaged and was passed over")
        return header

    def _chunk(self, first: int, chunk: bytes, missing: list[bytes]) -> None:
        """A write-ahead slot: what the files have already is left out, the rest is added to `missing` as well."""
        number = first
        for kind, body in frames(chunk):
            if number > self.inputs:
                if number > self.inputs + 1:
                    self._note(f"inputs {self.inputs + 1} to {number - 1} never reached the disk")
                    self.inputs = number - 1
                self._input(kind, body)
                missing.append(frame(kind + body))
            number += 1

    def _complete(self, data: bytes) -> None:
        """The last file gets what it lacked (behind its last whole record): should the checkpoint that follows be torn
        one day, nothing is missing."""
        path = next((path for path in reversed(self.files) if _has_records(path)), self.files[-1])
        try:
            with path.open("r+b") as file:
                file.seek(end_of_records(file.read()))
                file.truncate()
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except (OSError, JournalError) as error:
            self._note(f"{path.name} could not be completed: {error}")

    def _input(self, kind: bytes, body: bytes) -> None:
        self.inputs += 1
        try:
            if kind == b"S":
                name, sealed = msgspec.msgpack.decode(body, type=tuple[str, bytes])
                body = self.keys.open(name, sealed)
            now_ms, event = self.decode(body)
        except (KeyDestroyed, msgspec.MsgspecError) as error:
            self._note(f"input {self.inputs} can't be read: {error}")
            return
        self.last_ms = max(self.last_ms, now_ms)
        self.replayed += 1
        if isinstance(event, MediaHappened):
            self.image.happened(event.event)
        try:
            outputs = self.switch.handle(event, now_ms)
        except Exception:  # as it did then: the server logged it and carried out nothing
            return
        for output in outputs:
            if type(output) is Media:
                self.image.apply(output.command, now_ms)
            elif type(output) is Emit:
                self.events.append(output.event)


def _has_records(path: Path) -> bool:
    """Has this file got beyond its beginning?"""
    try:
        return any(True for _ in records(path.read_bytes(), []))
    except (JournalError, OSError):
        return False
