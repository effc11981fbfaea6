"""Sealing of sensitive journal records: AES-256-GCM with one random key per name (per call), kept apart.

The keys file (0600) is the only way back to a sealed value: destroying a key erases the content wherever copies of the
journal lie. A line is `name hex-key`; a destroyed key's digits are overwritten in place by zeroes and synced.
"""

from __future__ import annotations

import os
import secrets as chance
import threading
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from engine.errors import RingdownError

nonce_bytes = 12
key_bytes = 32
ciphers_kept_max = 4_096
_DESTROYED = "0" * (2 * key_bytes)


class KeyDestroyed(RingdownError):
    """The key of this name is gone: its records can't be read any more, by anybody."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the key {name!r} was destroyed or is missing: what it sealed can't be read any more")
        self.name = name


class Keys:
    """The keys file as names -> ciphers. New keys are appended by `flush`, before any record that needs them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._keys: dict[str, bytes] = {}
        self._ciphers: dict[str, AESGCM] = {}
        self._unsaved: list[str] = []
        self._flushing = threading.Lock()  # the loop saves a call's key while the journal's thread saves a state's
        self._read()

    def _read(self) -> None:
        if not self.path.exists():
            return
        for line in self.path.read_text().splitlines():
            name, _, digits = line.rpartition(" ")
            if name and len(digits) == 2 * key_bytes and digits != _DESTROYED:
                try:
                    self._keys[name] = bytes.fromhex(digits)
                except ValueError:
                    continue  # a torn last line: its key never sealed anything that was written

    def seal(self, name: str, plain: bytes) -> bytes:
        """nonce + ciphertext under the key of `name`; a new name gets a new key. The name is authenticated with it."""
        nonce = chance.token_bytes(nonce_bytes)
        return nonce + self._cipher(name, create=True).encrypt(nonce, plain, name.encode())

    def open(self, name: str, sealed: bytes) -> bytes:
        """The plain bytes. Raises KeyDestroyed when the key is gone or the record was made under another one."""
        try:
            return self._cipher(name, create=False).decrypt(sealed[:nonce_bytes], sealed[nonce_bytes:], name.encode())
        except (InvalidTag, ValueError) as error:
            raise KeyDestroyed(name) from error

    def _cipher(self, name: str, *, create: bool) -> AESGCM:
        cipher = self._ciphers.get(name)
        if cipher is not None:
            return cipher
        key = self._keys.get(name)
        if key is None:
            if not create:
                raise KeyDestroyed(name)
            key = self._keys[name] = chance.token_bytes(key_bytes)
            self._unsaved.append(name)
        if len(self._ciphers) >= ciphers_kept_max:
            self._ciphers.clear()
        cipher = self._ciphers[name] = AESGCM(key)
        return cipher

    def take_unsaved(self) -> bytes:
        """Lines for the keys made since the last call; the caller appends them with `append` before its records."""
        names, self._unsaved = self._unsaved, []
        return "".join(f"{name} {self._keys[name].hex()}\n" for name in names).encode()

    def append(self, lines: bytes) -> None:
        """Append saved lines to the file (made 0600 when new). Raises OSError."""
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(descriptor, lines)
        finally:
            os.close(descriptor)

    def flush(self) -> None:
        """Save what is unsaved, now. Raises OSError."""
        if not self._unsaved:
            return
        with self._flushing:
            lines = self.take_unsaved()
            if lines:
                self.append(lines)

    def has(self, name: str) -> bool:
        """Is there a living key of this name?"""
        return name in self._keys

    def forget(self, name: str) -> None:
        """Drop the key from memory only (its call is long over); the file keeps it."""
        if name not in self._unsaved:
            self._keys.pop(name, None)
            self._ciphers.pop(name, None)

    def names(self) -> list[str]:
        """Every key that is held."""
        return list(self._keys)

    def rewrite(self) -> None:
        """Put the file down to the keys that are held (what was forgotten is gone then). Raises OSError."""
        with self._flushing:
            self._unsaved.clear()
            lines = "".join(f"{name} {key.hex()}\n" for name, key in list(self._keys.items())).encode()
            made = self.path.with_suffix(".keys-new")
            descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            try:
                os.write(descriptor, lines)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            made.replace(self.path)

    def destroy(self, name: str) -> bool:
        """Overwrite the key in the file and forget it. True when there was one. Raises OSError."""
        self.flush()
        self._keys.pop(name, None)
        self._ciphers.pop(name, None)
        if not self.path.exists():
            return False
        content = self.path.read_bytes()
        mark = name.encode() + b" "
        at, found = 0, False
        with self.path.open("r+b") as file:
            for line in content.splitlines(keepends=True):
                if line.startswith(mark) and len(line) == len(mark) + 2 * key_bytes + 1:
                    found = found or line[len(mark):-1] != _DESTROYED.encode()
                    file.seek(at + len(mark))
                    file.write(_DESTROYED.encode())
                at += len(line)
            file.flush()
            os.fsync(file.fileno())
        return found
