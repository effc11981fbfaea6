"""What a caller has left in boxes, for `erasing`: rows, files, and letters that wait in the mail spool."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

FOLDER = "voicemail"
SPOOL = "mail"
_TABLE = "SELECT count(*) FROM sqlite_master WHERE name = 'voicemail'"


def names(db: sqlite3.Connection, core: str, is_his: Callable[[str], bool]) -> list[str]:
    """The messages whose rows name him: all of them are looked at, there are never many."""
    if not db.execute(_TABLE).fetchone()[0]:
        return []  # of an engine before schema 4
    rows = db.execute("SELECT message, caller, name, dialled FROM voicemail").fetchall()
    return [str(row[0]) for row in rows if any(core in text.lower() and is_his(text) for text in row[1:])]


def files(folder: Path, calls: Iterable[tuple[str, str, int, str]]) -> list[str]:
    """Files of his calls that no row knows any more: a message is named after its call."""
    home = folder / FOLDER
    found = []
    for _, boot, _, call in calls:
        if call:
            found += [path.relative_to(folder).as_posix() for path in home.glob(f"*/*/{call}-{boot}-*.wav")]
    return sorted(found)


def known(folder: Path, messages: Sequence[str]) -> list[str]:
    """Those of them that are still there: as a file inside the folder, or as a row."""
    home = (folder / FOLDER).resolve()
    found = [name for name in messages if (path := (folder / name).resolve()).is_relative_to(home) and path.is_file()]
    store = folder / "ringdown.db"
    if store.exists():
        db = sqlite3.connect(store)
        try:
            if db.execute(_TABLE).fetchone()[0]:
                rows = {str(row[0]) for row in db.execute("SELECT message FROM voicemail")}
                found += [name for name in messages if name in rows and name not in found]
        finally:
            db.close()
    return found


def mails(folder: Path, whole: re.Pattern[bytes], messages: Sequence[str]) -> list[Path]:
    """Letters in the spool that name him, or carry one of his messages."""
    found = []
    for path in sorted((folder / SPOOL).glob("*.json*")):
        content = path.read_bytes()
        if whole.search(content) or any(name.encode() in content for name in messages):
            found.append(path)
    return found


def delete(db: sqlite3.Connection, messages: Sequence[str]) -> None:
    """Their rows; a running engine deletes the same ones again, which changes nothing."""
    if messages and db.execute(_TABLE).fetchone()[0]:
        db.execute("BEGIN IMMEDIATE")
        db.executemany("DELETE FROM voicemail WHERE message = ?", [(name,) for name in messages])
        db.execute("COMMIT")
