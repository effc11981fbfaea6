"""Notes in the record store about the store itself: who backed up, restored, erased or swept what."""

from __future__ import annotations

import os
import secrets as chance
import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing
from hashlib import blake2b
from pathlib import Path

from engine.errors import SiteError
from engine.records import numbers, schema
from engine.records.events import Event
from engine.runtime.migrations import StorageRefused, check

KIND = "engine.records"
KEY = "erasure.key"
busy_s = 10.0


def counts_text(counts: Mapping[str, int]) -> str:
    """`calls=3 events=40`; nothing is said of what is 0."""
    return " ".join(f"{name}={count}" for name, count in counts.items() if count)


def subject(folder: Path, number: str, country: str = "") -> str:
    """What stands for a number in notes: a hash under the folder's own key, so that only who has the key can ask
    whether a number was erased, and nobody can read one off. Raises OSError."""
    path = folder / KEY
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        pass
    else:
        with os.fdopen(descriptor, "w") as file:
            file.write(chance.token_hex(32) + "\n")
    key = bytes.fromhex(path.read_text().strip())
    return "k:" + blake2b(numbers.canonical(number, country).encode(), key=key, digest_size=8).hexdigest()


def write(path: Path, author: str, act: str, subject: str, counts: str) -> None:
    """Write the note as the only event of a boot of its own: no engine runs that could tell it. Raises SiteError.

    A store that is older than today's schema takes it too: events have not changed since the first.
    """
    at_ms = time.time_ns() // 1_000_000
    data: dict[str, str | int | float | bool | None] = {
        "author": author, "act": act, "subject": subject, "counts": counts,
    }  # fmt: skip
    event = Event(1, f"cli-{chance.token_hex(4)}", at_ms, time.monotonic_ns() // 1_000_000, KIND, "", "", data)
    try:
        with closing(sqlite3.connect(path, timeout=busy_s, isolation_level=None)) as db:
            check(db, path)
            row = db.execute("SELECT node FROM events LIMIT 1").fetchone()
            db.execute(schema.INSERT_EVENT, schema.event_row(row[0] if row else "a", event))
    except (sqlite3.Error, StorageRefused) as error:
        raise SiteError(f"done, but {path.name} didn't take the note about it: {error}") from error
