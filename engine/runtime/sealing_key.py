"""The key under which a site's secrets lie sealed at rest, and the sealing itself (AES-256-GCM).

A key is one line of 64 hexadecimal digits. It comes from the service manager's credential `secrets_key`
(systemd.exec(5), LoadCredentialEncrypted=), else from the file that RINGDOWN_KEY_FILE names, else from `secrets.key` of
the data folder, which is made when it is first needed. Several lines are several keys: the first one seals, any opens,
which is how one is replaced. All of these places open; only the best of them seals.

A sealed text is `sealed:KEY:CONTENT`: KEY eight digits that tell which key it was (they tell nothing of it), CONTENT
nonce and ciphertext as base64. The name of a secret is authenticated with it, so none can be put in another's place.
"""

from __future__ import annotations

import os
import re
import secrets as chance
import stat
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from hashlib import blake2b
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from engine.errors import SiteError

CREDENTIAL = "secrets_key"
VARIABLE = "RINGDOWN_KEY_FILE"
FILE = "secrets.key"
key_bytes = 32
nonce_bytes = 12
keys_max = 16
key_file_bytes_max = 4_096
_SEALED = re.compile(r"sealed:([0-9a-f]{8}):([A-Za-z0-9_-]{38,8192}={0,2})")
_LINE = re.compile(r"[0-9a-fA-F]{64}")


class Unreadable(SiteError):
    """What can't be opened here: `key` tells under which key it was sealed, '' when it was changed since."""

    def __init__(self, text: str, key: str) -> None:
        super().__init__(text)
        self.key = key


def is_sealed(text: str) -> bool:
    """Is this a sealed text, and not one in clear?"""
    return _SEALED.fullmatch(text) is not None


def key_of(text: str) -> str:
    """The eight digits of the key under which a text was sealed; '' of one in clear."""
    found = _SEALED.fullmatch(text)
    return found[1] if found is not None else ""


def name_of(key: bytes) -> str:
    """Eight digits that tell which key it is, and nothing of it."""
    return blake2b(key, digest_size=4, person=b"ringdown-key").hexdigest()


class SealingKey:
    """The keys of a data folder. `told`: lines for the log, about files whose mode was mended. Raises SiteError."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / FILE
        self.told: list[str] = []
        self.place = ""  # where the key that seals comes from, in words; '' while there is none
        self._keys: dict[str, bytes] = {}
        self._read()

    def _read(self) -> None:
        directory, named = os.environ.get("CREDENTIALS_DIRECTORY", ""), os.environ.get(VARIABLE, "")
        if directory and (Path(directory) / CREDENTIAL).exists():
            self._take(Path(directory) / CREDENTIAL, f"the credential {CREDENTIAL}", guarded=True)
        if named:
            self._take(Path(named), named)
        if self.path.exists() or self.path.is_symlink():
            self._take(self.path, str(self.path))

    def _take(self, path: Path, place: str, *, guarded: bool = False) -> None:
        """Add a file's keys; `guarded`: the service manager watches over its mode."""
        try:
            if not guarded:
                self.told += narrow(path)
            with path.open("rb") as file:
                data = file.read(key_file_bytes_max + 1)
        except OSError as error:
            raise SiteError(f"can't read the key {path}: {error.strerror}") from error
        lines = data.decode("ascii", "replace").split()
        if not 1 <= len(lines) <= keys_max or not all(_LINE.fullmatch(line) for line in lines):
            raise SiteError(
                f"{path} holds no key: it is one line of 64 hexadecimal digits, as `openssl rand -hex 32` makes it"
            )
        self.place = self.place or place
        for line in lines:
            key = bytes.fromhex(line)
            self._keys.setdefault(name_of(key), key)

    @property
    def name(self) -> str:
        """The eight digits of the key that seals; '' while there is none."""
        return next(iter(self._keys), "")

    @property
    def in_folder(self) -> bool:
        """Does the key that seals come from the data folder?"""
        return self.place == str(self.path)

    def seal(self, name: str, text: str) -> str:
        """`text` sealed for the secret `name`; makes the data folder's key when there is none. Raises SiteError."""
        if not self._keys:
            self._make()
        key = self.name
        nonce = chance.token_bytes(nonce_bytes)
        sealed = _cipher(self._keys[key]).encrypt(nonce, text.encode(), _bound(key, name))
        return f"sealed:{key}:{urlsafe_b64encode(nonce + sealed).decode()}"

    def open(self, name: str, text: str) -> str:
        """What `seal` was given; a text in clear is given back as it is. Raises Unreadable."""
        found = _SEALED.fullmatch(text)
        if found is None:
            return text
        key = self._keys.get(found[1])
        if key is None:
            raise Unreadable(f"it is sealed with the key {found[1]}, which is not here", found[1])
        try:
            data = urlsafe_b64decode(found[2])
            plain = _cipher(key).decrypt(data[:nonce_bytes], data[nonce_bytes:], _bound(found[1], name))
        except (InvalidTag, NotBase64, ValueError) as error:
            raise Unreadable("it was changed since it was sealed, or it is another secret's", "") from error
        return plain.decode()

    def can_open(self, text: str) -> bool:
        """Is it in clear, or sealed with a key that is here?"""
        key = key_of(text)
        return not key or key in self._keys

    def _make(self) -> None:
        key = chance.token_bytes(key_bytes)
        write(self.path, f"{key.hex()}\n".encode(), new=True)
        self.place = str(self.path)
        self._keys = {name_of(key): key, **self._keys}

    def begin_rotation(self) -> str:
        """A new key before those that are there, in the data folder's file; returns its digits.

        Raises SiteError when the key that seals doesn't lie in the data folder: then it is the admin's to replace.
        """
        if self._keys and not self.in_folder:
            raise SiteError(
                f"the key comes from {self.place}: put a new line of 64 digits above the old one there and restart the "
                "engine, which then seals everything anew; after that take the old line away"
            )
        key = chance.token_bytes(key_bytes)
        kept = {name_of(key): key, **self._keys}
        while len(kept) > keys_max:
            kept.popitem()
        write(self.path, "".join(f"{each.hex()}\n" for each in kept.values()).encode())
        self._keys, self.place = kept, str(self.path)
        return self.name

    def end_rotation(self) -> None:
        """Everything is sealed with the first key: the others end. Raises SiteError."""
        name = self.name
        write(self.path, f"{self._keys[name].hex()}\n".encode())
        self._keys = {name: self._keys[name]}


def _cipher(key: bytes) -> AESGCM:
    return AESGCM(key)


def _bound(key: str, name: str) -> bytes:
    return f"ringdown secret {key} {name}".encode()


def narrow(path: Path) -> list[str]:
    """Take a secret file's rights away from everybody but its owner, and say so; [] when they were narrow.

    Raises SiteError when that can't be done: it is no plain file, or somebody else's.
    """
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise SiteError(f"{path} is no file: secrets lie in a plain file of mode 0600")
        if found.st_mode & 0o077 == 0:
            return []
        shown = f"{stat.S_IMODE(found.st_mode):04o}"
        try:
            path.chmod(0o600)
        except PermissionError as error:
            raise SiteError(
                f"{path} is open to others (mode {shown}) and belongs to another user: run `chmod 600 {path}` as its "
                "owner, or as root"
            ) from error
    except FileNotFoundError:
        return []
    except OSError as error:
        raise SiteError(f"can't look at {path}: {error.strerror}") from error
    return [f"{path} was open to others (mode {shown}) and is 0600 now: what others may have read is to be replaced"]


def write(path: Path, data: bytes, *, new: bool = False) -> None:
    """Write a secret file 0600 beside itself and rename: a crash leaves the old one or the new one.

    It belongs to the folder's owner, also when root writes it for the engine. `new`: never over another's.
    Raises SiteError.
    """
    beside = path.with_name(path.name + ".new")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, 0o600)
            owner = path.parent.stat()
            if os.geteuid() == 0 and owner.st_uid != 0:
                os.fchown(descriptor, owner.st_uid, owner.st_gid)
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        if new:
            os.link(beside, path)
            beside.unlink()
        else:
            beside.rename(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except FileExistsError as error:
        raise SiteError(f"{path} was made by somebody else just now: try again") from error
    except OSError as error:
        raise SiteError(f"can't write {path}: {error.strerror}; nothing was changed") from error
