"""Every version of the site that was in force, whole, in the data folder: what `diff` compares and `rollback` loads.

`versions/objects/SHA256` holds each file once; `versions/VERSION/` is the site as a folder of hard links into it, so
that ordinary tools read it too; `versions/book.json` says what was in force when, by whom. Bounded by VERSIONS_MAX and
BYTES_MAX: the oldest go first, never the one in force, the one before it, or one that calls still use.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path

import msgspec

from engine.errors import SiteError

FOLDER = "versions"
FORMAT = 1
VERSIONS_MAX = 50
BYTES_MAX = 4_000_000_000  # of all objects together
FREE_BYTES_MIN = 64_000_000  # what a version leaves on the disk: records and recordings come first
PREFIX_MIN = 4  # letters by which a version may be named


class Version(msgspec.Struct):
    """One time that a version came into force. `act`: start | reload | rollback | share; times are Unix ms.

    `untested`: why its failing tests were passed over. `bytes`: of its files, before they are shared with others.
    """

    version: str
    at_ms: int
    act: str
    author: str
    files: int = 0
    bytes: int = 0
    changes: int = 0  # lines of the difference to the one before
    tests: str = ""
    untested: str = ""


class Book(msgspec.Struct):
    """`active` is in force. `held`: versions that a start must not bring into force although the site's folder still
    holds them: they were rolled back, or only a share of the calls runs on them."""

    format: int = FORMAT
    site: str = ""
    active: str = ""
    held: list[str] = []
    entries: list[Version] = []


class Store:
    """One data folder's versions. Every method may raise SiteError: the disk is full, a version isn't there."""

    def __init__(self, data: Path) -> None:
        self.folder = data / FOLDER
        self.path = self.folder / "book.json"
        self.objects = self.folder / "objects"

    # --- the book
    def book(self) -> Book:
        """What is written; an empty one when nothing is. One that can't be read is put aside."""
        try:
            book = msgspec.json.decode(self.path.read_bytes(), type=Book)
        except FileNotFoundError:
            return Book()
        except OSError as error:
            raise SiteError(f"can't read {self.path}: {error.strerror}") from error
        except msgspec.MsgspecError as error:
            aside = self.path.with_suffix(".unreadable")
            self.path.replace(aside)
            raise SiteError(f"{self.path}: {error}; put aside as {aside.name}") from error
        if book.format != FORMAT:
            raise SiteError(f"{self.path} has format {book.format}, this engine reads {FORMAT}")
        return book

    def write(self, book: Book) -> None:
        """The book, whole or not at all."""
        beside = self.path.with_suffix(".new")
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with beside.open("wb") as file:
                file.write(msgspec.json.format(msgspec.json.encode(book)))
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self.path)
        except OSError as error:
            raise SiteError(f"can't write {self.path}: {error.strerror}") from error

    def enter(self, entry: Version, site: str, held: Iterable[str] = (), *, in_use: Iterable[str] = ()) -> None:
        """`entry` is in force from now on (for act `share`: for some calls). What is too old goes."""
        book = self.book()
        book.site, book.held = site, list(dict.fromkeys(held))
        if entry.act != "share":
            book.active = entry.version
        last = book.entries[-1] if book.entries else None
        if entry.act != "start" or last is None or last.version != entry.version:
            book.entries.append(entry)
        self.write(book)
        self.prune(in_use)

    def named(self, name: str) -> str:
        """The kept version that `name` begins. Raises SiteError for none, several, or fewer than PREFIX_MIN letters."""
        known = list(dict.fromkeys(entry.version for entry in reversed(self.book().entries)))
        found = [version for version in known if version.startswith(name)] if len(name) >= PREFIX_MIN else []
        if len(found) == 1:
            return found[0]
        if found:
            raise SiteError(f"{name!r} begins several versions: {', '.join(each[:12] for each in found[:8])}")
        short = len(name) < PREFIX_MIN
        why = f"give at least {PREFIX_MIN} letters of one" if short else "`ringdown versions` lists them"
        raise SiteError(f"no version {name!r} is kept; {why}")

    def before(self, version: str) -> str:
        """What was in force for all calls before `version` last came to be, '' when nothing is known."""
        steps = [entry.version for entry in self.book().entries if entry.act != "share"]
        while steps and steps[-1] != version:
            steps.pop()
        return next((each for each in reversed(steps) if each != version), "")

    # --- the files
    def tree(self, version: str) -> Path:
        """The folder of a kept version. Raises SiteError when it is gone."""
        path = self.folder / version
        if not version or not path.is_dir():
            raise SiteError(f"the version {version[:12]!r} is not kept any more")
        return path

    def keep(self, version: str, files: Mapping[str, object], source: Path) -> int:
        """Keep a site that was read from `source`; how many bytes its files have.

        `files`: relative path -> bytes, or what has a `sha256` of a file that stays on disk. Raises SiteError when
        such a file has changed since it was read: then the version would not be what it says.
        """
        try:
            self.objects.mkdir(mode=0o700, parents=True, exist_ok=True)
            if (self.folder / version).is_dir():
                return sum(each.stat().st_size for each in (self.folder / version).rglob("*") if each.is_file())
            made = self.folder / f"new-{version}"
            shutil.rmtree(made, ignore_errors=True)
            self._room(files, source)
            size = 0
            for name in sorted(files):
                size += self._put(made / name, files[name], source / name)
            made.mkdir(mode=0o700, exist_ok=True)
            made.rename(self.folder / version)
        except OSError as error:
            where = error.filename or self.folder
            raise SiteError(f"can't keep this version in {self.folder}: {where}: {error.strerror}") from error
        return size

    def _room(self, files: Mapping[str, object], source: Path) -> None:
        """Raises SiteError when keeping these files could leave the records without a disk."""
        need = 0
        for name, content in files.items():
            need += len(content) if isinstance(content, bytes) else (source / name).stat().st_size
        free = shutil.disk_usage(self.folder).free
        if free - need < FREE_BYTES_MIN:
            needs = f"it needs {need // 1_000} kB of {free // 1_000} kB free"
            kept = f"{FREE_BYTES_MIN // 1_000_000} MB stay for records"
            raise SiteError(f"can't keep this version in {self.folder}: {needs}, and {kept}; make room")

    def _put(self, place: Path, content: object, source: Path) -> int:
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        known = "" if isinstance(content, bytes) else str(getattr(content, "sha256", ""))
        kept = self.objects / (known or "unknown")
        if not known or not kept.exists():
            data = content if isinstance(content, bytes) else source.read_bytes()
            digest = sha256(data).hexdigest()
            kept = self.objects / digest
            if known not in ("", digest):
                raise SiteError(f"{source} was changed while the site was read: reload again")
            beside = self.objects / f"new-{digest}"
            beside.write_bytes(data)
            beside.chmod(0o400)
            beside.rename(kept)
        try:
            os.link(kept, place)
        except OSError:  # a file system without hard links, or too many of them
            shutil.copyfile(kept, place)
        return kept.stat().st_size

    def prune(self, in_use: Iterable[str] = ()) -> list[str]:
        """Let the oldest go until the bounds hold; their names."""
        book = self.book()
        safe = dict.fromkeys([book.active, self.before(book.active), *in_use])
        gone: list[str] = []
        try:
            oldest = [each for each in dict.fromkeys(entry.version for entry in book.entries) if each not in safe]
            while oldest and (self._count() > VERSIONS_MAX or self.bytes() > BYTES_MAX):
                gone.append(oldest.pop(0))
                shutil.rmtree(self.folder / gone[-1], ignore_errors=True)
                self._sweep()
            if gone:
                book.entries = [entry for entry in book.entries if entry.version not in gone]
                self.write(book)
            known = dict.fromkeys([*safe, *(entry.version for entry in book.entries)])
            for path in self.folder.iterdir():  # read, but never in force: refused by its tests, or by the operator
                if path.is_dir() and path != self.objects and path.name not in known:
                    shutil.rmtree(path, ignore_errors=True)
            self._sweep()
        except OSError as error:
            raise SiteError(f"can't clear up {self.folder}: {error.strerror}") from error
        return gone

    def _count(self) -> int:
        return sum(1 for path in self.folder.iterdir() if path.is_dir() and path != self.objects)

    def bytes(self) -> int:
        """What all kept files take on disk."""
        return sum(path.stat().st_size for path in self.objects.iterdir())

    def _sweep(self) -> None:
        """Objects that no version links to."""
        for path in self.objects.iterdir():
            if path.stat().st_nlink == 1:
                path.unlink()
