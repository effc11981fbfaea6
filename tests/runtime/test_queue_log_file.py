"""Lines of queue_log stand in the file once, wherever the engine was killed between its two places."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from engine.runtime import queue_log_file as room
from engine.runtime.queue_log_file import QueueLogFile

LINES = ["1|a|q|NONE|ENTERQUEUE||+44|1", "2|a|q|NONE|ABANDON|1|1|é"]
TEXT = "".join(f"{line}\n" for line in LINES)


def noted(path: Path) -> tuple[int, int, str]:
    return QueueLogFile(path).note(LINES)


@pytest.mark.parametrize("written", [0, 1, 20, len(TEXT.encode()) - 1, len(TEXT.encode())])
def test_what_was_cut_off_is_completed(tmp_path: Path, written: int) -> None:
    path = tmp_path / "queue_log"
    path.write_text("0|x\n")
    note = noted(path)
    with path.open("ab") as file:
        file.write(TEXT.encode()[:written])
    again = QueueLogFile(path)
    again.complete(*note)
    again.append()
    assert path.read_text() == "0|x\n" + TEXT and again.due == b""


@pytest.mark.parametrize("appended", [False, True])
def test_a_file_that_was_rotated_away_in_between(tmp_path: Path, appended: bool) -> None:
    path = tmp_path / "queue_log"
    path.write_text("0|x\n")
    note = noted(path)
    path.rename(tmp_path / "queue_log.1")
    path.write_text("9|fresh\n" + (TEXT if appended else ""))
    again = QueueLogFile(path)
    again.complete(*note)
    again.append()
    assert path.read_text() == "9|fresh\n" + TEXT


def test_the_first_file_of_all(tmp_path: Path) -> None:
    path = tmp_path / "queue_log"
    note = noted(path)
    again = QueueLogFile(path)
    again.complete(*note)
    again.append()
    assert path.read_text() == TEXT and path.stat().st_mode & 0o777 == 0o600


def test_a_refused_write_keeps_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = QueueLogFile(tmp_path / "queue_log")
    real = os.write

    def full(descriptor: int, data: bytes) -> int:
        if len(file.due) < 30:
            raise OSError(28, "No space left on device")
        return real(descriptor, data[:10])

    monkeypatch.setattr(os, "write", full)
    file.committed(file.note(LINES)[2])
    with pytest.raises(OSError, match="No space"):
        file.append()
    monkeypatch.undo()
    assert 0 < len(file.due) < 30
    file.committed(file.note(["3|b"])[2])
    file.append()
    assert file.path.read_text() == TEXT + "3|b\n"


def test_waiting_lines_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "kept_bytes_max", 20)
    file = QueueLogFile(tmp_path)  # a folder: can't be opened for writing
    file.committed("".join(f"line {number}\n" for number in range(9)))
    with pytest.raises(OSError, match="directory"):
        file.append()
    file._bound()
    assert file.due == b"line 7\nline 8\n" and file.lost_bytes == 49


@pytest.mark.parametrize("moment", ["before the append", "in the middle of the append", "after the append"])
def test_a_killed_engine(tmp_path: Path, moment: str) -> None:
    """A real process dies with the batch committed; the next engine's first act completes the file."""
    script = f"""
import asyncio, os
from pathlib import Path
from engine.runtime import queue_log_file as room
from engine.runtime.storage import Storage
from tests.runtime.test_storage import call, opened
from tests.runtime.fakes import until
moment = {moment!r}
real = os.write
class Dying:
    def __getattr__(self, name):
        return getattr(os, name)
    def write(self, descriptor, data):
        if b"bako-1" not in data:
            return real(descriptor, data)
        if moment != "before the append":
            real(descriptor, data if moment == "after the append" else data[:25])
        os._exit(9)
room.os = Dying()
async def work():
    storage = await opened(Path({str(tmp_path / "r.db")!r}), [])
    storage.events += call(1, "bako-0")
    storage.flush()
    await until(lambda: storage.written == 4)
    storage.events += call(11, "bako-1")
    storage.flush()
    await asyncio.sleep(20)
asyncio.run(work())
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=30)
    assert done.returncode == 9, done.stderr.decode()
    after = """
import asyncio, sys
from pathlib import Path
from tests.runtime.test_storage import call, opened
async def work(path):
    storage = await opened(path, [])
    storage.events += call(21, "bako-2")
    await storage.close()
asyncio.run(work(Path(sys.argv[1])))
"""
    subprocess.run([sys.executable, "-c", after, str(tmp_path / "r.db")], check=True, timeout=30)
    found = [line.split("|")[1:5:3] for line in (tmp_path / "queue_log").read_text().splitlines()]
    assert found == [[name, word] for name in ("bako-0", "bako-1", "bako-2") for word in ("ENTERQUEUE", "ABANDON")]
    db = sqlite3.connect(tmp_path / "r.db")
    assert db.execute("SELECT count(*) FROM events").fetchone() == (12,)
    db.close()
