"""Backups of a data folder while its engine runs, and the way back (for commands; nothing here runs in the engine).

A backup is one SQLite file: the record store as it stood at one moment, and beside its tables `backup_info` (when,
what, how many rows) and `backup_files` (queue_log; when asked for secrets, and recordings with messages of boxes and
prompts recorded by phone). It is read in one snapshot of the write-ahead log, so the engine goes on writing meanwhile
and waits for nothing.

Left out on purpose: the journal (it belongs to a boot and a place, and holds sealed keys beside what they seal) and,
unless asked for, the secrets: a backup usually travels, and HA1 digests are as good as passwords. The key that seals
trunks' and servers' secrets never goes with them.
"""

from __future__ import annotations

import os
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path, PurePosixPath

import msgspec

from engine import __version__
from engine.errors import SiteError
from engine.records import schema
from engine.runtime import store_walk
from engine.runtime.admin import SOCKET_NAME
from engine.runtime.migrations import StorageRefused, check
from engine.runtime.secrets import Secrets

STORE = "ringdown.db"
SOUNDS = ("recordings", "utterances", "voicemail", "prompts")  # of calls; messages in boxes, prompts by phone
SECRETS = "secrets.json"
QUEUE_LOG = "queue_log"
COUNTED = ("calls", "contacts", "queue_events", "agent_times", "agent_logins", "promises")
chunk_bytes = 1 << 20
busy_s = 10.0
_TABLES = """
CREATE TABLE backup_info (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE backup_files (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, data BLOB NOT NULL);
"""


class Made(msgspec.Struct):
    """What a backup holds: rows by table, files by kind, bytes of the backup, seconds it took and its checks took."""

    file: str
    made_at_ms: int
    schema: int
    rows: dict[str, int]
    events_to: dict[str, int]  # node/boot -> number of its last event
    files: dict[str, int]
    bytes: int = 0
    copy_s: float = 0.0
    check_s: float = 0.0


class Restored(msgspec.Struct):
    """What came back, and what was put aside for it."""

    made_at_ms: int
    rows: dict[str, int]
    files: dict[str, int]
    aside: list[str]
    sealed: list[str] = []  # secrets that came back and can't be opened here, as their key didn't


# --- backup ---
def backup(folder: Path, goal: Path, *, recordings: bool = False, secrets: bool = False) -> Made:
    """Back `folder` up into the new file `goal` (0600), checked before it gets its name.

    Raises SiteError: nothing to back up, `goal` exists, no room, or the copy failed its check (it is removed then).
    """
    path = folder / STORE
    if not path.exists():
        raise SiteError(f"there is no record store in {folder}: nothing to back up")
    if goal.exists():
        raise SiteError(f"{goal} exists: a backup overwrites nothing, choose another name")
    part = goal.with_name(goal.name + ".part")
    try:
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        raise SiteError(f"can't write {part}: {error.strerror}") from error
    try:
        made = _copy(path, part, recordings=recordings, secrets=secrets)
        began = time.monotonic()
        _verify(part, made)
        made.check_s = round(time.monotonic() - began, 2)
        _sync(part)
        os.link(part, goal)  # fails, unlike a rename, when somebody made it meanwhile
        _sync(goal.parent)
        made.file, made.bytes = str(goal), goal.stat().st_size
        return made
    except FileExistsError as error:
        raise SiteError(f"{goal} exists: a backup overwrites nothing, choose another name") from error
    except (sqlite3.Error, OSError, StorageRefused) as error:
        raise SiteError(f"no backup was made: {error}") from error
    finally:
        _discard(part)


def _copy(path: Path, part: Path, *, recordings: bool, secrets: bool) -> Made:
    began = time.monotonic()
    source = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=busy_s, isolation_level=None)
    with closing(source), closing(sqlite3.connect(part, isolation_level=None)) as copy:
        found = check(source, path)
        source.execute("BEGIN")  # counts and pages are of one moment
        made = Made("", int(time.time() * 1000), found, _counts(source), _events_to(source), {})
        source.execute(f"PRAGMA mmap_size = {1 << 34}")
        for pragma in ("synchronous = OFF", "journal_mode = OFF", "locking_mode = EXCLUSIVE"):
            copy.execute(f"PRAGMA {pragma}")  # nothing to roll back to: it is synced as a whole, or removed
        source.backup(copy)
        source.execute("COMMIT")
        copy.execute("PRAGMA journal_mode = OFF")
        copy.executescript(_TABLES)
        for name in _files(path.parent, recordings=recordings, secrets=secrets):
            kind = name.split("/")[0]
            made.files[kind] = made.files.get(kind, 0) + _keep(copy, path.parent, name)
        info = {"made_at_ms": str(made.made_at_ms), "version": __version__,
                "rows": msgspec.json.encode(made.rows).decode(),
                "events_to": msgspec.json.encode(made.events_to).decode()}  # fmt: skip
        copy.executemany("INSERT INTO backup_info VALUES (?,?)", info.items())
    made.copy_s = round(time.monotonic() - began, 2)
    return made


def _files(folder: Path, *, recordings: bool, secrets: bool) -> Iterator[str]:
    if (folder / QUEUE_LOG).exists():
        yield QUEUE_LOG
    if secrets and (folder / SECRETS).exists():
        yield SECRETS
    for home in SOUNDS if recordings else ():
        for path in sorted((folder / home).rglob("*")):
            if path.is_file() and not path.is_symlink():
                yield path.relative_to(folder).as_posix()


def _keep(copy: sqlite3.Connection, folder: Path, name: str) -> int:
    """One file as it is now; one that is being written is kept up to its present length. 0 when it has gone."""
    try:
        with (folder / name).open("rb") as file:
            length = os.fstat(file.fileno()).st_size
            insert = "INSERT INTO backup_files (name, data) VALUES (?, zeroblob(?))"
            row = copy.execute(insert, (name, length)).lastrowid
            if length:
                with copy.blobopen("backup_files", "data", row or 0) as blob:
                    while length > 0 and (data := file.read(min(length, chunk_bytes))):
                        blob.write(data)
                        length -= len(data)
    except FileNotFoundError:
        return 0
    return 1


def _counts(db: sqlite3.Connection) -> dict[str, int]:
    known = {str(name) for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    return {
        table: int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]) for table in COUNTED if table in known
    }


def _events_to(db: sqlite3.Connection) -> dict[str, int]:
    """The last event's number of every boot (counting them would take seconds)."""
    return {"/".join(boot): store_walk.span(db, "events", boot)[1] for boot in store_walk.boots(db)}


def _verify(part: Path, made: Made) -> None:
    """Read the copy back: sound as a database, and as many rows as were there. Raises SiteError.

    Table by table on two cores: the events are most of it.
    """
    with closing(_reader(part)) as copy:
        names = [str(name) for (name,) in copy.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    with ThreadPoolExecutor(2) as pool:
        verdicts = list(pool.map(lambda name: _sound(part, name), sorted(names, key=lambda name: name != "events")))
    damage = next((verdict for verdict in verdicts if verdict != "ok"), "")
    if damage:
        raise SiteError(f"no backup was made: the copy is damaged ({damage}); is the record store itself sound?")
    with closing(_reader(part)) as copy:
        if _counts(copy) != made.rows or _events_to(copy) != made.events_to:
            raise SiteError("no backup was made: the copy lacks rows; try again")


def _reader(part: Path) -> sqlite3.Connection:
    copy = sqlite3.connect(f"file:{part}?mode=ro", uri=True)
    copy.execute(f"PRAGMA mmap_size = {1 << 34}")
    return copy


def _sound(part: Path, table: str) -> str:
    with closing(_reader(part)) as copy:
        return str(copy.execute(f"PRAGMA integrity_check('{table}')").fetchone()[0])


def _discard(path: Path) -> None:
    """A half-made database with what SQLite put beside it."""
    for tail in ("", "-journal", "-wal", "-shm"):
        path.with_name(path.name + tail).unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# --- restore ---
def restore(
    backup_file: Path, folder: Path, *, replace: bool = False, clock: Callable[[], float] = time.time
) -> Restored:
    """Bring a backup back into `folder`. What stands there is put aside (never deleted), and only with `replace`.

    Raises SiteError, before anything is changed: no backup, from a newer engine, damaged, an engine runs there, or
    records exist and `replace` wasn't said.
    """
    with closing(_open_backup(backup_file)) as source:
        info = dict(source.execute("SELECT key, value FROM backup_info").fetchall())
        rows = msgspec.json.decode(info["rows"], type=dict[str, int])
        if running(folder):
            raise SiteError(f"an engine runs with {folder}: stop it first")
        names = [str(name) for (name,) in source.execute("SELECT name FROM backup_files ORDER BY id")]
        for name in names:
            _inside(name)
        if not replace and has_records(folder / STORE):
            raise SiteError(f"{folder} holds records already: --replace puts them aside and restores the backup")
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = folder / f"{STORE}.restoring"
        _discard(fresh)
        try:
            _bring_back(source, fresh)
            stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(clock()))
            aside = _put_aside(folder, names, stamp)
            fresh.rename(folder / STORE)
            files: dict[str, int] = {}
            for name in names:
                kind = name.split("/")[0]
                files[kind] = files.get(kind, 0) + _put_back(source, folder, name)
            _sync(folder)
        except (sqlite3.Error, OSError) as error:
            raise SiteError(f"the restore stopped: {error}; what stood there lies beside it with its time") from error
        finally:
            _discard(fresh)
    return Restored(int(info["made_at_ms"]), rows, files, aside, _unreadable(folder) if SECRETS in names else [])


def _unreadable(folder: Path) -> list[str]:
    """What lies sealed there and can't be opened: its key is elsewhere."""
    try:
        secrets = Secrets(folder)
    except SiteError:
        return []  # everything is back; the engine says at its start what is wrong with that file
    return [name for name in sorted(secrets.names()) if not secrets.readable(name)]


def running(folder: Path) -> bool:
    """Does an engine answer on this data folder's socket?"""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(2.0)
        try:
            probe.connect(str(folder / SOCKET_NAME))
        except OSError:
            return False
    return True


def has_records(path: Path) -> bool:
    """Is there a store with at least one event, or something there that can't be read?"""
    if not path.exists():
        return False
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=busy_s)) as db:
            if not check(db, path):
                return False
            return db.execute("SELECT 1 FROM events LIMIT 1").fetchone() is not None
    except (sqlite3.Error, StorageRefused):
        return True


def _open_backup(path: Path) -> sqlite3.Connection:
    if not path.is_file():
        raise SiteError(f"there is no file {path}")
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)
    try:
        check(db, path)
        tables = [str(name) for (name,) in db.execute("SELECT name FROM sqlite_master WHERE name LIKE 'backup_%'")]
        if sorted(tables) != ["backup_files", "backup_info"]:
            raise SiteError(f"{path.name} is no backup (made by `ringdown backup`)")
        (verdict,) = db.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise SiteError(f"{path.name} is damaged ({verdict}): take another backup")
    except StorageRefused as error:
        db.close()
        raise SiteError(f"{path.name} can't be restored: {error}") from error
    except sqlite3.Error as error:
        db.close()
        raise SiteError(f"{path.name} can't be read: {error}") from error
    except BaseException:
        db.close()
        raise
    return db


def _inside(name: str) -> None:
    """A name in a backup must stay in the data folder, and be of a kind that backups hold."""
    parts = PurePosixPath(name).parts
    if not parts or parts[0] not in (QUEUE_LOG, SECRETS, *SOUNDS) or ".." in parts or name.startswith("/"):
        raise SiteError(f"the backup holds a file {name!r} that doesn't belong into a data folder")


def _bring_back(source: sqlite3.Connection, fresh: Path) -> None:
    os.close(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    with closing(sqlite3.connect(fresh, isolation_level=None)) as copy:
        copy.execute("PRAGMA synchronous = OFF")
        source.backup(copy)
        copy.execute("PRAGMA secure_delete = ON")
        copy.execute("DROP TABLE backup_files")
        copy.execute("DROP TABLE backup_info")
        if schema.QUEUE_LOG_TAIL in {name for (name,) in copy.execute("SELECT name FROM sqlite_master")}:
            copy.execute("DELETE FROM queue_log_tail")  # of another file
    _sync(fresh)


def _put_aside(folder: Path, names: list[str], stamp: str) -> list[str]:
    """Rename what stands there; the store's log goes with it under the name by which SQLite finds it again."""
    aside = []
    for name in (STORE, *(each for each in names if "/" not in each)):
        if (folder / name).exists():
            aside.append(f"{name}.replaced-{stamp}")
            (folder / name).rename(folder / aside[-1])
    log = folder / f"{STORE}-wal"
    if log.exists():
        log.rename(folder / f"{STORE}.replaced-{stamp}-wal")
    (folder / f"{STORE}-shm").unlink(missing_ok=True)
    return aside


def _put_back(source: sqlite3.Connection, folder: Path, name: str) -> int:
    """Write one file, 0600; a recording that is there already stays."""
    path = folder / name
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    row, length = source.execute("SELECT id, length(data) FROM backup_files WHERE name = ?", (name,)).fetchone()
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return 0
    with os.fdopen(descriptor, "wb") as file:
        if length:
            with source.blobopen("backup_files", "data", row, readonly=True) as blob:
                while data := blob.read(chunk_bytes):
                    file.write(data)
    return 1
