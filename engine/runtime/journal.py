"""The journal of Switch inputs: append-only, binary, bounded, replayable (DESIGN laws 2 and 9, §6).

A file is the magic, then records `u32 length, u32 CRC-32, body` (big-endian); a body is one kind byte and msgpack:

    H  header map: version, boot, node, seed, tokens key, site hash, number of this file in its boot
    C  [inputs so far, key name, sealed]     state that the file begins with (files after the first): `State`
    I  [now_ms, input]                       one input
    S  [key name, sealed [now_ms, input]]    a sensitive input, AES-GCM under the key of its call (`runtime.seal`)
    D  [inputs so far, digest]               running BLAKE2b over the msgpack of every output since the file began
    E  [inputs so far]                       clean end

Every flush ends with a D, so a replay knows within one batch (200 ms) where it began to differ. A torn tail (power cut,
full disk) ends the reading, never breaks it; a damaged record in the middle is passed over and counted. What was
handled since the last flush lies in `runtime.write_ahead`. A file of a boot begins every few thousand inputs with the
whole state, so that a restart (`runtime.recovery`) has little to replay; the file before it ends only after that.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Protocol
from zlib import crc32

import msgspec

from engine import limits
from engine.call.effects import Input, Output
from engine.errors import RingdownError
from engine.runtime.seal import KeyDestroyed, Keys
from engine.runtime.write_ahead import FILE_NAME as AHEAD_NAME
from engine.runtime.write_ahead import Slot, WriteAhead

MAGIC = b"RDJOURNAL1\n"
FORMAT = 2
record_bytes_max = 512_000_000
STATE_KEY = "state"
_FILES_KEPT = 8  # a file's share of what journals may take
_CRC_I = crc32(b"I")
_frame = struct.Struct(">II")
_encoder = msgspec.msgpack.Encoder()
_encode = _encoder.encode


class Header(msgspec.Struct):
    """What a replay needs to build the same Switch. `serial` 0 is the first file of a boot."""

    format: int
    version: str
    boot: str
    node: str
    seed: int
    tokens_key: bytes
    site: str
    began_ms: int
    rows_max: int
    serial: int = 0
    base_ms: int = 0  # engine time = the machine's monotonic time + this
    machine: str = ""  # the machine's boot under which that holds


def frame(body: bytes) -> bytes:
    """One record on disk."""
    return _frame.pack(len(body), crc32(body)) + body


class Batch:
    """What goes to the file in one piece: key lines first, then the slots' records and a digest."""

    __slots__ = ("digest", "keys", "slots")

    def __init__(self, keys: bytes, slots: list[Slot], digest: bytes) -> None:
        self.keys, self.slots, self.digest = keys, slots, digest


class Journal:
    """`append` and `outputs` are the hot path (an encode and one copy into the write-ahead slots); `take` closes a
    batch.

    `write` and what `checkpoint` returns may run in another thread, one at a time and in order; nothing else may.
    """

    def __init__(
        self, folder: Path, header: Header, *, bytes_max: int = limits.journal_bytes_max, keys: Keys | None = None,
        state: bytes | None = None, inputs: int = 0,
    ) -> None:
        """A new boot, or the next file of one that goes on: then with the state after its first `inputs` inputs.

        A disk that takes nothing only sets `failed`. Raises OSError when the folder can't be made.
        """
        self.folder = folder
        self.header = header
        self.inputs = self.file_inputs_from = inputs
        self.failed = ""
        self.bytes_written = 0
        self.path = folder / f"{header.boot}-{header.serial:06d}.journal"
        self._bytes_max = bytes_max
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.keys = keys or Keys(folder / f"{header.boot}.keys")
        self._key_files = dict.fromkeys(self.keys.names(), header.serial)  # key -> newest file that needs it
        self._oldest = 0  # serial of the oldest file that is kept
        self._slot: Slot | None = None
        self._full: list[Slot] = []
        self._outputs: list[Output] = []
        self._digest = blake2b(digest_size=32)
        self._descriptor = -1
        try:
            self.path = self._open()
            if state is not None:
                self._put_state(state, inputs)
        except OSError as error:  # a full disk: calls are served all the same, and the owner tries again
            self.failed = f"journal stopped: {error.strerror or error}"
        self.ahead = WriteAhead(folder / AHEAD_NAME, header.boot)  # last: it wipes what the state was made from

    # --- hot path ---
    def append(self, now_ms: int, input: Input, key: str | None) -> None:
        """Take one input, before the Switch handles it. `key` names the seal of a sensitive one."""
        self.inputs += 1
        body = _encode((now_ms, input))
        if key is None:
            record = _frame.pack(len(body) + 1, crc32(body, _CRC_I)) + b"I" + body
        else:
            record = self._sealed(key, body)
        slot = self._slot
        if slot is None or not slot.put(record):
            self._next_slot(record)

    def _sealed(self, key: str, body: bytes) -> bytes:
        """A sealed record; a key that is new is on disk before the record can be read back (it is rare: one a call)."""
        self._key_files[key] = self.header.serial
        record = frame(b"S" + _encode((key, self.keys.seal(key, body))))
        try:
            self.keys.flush()
        except OSError as error:
            self.failed = self.failed or f"journal stopped: {error.strerror or error}"
        return record

    def _next_slot(self, record: bytes) -> None:
        if self._slot is not None:
            self._full.append(self._slot)
        self._slot = slot = self.ahead.slot(self.inputs, len(record))
        slot.put(record)

    def outputs(self, outputs: list[Output]) -> None:
        """Take what the Switch answered to the last input (hashed at the next `take`)."""
        self._outputs.extend(outputs)

    # --- every batch ---
    def take(self) -> Batch | None:
        """Everything since the last call, ready for `write`; None when nothing happened."""
        slots, self._full = self._full, []
        if self._slot is not None:
            slots.append(self._slot)
            self._slot = None
        outputs, self._outputs = self._outputs, []
        if not slots:
            return None
        hash_outputs(self._digest, outputs)
        return Batch(
            self.keys.take_unsaved(), slots, frame(b"D" + _encode((self.inputs, self._digest.copy().digest())))
        )

    def write(self, batch: Batch | None) -> None:
        """Append to the files; keys first, so that no record's key can be missing. After a failure nothing more is
        written (a gap would make a replay lie) and `failed` says why."""
        if batch is None:
            return
        if not self.failed:
            try:
                if batch.keys:
                    self.keys.append(batch.keys)
                for slot in batch.slots:
                    with slot.records() as records:
                        self._write_all(records)
                self._write_all(memoryview(batch.digest))
            except OSError as error:
                self.failed = f"journal stopped: {error.strerror or error}"
        for slot in batch.slots:
            self.ahead.release(slot)

    def _write_all(self, data: memoryview) -> None:
        while data:
            written = os.write(self._descriptor, data)
            self.bytes_written += written
            data = data[written:]

    def due_for_rotation(self) -> bool:
        """True when a restart would have long to replay, or the file has used up its share of the disk."""
        inputs = self.inputs - self.file_inputs_from
        return not self.failed and (
            inputs >= limits.checkpoint_inputs_max or self.bytes_written > self._bytes_max // _FILES_KEPT
        )

    def checkpoint(self) -> Callable[[bytes, str], None]:
        """Close the batch here; the result, called with (state, site) in the thread that writes, begins the next file.

        Between this call and the state's encoding the Switch must not move. Begins anew after a failure, too.
        """
        batch, inputs = self.take(), self.inputs
        self.file_inputs_from = inputs
        self._digest = blake2b(digest_size=32)
        # One file more than needed: the writing thread may not have begun the file that a record belongs to.
        unneeded = [name for name, serial in self._key_files.items() if serial + 1 < self._oldest and name != STATE_KEY]
        for name in unneeded:
            del self._key_files[name]
            self.keys.forget(name)
        return lambda state, site: self._begin_file(batch, inputs, state, site, fewer_keys=bool(unneeded))

    def rotate(self, state: bytes, site: str) -> None:
        """`checkpoint` and the next file at once, in this thread."""
        self.checkpoint()(state, site)

    def _begin_file(
        self, batch: Batch | None, inputs: int, state: bytes, site: str, *, fewer_keys: bool
    ) -> None:
        self.write(batch)
        old, failed = self._descriptor, self.failed
        self.header.serial += 1
        self.header.site = site
        self.failed = ""
        try:
            self.path = self._open()
            self._put_state(state, inputs)
            if fewer_keys:
                self.keys.rewrite()
        except OSError as error:
            self.failed = f"journal stopped: {error.strerror or error}"
        if not self.failed:
            self.bytes_written = 0
        # The old file ends only now: while a boot has no whole checkpoint behind it, it is not over.
        _finish(old, b"" if failed else frame(b"E" + _encode((inputs,))))

    def _put_state(self, state: bytes, inputs: int) -> None:
        """Raises OSError."""
        sealed = self.keys.seal(STATE_KEY, state)
        self.keys.flush()
        self._write_all(memoryview(frame(b"C" + _encode((inputs, STATE_KEY, sealed)))))

    def close(self, *, clean: bool = True) -> None:
        """Write what is pending and, when the engine has ended for good, a clean end."""
        self.write(self.take())
        descriptor, self._descriptor = self._descriptor, -1
        _finish(descriptor, frame(b"E" + _encode((self.inputs,))) if clean and not self.failed else b"")
        if clean:
            self.ahead.close()

    def _open(self) -> Path:
        prune(self.folder, self._bytes_max - self._bytes_max // _FILES_KEPT, self.header.boot)
        path = self.folder / f"{self.header.boot}-{self.header.serial:06d}.journal"
        kept = min(self.folder.glob(f"{self.header.boot}-*.journal"), default=path)
        self._oldest = int(kept.stem.rpartition("-")[2])
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        os.write(self._descriptor, MAGIC + frame(b"H" + _encode(self.header)))
        return path


def _finish(descriptor: int, end: bytes) -> None:
    if descriptor < 0:
        return
    with suppress(OSError):
        if end:
            os.write(descriptor, end)
        os.fsync(descriptor)
    os.close(descriptor)


def hash_outputs(digest: blake2b, outputs: list[Output]) -> None:
    """Update a running digest by outputs, independent of how they were batched."""
    digest.update(b"".join(map(_encode, outputs)))


def prune(folder: Path, bytes_max: int, boot: str = "") -> None:
    """Delete the oldest journals (and key files without a journal) until the rest fits. The two newest of `boot` and
    its keys stay whatever they take: a restart needs them."""
    journals = sorted(folder.glob("*.journal"), key=lambda path: (path.stat().st_mtime_ns, path.name), reverse=True)
    needed = {path for path in journals if path.name.startswith(f"{boot}-")} if boot else set()
    needed = set(sorted(needed, reverse=True)[:2])
    total = 0
    kept = {boot}
    for path in journals:
        total += path.stat().st_size
        if total > bytes_max and path not in needed:
            path.unlink(missing_ok=True)
        else:
            kept.add(path.name.rpartition("-")[0])
    for path in sorted(folder.glob("*.keys")):
        if path.stem not in kept:
            path.unlink(missing_ok=True)


# --- reading ---------------------------------------------------------------------------------------------
class JournalError(RingdownError):
    """Not a journal, or one of another format."""


def records(content: bytes, damage: list[int] | None = None) -> Iterator[tuple[bytes, bytes]]:
    """(kind, msgpack) of every whole record; ends silently at a torn one. Raises JournalError for another file.

    A record whose check fails while the next one stands where its length says is passed over: its place (a byte
    offset) is appended to `damage`.
    """
    if not content.startswith(MAGIC):
        raise JournalError("this is no Ringdown journal (or one of another format)")
    yield from frames(content, len(MAGIC), damage)


def frames(content: bytes, at: int = 0, damage: list[int] | None = None) -> Iterator[tuple[bytes, bytes]]:
    """`records` of bare frames from offset `at` on (a write-ahead slot holds no magic)."""
    while at + _frame.size <= len(content):
        length, check = _frame.unpack_from(content, at)
        body = content[at + _frame.size:at + _frame.size + length]
        if not 0 < length <= record_bytes_max or len(body) < length:
            return
        if crc32(body) != check:
            if damage is None or not _whole(content, at + _frame.size + length):
                return
            damage.append(at)
        else:
            yield body[:1], body[1:]
        at += _frame.size + length


def end_of_records(content: bytes) -> int:
    """The byte offset behind the last whole record, wherever damaged ones lie before it. Raises JournalError for
    another file."""
    damage: list[int] = []
    end = len(MAGIC) + sum(_frame.size + len(kind) + len(body) for kind, body in records(content, damage))
    for at in damage:
        end += _frame.size + int(_frame.unpack_from(content, at)[0])
    return end


def _whole(content: bytes, at: int) -> bool:
    """Does a whole record, or the end, stand at this offset?"""
    if at + _frame.size > len(content):
        return at == len(content)
    length, check = _frame.unpack_from(content, at)
    body = content[at + _frame.size:at + _frame.size + length]
    return bool(0 < length == len(body) and crc32(body) == check)


class Replayed(msgspec.Struct):
    """How a replay went. `differs`: (inputs up to which outputs agreed, inputs at which they differ) or None."""

    inputs: int = 0
    outputs: int = 0
    digest: str = ""
    checked: int = 0
    faults: int = 0  # inputs at which the Switch raised
    differs: tuple[int, int] | None = None
    sealed: str = ""  # name of the destroyed key at which the replay had to stop
    torn: bool = False
    stopped: bool = False  # by `each`
    clean_end: bool = False
    engine_ms: int = 0  # engine time covered
    version: str = ""


class Enough(Exception):
    """Raised by `each` when the replay has shown what it was to show."""


class Replayable(Protocol):
    """What a replay drives: engine.switch.Switch has this shape."""

    def handle(self, input: Input, now_ms: int, /) -> list[Output]:
        """One input; its outputs."""


def replay(
    path: Path, build: Callable[[Header, bytes | None], Replayable],
    each: Callable[[int, int, Input, list[Output]], None] | None = None,
) -> Replayed:
    """Run the journal's inputs through a Switch made by `build(header, state or None)` and compare its digests.

    `each(number, now_ms, input, outputs)` is called after every input. Stops at the first difference and at the first
    destroyed key, or when `each` raises Enough. Raises JournalError when the file can't be read as a journal at all.
    """
    return _Replay(path, build, each).run()


class _Replay:
    def __init__(self, path: Path, build: Callable[[Header, bytes | None], Replayable],
                 each: Callable[[int, int, Input, list[Output]], None] | None) -> None:
        self.content = path.read_bytes()
        self.folder = path.parent
        self.build = build
        self.each = each
        self.report = Replayed(torn=True)
        self.digest = blake2b(digest_size=32)
        self.base = 0  # inputs before this file began
        self.first_ms = -1
        self.agreed = 0
        self.decode = msgspec.msgpack.Decoder(tuple[int, Input]).decode

    def run(self) -> Replayed:
        report = self.report
        switch: Replayable | None = None
        header: Header | None = None
        keys: Keys | None = None
        end = len(MAGIC)
        for kind, body in records(self.content):
            end += _frame.size + 1 + len(body)
            if kind == b"H":
                header = msgspec.msgpack.decode(body, type=Header)
                if header.format != FORMAT:
                    raise JournalError(f"journal format {header.format}; this engine reads {FORMAT}")
                report.version = header.version
                keys = Keys(self.folder / f"{header.boot}.keys")
                continue
            if header is None or keys is None:
                raise JournalError("the journal has no header")
            try:
                if kind == b"C":
                    self.base, name, sealed = msgspec.msgpack.decode(body, type=tuple[int, str, bytes])
                    switch = self.build(header, keys.open(name, sealed))
                    continue
                switch = switch or self.build(header, None)
                if not self._record(kind, body, switch, keys):
                    report.torn = False
                    break
            except KeyDestroyed as error:
                report.sealed = error.name
                report.torn = False
                break
            except Enough:
                report.torn = False
                report.stopped = True
                break
        else:
            report.torn = not report.clean_end and end != len(self.content)
        report.digest = self.digest.hexdigest()
        return report

    def _record(self, kind: bytes, body: bytes, switch: Replayable, keys: Keys) -> bool:
        """False when there is no use in going on."""
        report = self.report
        if kind == b"I":
            self._input(body, switch)
        elif kind == b"S":
            name, sealed = msgspec.msgpack.decode(body, type=tuple[str, bytes])
            self._input(keys.open(name, sealed), switch)
        elif kind == b"D":
            count, digest = msgspec.msgpack.decode(body, type=tuple[int, bytes])
            if digest != self.digest.copy().digest() or count - self.base != report.inputs:
                report.differs = (self.agreed, report.inputs)
                return False
            self.agreed = report.inputs
            report.checked += 1
        elif kind == b"E":
            report.clean_end = True
        return True

    def _input(self, body: bytes, switch: Replayable) -> None:
        report = self.report
        now_ms, input = self.decode(body)
        if self.first_ms < 0:
            self.first_ms = now_ms
        try:
            outputs = switch.handle(input, now_ms)
        except Exception:  # the server went on as well: it carried out nothing and logged the fault
            outputs = []
            report.faults += 1
        hash_outputs(self.digest, outputs)
        report.inputs += 1
        report.outputs += len(outputs)
        report.engine_ms = now_ms - self.first_ms
        if self.each is not None:
            self.each(self.base + report.inputs, now_ms, input, outputs)
