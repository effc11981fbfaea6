"""A backup is whole or isn't there; a restore changes nothing until it knows that it will work."""

from __future__ import annotations

import asyncio
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from engine.errors import SiteError
from engine.records import schema
from engine.runtime import backup as room
from engine.runtime.backup import backup, restore
from engine.runtime.migrations import prepare
from engine.runtime.secrets import Secrets
from tests.runtime.fakes import run, until
from tests.runtime.test_storage import call, opened, rows

VECTOR = Path(__file__).parents[1] / "vectors" / "records" / "v1.db"
MESSAGE, PROMPT = "voicemail/default/front/bako-0-aaaa0001-2.wav", "prompts/default/en/outage.wav"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    (folder / "recordings" / "default").mkdir(parents=True)
    (folder / "utterances" / "default").mkdir(parents=True)
    (folder / "utterances" / "default" / "bako-0-aaaa0001-2.wav").write_bytes(b"RIFF")
    shutil.copy(VECTOR, folder / "ringdown.db")
    prepare(folder / "ringdown.db", 1.0)
    (folder / "queue_log").write_text("1|a\n")
    (folder / "secrets.json").write_text("{}")
    (folder / "recordings" / "default" / "bako-0-aaaa0001-1.wav").write_bytes(b"RIFF" * 700_000)
    for name in (MESSAGE, PROMPT):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_bytes(b"RIFF")
    return folder


def test_there_and_back(data: Path, tmp_path: Path) -> None:
    made = backup(data, tmp_path / "b.db", recordings=True, secrets=True)
    assert made.rows == {"calls": 5, "contacts": 5, "queue_events": 18, "agent_times": made.rows["agent_times"],
                         "agent_logins": 1, "promises": 0}  # fmt: skip
    found = {"queue_log": 1, "secrets.json": 1, "recordings": 1, "utterances": 1, "voicemail": 1, "prompts": 1}
    assert made.files == found
    assert made.events_to == {"a/aaaa0001": 50, "a/aaaa0002": 20}
    assert (tmp_path / "b.db").stat().st_mode & 0o777 == 0o600 and made.bytes == (tmp_path / "b.db").stat().st_size
    goal = tmp_path / "fresh" / "data"
    done = restore(tmp_path / "b.db", goal)
    assert done.rows == made.rows and done.files == made.files and done.aside == []
    for name in ("queue_log", "secrets.json", "recordings/default/bako-0-aaaa0001-1.wav", MESSAGE, PROMPT):
        assert (goal / name).read_bytes() == (data / name).read_bytes()
        assert (goal / name).stat().st_mode & 0o777 == 0o600
    for table in ("events", "calls", "contacts", "agent_times"):
        query = f"SELECT * FROM {table}"
        assert rows(goal / "ringdown.db", query) == rows(data / "ringdown.db", query)
    tables = "SELECT name FROM sqlite_master ORDER BY name"
    assert rows(goal / "ringdown.db", tables) == rows(data / "ringdown.db", tables)
    assert rows(goal / "ringdown.db", "PRAGMA application_id") == [(schema.APPLICATION_ID,)]
    assert (goal / "ringdown.db").stat().st_mode & 0o777 == 0o600
    assert not list(tmp_path.glob("*.part*")) and not list(goal.glob("*restoring*"))


def test_secrets_and_recordings_stay_unless_asked_for(data: Path, tmp_path: Path) -> None:
    assert backup(data, tmp_path / "b.db").files == {"queue_log": 1}
    assert rows(tmp_path / "b.db", "SELECT name FROM backup_files") == [("queue_log",)]


def test_secrets_travel_sealed_and_without_their_key(data: Path, tmp_path: Path) -> None:
    Secrets(data).put("carrier", "ca-na-ry")
    made = backup(data, tmp_path / "b.db", secrets=True)
    assert made.files["secrets.json"] == 1
    whole = (tmp_path / "b.db").read_bytes()
    assert b"ca-na-ry" not in whole and (data / "secrets.key").read_bytes().strip() not in whole
    assert b"sealed:" in whole, "the search finds what is there"
    done = restore(tmp_path / "b.db", tmp_path / "new")
    assert done.sealed == ["carrier"] and not (tmp_path / "new" / "secrets.key").exists()
    shutil.copy(data / "secrets.key", tmp_path / "new" / "secrets.key")
    assert Secrets(tmp_path / "new").lookup("carrier") == "ca-na-ry"
    assert restore(tmp_path / "b.db", tmp_path / "new", replace=True).sealed == []


def test_while_the_writer_writes(tmp_path: Path) -> None:
    """Batches go on during the copy; the backup holds a moment between two of them, whole."""
    path = tmp_path / "ringdown.db"

    async def work() -> room.Made:
        storage = await opened(path, [])
        stop = False

        async def write() -> None:
            for first in range(1, 100_000, 10):
                if stop:
                    return
                storage.events += call(first, f"c-{first}")
                storage.flush()
                await asyncio.sleep(0)

        writing = asyncio.get_running_loop().create_task(write())
        await until(lambda: storage.written > 200)  # a backup of nothing would prove nothing
        made = await asyncio.to_thread(backup, tmp_path, tmp_path / "b.db")
        before = storage.written
        await until(lambda: storage.written > before)
        assert storage.state == "ok"
        stop = True
        await writing
        await storage.close()
        return made

    made = run(work(), 30)
    ((events, last),) = rows(tmp_path / "b.db", "SELECT count(*), max(n) FROM events")
    assert made.events_to == {"a/boot": last} and events == 4 * made.rows["calls"] > 0


def test_nothing_is_overwritten(data: Path, tmp_path: Path) -> None:
    goal = tmp_path / "b.db"
    goal.write_text("mine")
    with pytest.raises(SiteError, match="exists: a backup overwrites nothing"):
        backup(data, goal)
    assert goal.read_text() == "mine"
    with pytest.raises(SiteError, match="no record store"):
        backup(tmp_path / "none", tmp_path / "c.db")
    with pytest.raises(SiteError, match="can't write"):
        backup(data, tmp_path / "none" / "c.db")


def test_a_damaged_store_gives_no_backup(data: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(data / "ringdown.db")) as db:
        db.execute("PRAGMA journal_mode=DELETE")
        (root,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'calls'").fetchone()
        (size,) = db.execute("PRAGMA page_size").fetchone()
    with (data / "ringdown.db").open("r+b") as file:
        file.seek((root - 1) * size + 8)
        file.write(b"\xff" * 200)
    with pytest.raises(SiteError, match="no backup was made"):
        backup(data, tmp_path / "b.db")
    assert not (tmp_path / "b.db").exists() and not (tmp_path / "b.db.part").exists()


def wrong(db: sqlite3.Connection) -> None:
    db.execute("INSERT INTO schema_versions VALUES (999, 0)")


def foreign(db: sqlite3.Connection) -> None:
    db.execute("PRAGMA application_id = 5")


def plain(db: sqlite3.Connection) -> None:
    db.execute("DROP TABLE backup_info")


def climbing(db: sqlite3.Connection) -> None:
    db.execute("INSERT INTO backup_files (name, data) VALUES ('recordings/../../x', x'00')")


@pytest.mark.parametrize(("spoil", "said"), [
    (wrong, "schema 999"), (foreign, "another product"), (plain, "is no backup"), (climbing, "doesn't belong"),
])
def test_what_can_not_be_restored(
    data: Path, tmp_path: Path, spoil: Callable[[sqlite3.Connection], None], said: str
) -> None:
    backup(data, tmp_path / "b.db")
    with closing(sqlite3.connect(tmp_path / "b.db")) as db:
        spoil(db)
        db.commit()
    with pytest.raises(SiteError, match=said):
        restore(tmp_path / "b.db", tmp_path / "fresh")
    assert not (tmp_path / "fresh" / "ringdown.db").exists() and not (tmp_path / "x").exists()


def test_a_file_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello " * 1_000)
    for name in ("text", "gone"):
        with pytest.raises(SiteError, match=name):
            restore(tmp_path / name, tmp_path / "fresh")


def test_records_are_put_aside_only_when_told(data: Path, tmp_path: Path) -> None:
    backup(data, tmp_path / "b.db")
    before = (data / "ringdown.db").read_bytes()
    with pytest.raises(SiteError, match="--replace puts them aside"):
        restore(tmp_path / "b.db", data)
    assert (data / "ringdown.db").read_bytes() == before
    done = restore(tmp_path / "b.db", data, replace=True, clock=lambda: 0.0)
    assert done.aside == ["ringdown.db.replaced-19700101-000000", "queue_log.replaced-19700101-000000"]
    assert (data / done.aside[0]).read_bytes() == before and not (data / "ringdown.db-wal").exists()
    assert rows(data / done.aside[0], "SELECT count(*) FROM calls") == [(5,)]
    assert rows(data / "ringdown.db", "SELECT count(*) FROM calls") == [(5,)]


def test_never_under_a_running_engine(data: Path, tmp_path: Path) -> None:
    backup(data, tmp_path / "b.db")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as engine:
        engine.bind(str(data / "ringdown.sock"))
        engine.listen()
        with pytest.raises(SiteError, match="stop it first"):
            restore(tmp_path / "b.db", data, replace=True)
    assert not room.running(data)  # a leftover of a crash is no engine


def test_an_old_backup_is_restored_and_migrates_later(tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.mkdir()
    shutil.copy(VECTOR, old / "ringdown.db")
    assert backup(old, tmp_path / "b.db").schema == 1
    restore(tmp_path / "b.db", tmp_path / "fresh")
    prepare(tmp_path / "fresh" / "ringdown.db", 1.0)
    assert rows(tmp_path / "fresh" / "ringdown.db", "SELECT count(*) FROM contacts") == [(5,)]


def test_the_log_of_a_killed_engine_goes_aside_with_its_store(data: Path, tmp_path: Path) -> None:
    """Rows that only the write-ahead log holds are in the store that was put aside."""
    backup(data, tmp_path / "b.db")
    script = (
        "import os, sqlite3, sys\ndb = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "db.execute(\"DELETE FROM calls WHERE call = 'fumi-0'\")\nos._exit(9)"
    )
    subprocess.run([sys.executable, "-c", script, str(data / "ringdown.db")], timeout=20)
    assert (data / "ringdown.db-wal").stat().st_size > 0
    done = restore(tmp_path / "b.db", data, replace=True)
    assert rows(data / done.aside[0], "SELECT count(*) FROM calls") == [(4,)]
    assert rows(data / "ringdown.db", "SELECT count(*) FROM calls") == [(5,)]
