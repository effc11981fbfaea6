"""Inputs on their way to the journal, where a `kill -9` can't reach them: slots of a file mapped into memory.

The journal writes in batches (DESIGN §6: at most every 200 ms). What the Switch has acted on since the last batch lies
here: one memory copy an input, no system call. The kernel owns the pages, so they outlive the process (not a power
cut: then the journal's last batch is the end). A slot holds whole journal records; it is free again once the journal
has them. Blocks are reserved when the file is made, so a full disk is an error at start and never a SIGBUS later.

    page 0: "RDAHEAD1", boot, the machine's boot id, alive (monotonic ms), alive (Unix ms)
    slots:  first (number of its first input), used (bytes), records
"""

from __future__ import annotations

import mmap
import os
import struct
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import msgspec

MAGIC = b"RDAHEAD1"
FILE_NAME = "ahead"
SLOTS = 8
slot_bytes = 1 << 20
_PAGE = 4_096
_HEAD = struct.Struct("<8s16s40sqq")
_ALIVE = struct.Struct("<qq")
_ALIVE_AT = 64
_SLOT = struct.Struct("<qq")


def machine_boot() -> str:
    """A name for this start of the machine: monotonic time means something only within it."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


class Slot:
    """Room for one batch. `memory[at:at + used]` are its records; `mapped` False: plain memory, lost with a kill."""

    __slots__ = ("at", "first", "head", "mapped", "memory", "room", "used")

    def __init__(self, memory: mmap.mmap | bytearray, head: int, room: int, *, mapped: bool) -> None:
        self.memory = memory
        self.head = head
        self.at = head + _SLOT.size
        self.room = room - _SLOT.size
        self.mapped = mapped
        self.first = 0
        self.used = 0

    def begin(self, first: int) -> None:
        """Empty it; its first record will be input number `first`."""
        self.first, self.used = first, 0
        _SLOT.pack_into(self.memory, self.head, first, 0)

    def put(self, record: bytes) -> bool:
        """Append one record; False when it doesn't fit."""
        used = self.used
        size = len(record)
        if used + size > self.room:
            return False
        at = self.at + used
        self.memory[at:at + size] = record
        self.used = used = used + size
        _SLOT.pack_into(self.memory, self.head, self.first, used)  # last: a kill before it loses one record, whole
        return True

    def records(self) -> memoryview:
        """What was put, without a copy; the view must be released before the file is closed."""
        return memoryview(self.memory)[self.at:self.at + self.used]


class WriteAhead:
    """The mapped file of a data folder. `detail` says in words why it is not mapped, '' when it is."""

    def __init__(self, path: Path, boot: str, *, slots: int = SLOTS, size: int = slot_bytes) -> None:
        self.path = path
        self.detail = ""
        self._free: deque[Slot] = deque()
        self._slots: tuple[Slot, ...] = ()
        self._size = size
        self._map: mmap.mmap | None = None
        try:
            self._map = self._open(boot, slots)
        except OSError as error:
            self.detail = f"{path}: {error.strerror or error}: a crash may lose the last 200 ms"
            return
        for number in range(slots):
            self._free.append(Slot(self._map, _PAGE + number * size, size, mapped=True))
        self._slots = tuple(self._free)

    def _open(self, boot: str, slots: int) -> mmap.mmap:
        total = _PAGE + slots * self._size
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.ftruncate(descriptor, 0)  # what a dead engine left was read before this one is made
            os.posix_fallocate(descriptor, 0, total)
            mapped = mmap.mmap(descriptor, total)
        finally:
            os.close(descriptor)
        _HEAD.pack_into(mapped, 0, MAGIC, boot.encode()[:16], machine_boot().encode()[:40], 0, 0)
        return mapped

    def alive(self, monotonic_ms: int, unix_ms: int) -> None:
        """The engine lives at this time (told about once a second)."""
        if self._map is not None:
            _ALIVE.pack_into(self._map, _ALIVE_AT, monotonic_ms, unix_ms)

    def slot(self, first: int, at_least: int = 0) -> Slot:
        """A free slot for inputs from number `first` on; plain memory when all are in use or too small."""
        if self._free and at_least <= self._size - _SLOT.size:
            found = self._free.popleft()
        else:
            room = max(self._size, at_least + _SLOT.size)
            found = Slot(bytearray(room), 0, room, mapped=False)
        found.begin(first)
        return found

    def release(self, slot: Slot) -> None:
        """The journal has its records. Safe from another thread."""
        if slot.mapped:
            slot.begin(0)
            self._free.append(slot)

    def wipe(self) -> Iterator[None]:
        """Zero the part of every slot that isn't in use: records of batches that the journal has had. A step a slot."""
        for slot in self._slots:
            if self._map is not None:
                slot.memory[slot.at + slot.used:slot.at + slot.room] = bytes(slot.room - slot.used)
            yield

    def close(self) -> None:
        """Unmap and remove: after a clean end nothing is ahead of the journal."""
        if self._map is not None:
            self._map.close()
            self._map = None
            self.path.unlink(missing_ok=True)


class Ahead(msgspec.Struct, frozen=True):
    """What a dead engine left: `chunks` are (number of the first input, records) in order."""

    boot: str
    machine_boot: str
    alive_ms: int
    alive_unix_ms: int
    chunks: tuple[tuple[int, bytes], ...] = ()


def read(path: Path, *, size: int = slot_bytes) -> Ahead | None:
    """The file of a dead engine, None when there is none or it is not one of ours."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    if len(content) < _PAGE or not content.startswith(MAGIC):
        return None
    _, boot, machine, _, _ = _HEAD.unpack_from(content)
    alive_ms, alive_unix_ms = _ALIVE.unpack_from(content, _ALIVE_AT)
    chunks = []
    for head in range(_PAGE, len(content) - size + 1, size):
        first, used = _SLOT.unpack_from(content, head)
        if first > 0 and 0 < used <= size - _SLOT.size:
            chunks.append((first, content[head + _SLOT.size:head + _SLOT.size + used]))
    return Ahead(
        boot.rstrip(b"\0").decode("ascii", "replace"), machine.rstrip(b"\0").decode("ascii", "replace"), alive_ms,
        alive_unix_ms, tuple(sorted(chunks)),
    )
