"""The journal of Switch inputs: append-only, binary, bounded, replayable (DESIGN laws 2 and 9, §6).

A file is the magic, then records `u32 length, u32 CRC-32, body` (big-endian); a body is one kind byte and msgpack:

    H  header map: version, boot, node, seed, tokens key, site hash, number of this file in its boot
    C  [inputs so far, key name, sealed]     state of the Switch that the file begins with (files after the first)
    I  [now_ms, input]                       one input
    S  [key name, sealed [now_ms, input]]    a sensitive input, AES-GCM under the key of its call (`runtime.seal`)
    D  [inputs so far, digest]               running BLAKE2b over the msgpack of every output since the file began
    E  [inputs so far]                       clean end

Every flush ends with a D, so a replay knows within one batch (200 ms) where it began to differ. A torn tail (power cut,
full disk) ends the reading, never breaks it.
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

MAGIC = b"RDJOURNAL1\n"
FORMAT = 1
record_bytes_max = 512_000_000
STATE_KEY = "state"
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


def frame(body: bytes) -> bytes:
    """One record on disk."""
    return _frame.pack(len(body), crc32(body)) + body


class Journal:
    """`append` and `outputs` are the hot path (an encode and two list operations); `take` builds the bytes to write.

    `write` may run in another thread; nothing else may.
    """

    def __init__(
        self, folder: Path, header: Header, *, bytes_max: int = limits.journal_bytes_max, keys: Keys | None = None
    ) -> None:
        self.folder = folder
        self.header = header
        self.inputs = 0
        self.failed = ""
        self.bytes_written = 0
        self._bytes_max = bytes_max
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.keys = keys or Keys(folder / f"{header.boot}.keys")
        self._pending: list[bytes | tuple[str, bytes]] = []
        self._outputs: list[Output] = []
        self._digest = blake2b(digest_size=32)
        self._descriptor = -1
        self.path = self._open()

    # --- hot path ---
    def append(self, now_ms: int, input: Input, key: str | None) -> None:
        """Take one input, before the Switch handles it. `key` names the seal of a sensitive one."""
        self.inputs += 1
        body = _encode((now_ms, input))
        self._pending.append(body if key is None else (key, body))

    def outputs(self, outputs: list[Output]) -> None:
        """Take what the Switch answered to the last input (hashed at the next `take`)."""
        self._outputs.extend(outputs)

    # --- every batch ---
    def take(self) -> tuple[bytes, bytes]:
        """(key lines, records) since the last call, ready for `write`; both empty when nothing happened."""
        pending, self._pending = self._pending, []
        outputs, self._outputs = self._outputs, []
        if not pending:
            return b"", b""
        parts: list[bytes] = []
        for item in pending:
            if isinstance(item, bytes):
                body = b"I" + item
            else:
                name, plain = item
                body = b"S" + _encode((name, self.keys.seal(name, plain)))
            parts.append(_frame.pack(len(body), crc32(body)))
            parts.append(body)
        hash_outputs(self._digest, outputs)
        parts.append(frame(b"D" + _encode((self.inputs, self._digest.copy().digest()))))
        return self.keys.take_unsaved(), b"".join(parts)

    def write(self, keys: bytes, records: bytes) -> None:
        """Append to the files; keys first, so that no record's key can be missing. After a failure nothing more is
        written (a gap would make a replay lie) and `failed` says why."""
        if self.failed:
            return
        try:
            if keys:
                self.keys.append(keys)
            view = memoryview(records)
            while view:
                view = view[os.write(self._descriptor, view):]
            self.bytes_written += len(records)
        except OSError as error:
            self.failed = f"journal stopped: {error.strerror or error}"

    def due_for_rotation(self) -> bool:
        """True when the file has used up half of what journals may take."""
        return self.bytes_written > self._bytes_max // 2 and not self.failed

    def rotate(self, state: bytes, site: str) -> None:
        """Begin this boot's next file with the Switch's encoded state; the pending batch belongs to the old one."""
        self.write(*self.take())
        self._finish()
        self.header.serial += 1
        self.header.site = site
        self._digest = blake2b(digest_size=32)
        try:
            self.path = self._open()
        except OSError as error:
            self.failed = f"journal stopped: {error.strerror or error}"
            return
        sealed = self.keys.seal(STATE_KEY, state)
        self.write(self.keys.take_unsaved(), frame(b"C" + _encode((self.inputs, STATE_KEY, sealed))))
        self.bytes_written = 0

    def close(self) -> None:
        """Write what is pending and a clean end."""
        self.write(*self.take())
        self._finish()

    def _open(self) -> Path:
        prune(self.folder, self._bytes_max // 2, self.header.boot)
        path = self.folder / f"{self.header.boot}-{self.header.serial:04d}.journal"
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.write(self._descriptor, MAGIC + frame(b"H" + _encode(self.header)))
        return path

    def _finish(self) -> None:
        if self._descriptor < 0:
            return
        self.write(b"", frame(b"E" + _encode((self.inputs,))))
        with suppress(OSError):
            os.fsync(self._descriptor)
        os.close(self._descriptor)
        self._descriptor = -1


def hash_outputs(digest: blake2b, outputs: list[Output]) -> None:
    """Update a running digest by outputs, independent of how they were batched."""
    digest.update(b"".join(map(_encode, outputs)))


def prune(folder: Path, bytes_max: int, boot: str = "") -> None:
    """Delete the oldest journals (and key files without a journal, but never those of `boot`) until the rest fits."""
    journals = sorted(folder.glob("*.journal"), key=lambda path: (path.stat().st_mtime_ns, path.name), reverse=True)
    total = 0
    kept = {boot}
    for path in journals:
        total += path.stat().st_size
        if total > bytes_max:
            path.unlink(missing_ok=True)
        else:
            kept.add(path.name.rpartition("-")[0])
    for path in sorted(folder.glob("*.keys")):
        if path.stem not in kept:
            path.unlink(missing_ok=True)


# --- reading ---------------------------------------------------------------------------------------------
class JournalError(RingdownError):
    """Not a journal, or one of another format."""


def records(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(kind, msgpack) of every whole record; ends silently at a torn one. Raises JournalError for another file."""
    if not content.startswith(MAGIC):
        raise JournalError("this is no Ringdown journal (or one of another format)")
    at = len(MAGIC)
    while at + _frame.size <= len(content):
        length, check = _frame.unpack_from(content, at)
        body = content[at + _frame.size:at + _frame.size + length]
        if not 0 < length <= record_bytes_max or len(body) < length or crc32(body) != check:
            return
        at += _frame.size + length
        yield body[:1], body[1:]


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
    clean_end: bool = False
    engine_ms: int = 0  # engine time covered
    version: str = ""


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
    destroyed key. Raises JournalError when the file can't be read as a journal at all.
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
