"""Secrets that stand in clear in a site's files: found by their place, and replaced there by their names.

Moved are those that somebody must be shown: of trunks (trunks.yaml), lookups (lookups.yaml), the broker and the mail
server (site.yaml). Agents' are not: the engine makes them. `find`, keep what it found, then `rewrite`: should that fail
in between, every secret is in both places and none is lost.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec

from engine import marks
from engine.dialplan.values import PASSWORD_KEYS
from engine.errors import SiteError

_NAMED = re.compile(r"secret\s")


class Found(msgspec.Struct):
    """A secret in clear: its file below the site, its place (line and column from 1, width in characters), the word
    before it, and what it will be called."""

    file: str
    line: int
    column: int
    width: int
    text: str
    name: str
    key: marks.Scalar


def find(site: Path) -> list[Found]:
    """Every secret that can be moved, in the order of files and lines. Raises SiteError, and names the place, when one
    can't be: it isn't written on one line, or two of one name differ."""
    found: list[Found] = []
    for path in sorted(site.rglob("*.yaml")):
        if path.name not in ("trunks.yaml", "lookups.yaml", "site.yaml"):
            continue
        name = path.relative_to(site).as_posix()
        root, _ = marks.load(path.read_bytes(), name)
        if isinstance(root, marks.Mapping):
            found += _in_file(path.name, root)
    known: dict[str, Found] = {}
    for each in found:
        other = known.setdefault(each.name, each)
        if other.text != each.text:
            raise SiteError(
                f"{each.file}:{each.line}: this would be the secret {each.name}, as {other.file}:{other.line} would, "
                "and they differ: write `secret OTHER` at one, and put it there by `ringdown secret set OTHER`"
            )
    return found


def _in_file(kind: str, root: marks.Mapping) -> Iterator[Found]:
    if kind == "site.yaml":
        forms = [(name, root.entries.get(name)) for name in ("bus", "mail")]
    else:
        forms = [(key.text, value) for key, value in root]
    words = ("auth",) if kind == "lookups.yaml" else ("password", "passwd", "pass", "secret", "token", "auth")
    for name, form in forms:
        if not isinstance(form, marks.Mapping):
            continue
        clear = [(key, value) for key, value in form if key.text in words and isinstance(value, marks.Scalar)
                 and not _NAMED.match(value.text)]  # fmt: skip
        if len(clear) > 1:
            key, _ = clear[1]
            raise SiteError(f"{key.file}:{key.line}:{key.column}: a second secret of {name}: take one of them away")
        for key, value in clear:
            assert isinstance(value, marks.Scalar)
            if value.style in ("|", ">"):
                where = f"{value.file}:{value.line}:{value.column}"
                raise SiteError(f"{where}: a secret over several lines: write it on one")
            yield Found(value.file, value.line, value.column, value.width, value.text, _name(name), key)


def _name(text: str) -> str:
    """A name for a secret, from the name of what uses it."""
    return "".join(each if each.isascii() and (each.isalnum() or each in "_-") else "_" for each in text)[:64]


def rewrite(site: Path, found: list[Found]) -> None:
    """Put `secret NAME` where each secret stands, nothing else is touched: comments and line ends stay. Each file is
    replaced at once, with the mode and owner that it has. Raises SiteError."""
    files: dict[str, list[Found]] = {}
    for each in found:
        files.setdefault(each.file, []).append(each)
    for name, here in files.items():
        path = site / name
        try:
            lines = path.read_bytes().decode().split("\n")
            for each in sorted(here, key=lambda one: (one.line, one.column), reverse=True):
                _replace(lines, each)
            _put(path, "\n".join(lines).encode())
        except (OSError, UnicodeDecodeError) as error:
            raise SiteError(f"can't rewrite {path}: {error}; its secrets are kept, and stand there still") from error


def _replace(lines: list[str], found: Found) -> None:
    """On the text's own line; a word that nothing reads becomes `password`."""
    line = lines[found.line - 1]
    start = found.column - 1
    line = f"{line[:start]}secret {found.name}{line[start + found.width:]}"
    if found.key.text in PASSWORD_KEYS and found.key.text != "password" and found.key.line == found.line:
        start = found.key.column - 1
        line = f"{line[:start]}password{line[start + found.key.width:]}"
    lines[found.line - 1] = line


def _put(path: Path, data: bytes) -> None:
    before = path.stat()
    beside = path.with_name(f".{path.name}.new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, stat.S_IMODE(before.st_mode))
            if (os.geteuid(), os.getegid()) != (before.st_uid, before.st_gid):
                os.fchown(descriptor, before.st_uid, before.st_gid)
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        beside.rename(path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
