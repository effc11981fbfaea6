"""Where SRTP keys are: here, inside libcrypto's contexts, and in the messages on the wire. Nowhere else.

A message's `a=crypto` lines are rewritten at the sockets. What comes in has each key replaced by a *handle* of the same
length before anything sees it: journal, Switch, checkpoints, captures, log and console know handles only. What goes
out has the handles of our own keys replaced by the keys, the last thing before the socket; a key of ours is made of
the system's randomness when its handle first asks for it. Handles of far ends never become keys again on the wire, and
whatever else a far end writes where a key belongs is blotted out, so nobody can name a key that isn't his.

The keys lie in a file of /dev/shm beside the plane's (mode 0600, no disk), so that the engine after a crash goes on
with the calls; a clean end wipes it. A call's keys are wiped with its legs, and with them those that were offered
beside and not taken. Keys of calls that never came about go when room is needed.
"""

from __future__ import annotations

import base64
import binascii
import mmap
import os
import re
import secrets
from collections import OrderedDict
from pathlib import Path

from engine import limits

_LINES = re.compile(rb"a=[ \t]*crypto[ \t]*:[^\r\n]*")
_KEYS = re.compile(rb"(?i)(inline:)([^|;\s]*)")
_OURS = re.compile(rb"(?<=inline:)(~o(\d\d)\.[0-9a-f]{16})~*")
_NO_METHOD = re.compile(rb"(:[ \t]*\S+[ \t]+\S+[ \t]+)(.*)", re.DOTALL)
_LENGTHS = (30, 28)  # master key and salt of AES-128: CM and GCM
_SLOT = 64  # a handle's 21 bytes from 0 on, its group's 8 at 21, the key's length at 30, the key from 32 on
_HANDLE_BYTES = 21
_FILLER = b"~"


class KeyVault:
    """`path`: the file in which the keys outlive the process, None for none. `going_on`: with what lies in it.

    `detail` says why there is no such file, '' when there is (or none is wanted).
    """

    def __init__(
        self, path: Path | None = None, *, going_on: bool = False, keys_max: int = limits.srtp_keys_max
    ) -> None:
        self.path, self.detail = path, ""
        self._keys: OrderedDict[str, tuple[bytes, int, str]] = OrderedDict()  # handle -> key, slot, group; oldest first
        self._groups: dict[str, list[str]] = {}  # keys that were offered together
        self._handles: dict[bytes, str] = {}  # of far ends, by key: a repeated message says the same again
        self._held: dict[str, int] = {}
        self._free = list(range(keys_max - 1, -1, -1))
        self._memory: mmap.mmap | None = None
        if path is not None:
            try:
                self._open(path, _SLOT * keys_max, going_on)
            except OSError as error:
                self.detail = f"{path}: {error.strerror or error}: after a crash encrypted calls agree on new keys"

    def _open(self, path: Path, size: int, going_on: bool) -> None:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            if os.fstat(descriptor).st_uid != os.getuid():
                raise OSError(1, "belongs to somebody else")
            os.fchmod(descriptor, 0o600)
            if not going_on or os.fstat(descriptor).st_size != size:
                os.ftruncate(descriptor, 0)
            os.posix_fallocate(descriptor, 0, size)
            self._memory = mmap.mmap(descriptor, size)
        finally:
            os.close(descriptor)
        taken = []
        for slot in range(size // _SLOT):
            content = self._memory[_SLOT * slot : _SLOT * (slot + 1)]
            length = content[30]
            if length in _LENGTHS and content.startswith(_FILLER):
                handle = content[:_HANDLE_BYTES].decode("ascii", "replace")
                key = content[32 : 32 + length]
                self._enter(handle, key, slot, _group_of(handle, content[_HANDLE_BYTES:_HANDLE_BYTES + 8].hex()))
                if handle[1] == "k":
                    self._handles[key] = handle
                taken.append(slot)
        gone = dict.fromkeys(taken)
        self._free = [slot for slot in self._free if slot not in gone]

    # --- messages --------------------------------------------------------------------------------------------
    def seal(self, data: bytes) -> bytes:
        """A message from the wire with handles for keys; as long as before."""
        if b"crypto" not in data:
            return data
        group = secrets.token_hex(8)
        return _LINES.sub(lambda line: self._seal_line(line[0], group), data)

    def _seal_line(self, line: bytes, group: str) -> bytes:
        sealed, count = _KEYS.subn(lambda found: found[1] + self._handle_for(found[2], group), line)
        if count == 0:  # another way to name a key, which we don't know
            return _NO_METHOD.sub(lambda found: found[1] + _FILLER * len(found[2]), line)
        return sealed

    def _handle_for(self, text: bytes, group: str) -> bytes:
        key = _decoded(text)
        if key is None:
            return _FILLER * len(text)
        handle = self._handles.get(key)
        if handle is None:
            handle = f"~k{len(key)}.{secrets.token_hex(8)}"
            if not self._keep(handle, key, group):
                return _FILLER * len(text)
            self._handles[key] = handle
        return handle.encode().ljust(len(text), _FILLER)

    def unseal(self, data: bytes) -> bytes:
        """A message for the wire with our own keys in place of their handles; as long as before."""
        if b"inline:~o" not in data:
            return data
        return _LINES.sub(lambda line: _OURS.sub(self._text_of, line[0]), data)

    def _text_of(self, found: re.Match[bytes]) -> bytes:
        key = self.key(found[1].decode())
        text = base64.b64encode(key) if key is not None else b""
        return text if len(text) == len(found[0]) else found[0]

    # --- keys --------------------------------------------------------------------------------------------------
    def key(self, handle: str, *, make: bool = True) -> bytes | None:
        """The key of a handle, one of ours being made now if it is new and `make`; None when there is none."""
        kept = self._keys.get(handle)
        if kept is not None:
            return kept[0]
        if not make or not handle.startswith("~o") or len(handle) != _HANDLE_BYTES:
            return None
        length = int(handle[2:4]) if handle[2:4].isdecimal() else 0
        key = secrets.token_bytes(length) if length in _LENGTHS else b""
        return key if key and self._keep(handle, key) else None

    def hold(self, handle: str) -> None:
        """A leg uses it: not to be given up."""
        self._held[handle] = self._held.get(handle, 0) + 1

    def release(self, handle: str) -> None:
        """A leg doesn't any more; the last one's going wipes it, and what was offered beside it."""
        count = self._held.pop(handle, 1) - 1
        if count > 0:
            self._held[handle] = count
        elif handle in self._keys:
            for each in list(self._groups[self._keys[handle][2]]):
                if each not in self._held:
                    self._wipe(each)

    def _keep(self, handle: str, key: bytes, group: str = "") -> bool:
        if not self._free:
            oldest = next((each for each in self._keys if each not in self._held), None)
            if oldest is None:
                return False
            self._wipe(oldest)
        slot = self._free.pop()
        self._enter(handle, key, slot, _group_of(handle, group))
        if self._memory is not None:
            beside = bytes.fromhex(group)[:8] if handle[1] == "k" else b""
            content = (handle.encode() + beside).ljust(30, b"\0") + bytes((len(key), 0)) + key
            self._memory[_SLOT * slot : _SLOT * (slot + 1)] = content.ljust(_SLOT, b"\0")
        return True

    def _enter(self, handle: str, key: bytes, slot: int, group: str) -> None:
        self._keys[handle] = (key, slot, group)
        self._groups.setdefault(group, []).append(handle)

    def _wipe(self, handle: str) -> None:
        kept = self._keys.pop(handle, None)
        if kept is None:
            return
        key, slot, group = kept
        self._groups[group].remove(handle)
        if not self._groups[group]:
            del self._groups[group]
        if self._handles.get(key) == handle:
            del self._handles[key]
        if self._memory is not None:
            self._memory[_SLOT * slot : _SLOT * (slot + 1)] = bytes(_SLOT)
        self._free.append(slot)

    def __len__(self) -> int:
        return len(self._keys)

    def close(self, *, forget: bool = True) -> None:
        """The end; `forget` False leaves the keys to the engine that goes on."""
        memory, self._memory = self._memory, None
        if memory is not None and self.path is not None:
            if forget:
                memory[:] = bytes(len(memory))
                self.path.unlink(missing_ok=True)
            memory.close()
        self._keys.clear()
        self._groups.clear()
        self._handles.clear()


def _group_of(handle: str, group: str) -> str:
    """Ours are those of one session: their handles differ in the suite only."""
    return handle[5:20] if handle[1] == "o" else group


def _decoded(text: bytes) -> bytes | None:
    """The key that a far end wrote, None for what is none of a length we use. Some leave the padding out."""
    try:
        key = base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if len(key) in _LENGTHS and len(text) >= 38 else None
