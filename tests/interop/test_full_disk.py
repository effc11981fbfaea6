"""A really full disk, a read-only one, and a store that another process holds: calls go on, records come once.

The data folder lies on a small file system of its own, mounted where only the engine sees it (`unshare --mount`); this
test reaches in through /proc/PID/root.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness.children import Child, until
from harness.phone import Phone
from harness.server import READY_S, ROOT, Engine

from engine.runtime.migrations import prepare

SIZE_KIB = 3_000
ROOTED = os.geteuid() == 0
OWNER = ["unshare", "--mount"] if ROOTED else ["unshare", "--map-root-user", "--mount"]
ENTER = ["nsenter", "--mount"] if ROOTED else ["nsenter", "--preserve-credentials", "--user", "--mount"]
QUERY = """\
import json, sqlite3, sys
db = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True, timeout=5)
db.row_factory = sqlite3.Row
print(json.dumps([dict(row) for row in db.execute(sys.argv[2], json.loads(sys.argv[3]))]))
"""
HOLD = """\
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.read()
"""


class Boxed(Engine):
    """An engine whose data folder is a tmpfs of SIZE_KIB in a mount namespace of its own.

    `read_only`: a record store is there already, and its file is mounted read-only on itself.
    """

    def __init__(self, *, read_only: bool = False) -> None:
        super().__init__()
        self.read_only = read_only

    def start(self) -> Engine:
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        mount = f"mount -t tmpfs -o size={SIZE_KIB}k,mode=0700 ringdown-test {self.data}"
        if self.read_only:
            seed, store = self.folder / "seed.db", self.data / "ringdown.db"
            prepare(seed, 1.0)
            mount += f" && cp {seed} {store} && mount --bind {store} {store} && mount -o remount,bind,ro {store}"
        serve = [sys.executable, "-m", "engine", "serve", "--site", str(self.site), "--data", str(self.data)]
        serve += [f"--listen={transport}:127.0.0.1:{self.port}" for transport in ("udp", "tcp")]
        command = [*OWNER, "sh", "-c", f'{mount} && exec "$@"', "sh", *serve]
        env = {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
        self.child = Child(command, self.folder / "stderr.txt", cwd=ROOT, env=env)
        try:
            self.child.wait_for(r"^ready\b", READY_S)
        except AssertionError:
            self.child.stop()
            raise
        self.home = self.data
        self.data = Path(f"/proc/{self.child.pid}/root{self.home}")
        return self

    def enter(self, *command: str) -> list[str]:
        """A command for the engine's mount namespace."""
        return [*ENTER, "--target", str(self.pid), *command]

    def inside(self, *command: str) -> str:
        """What a command prints in the engine's mount namespace."""
        done = subprocess.run(self.enter(*command), check=True, timeout=20, capture_output=True, text=True)
        return done.stdout

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        """As Engine's; read in there, because SQLite resolves the way through /proc to a place out here."""
        store = str(self.home / "ringdown.db")
        return list(json.loads(self.inside(sys.executable, "-c", QUERY, store, query, json.dumps(values))))


@contextmanager
def boxed() -> Iterator[tuple[Boxed, Phone]]:
    engine = Boxed()
    with engine, engine.phone("caller", secret=False) as phone:
        phone.call("9100").bye()
        until(lambda: engine.rows("SELECT 1 FROM calls"), 10, what="the first record")
        yield engine, phone


def storage(engine: Engine) -> dict[str, object]:
    return dict(engine.ask("status")["runtime"]["storage"])


def call_until(engine: Engine, phone: Phone, state: str, seconds: float = 20.0) -> int:
    """Calls, each answered and ended at once, until the store is in that state; how many it took."""
    limit, count = time.monotonic() + seconds, 0
    while storage(engine)["state"] != state:
        assert time.monotonic() < limit, f"the store never said {state!r}: {storage(engine)}"
        began = time.monotonic()
        assert phone.call("9101").bye().status == 200
        assert time.monotonic() - began < 2.0, "a call waited for a disk"
        count += 1
        time.sleep(0.02)
    return count


def complete(engine: Engine, calls: int) -> None:
    """Every call has its record, every event its number, once."""
    until(lambda: storage(engine)["state"] == "ok" and storage(engine)["spooled"] == 0, 30, what="the store is well")
    assert storage(engine)["lost"] == 0
    until(lambda: len(engine.rows("SELECT 1 FROM calls")) == calls, 10, what=f"{calls} records")
    numbers = [event["n"] for event in engine.events()]
    assert numbers == list(range(1, len(numbers) + 1)), "events are missing or came twice"
    told = [event["data"]["state"] for event in engine.events() if event["kind"] == "engine.storage"]
    assert told[0] == "spooling" and told[-1] == "ok", told


def test_a_full_disk_spools_and_replays_once() -> None:
    with boxed() as (engine, phone):
        ballast = engine.data / "ballast"
        free = os.statvfs(engine.data)
        ballast.write_bytes(bytes(free.f_bavail * free.f_bsize - 40_000))
        count = call_until(engine, phone, "spooling")
        assert "full" in str(storage(engine)["detail"]), storage(engine)
        for _ in range(5):
            assert phone.call("9101").bye().status == 200
        assert int(str(storage(engine)["spooled"])) > 0
        ballast.unlink()
        complete(engine, 1 + count + 5)
        lines = engine.output().count("record store: spooling")
        assert lines <= 3, f"{lines} lines about one full disk"


def test_a_store_that_another_process_holds() -> None:
    with boxed() as (engine, phone):
        command = engine.enter(sys.executable, "-c", HOLD, str(engine.home / "ringdown.db"))
        holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            assert holder.stdout is not None and holder.stdout.readline() == "held\n"
            count = call_until(engine, phone, "spooling")
            assert "locked" in str(storage(engine)["detail"])
        finally:
            holder.communicate(timeout=10)
        complete(engine, 1 + count)


def test_a_read_only_store_costs_no_call_and_gets_everything_later() -> None:
    engine = Boxed(read_only=True)
    with engine, engine.phone("caller", secret=False) as phone:
        for _ in range(3):
            assert phone.call("9101").bye().status == 200
        assert storage(engine)["state"] == "spooling"
        assert str(storage(engine)["detail"]).startswith("the record store is read-only: make the file")
        engine.inside("umount", str(engine.home / "ringdown.db"))
        complete(engine, 3)


def test_a_store_that_is_not_ours_costs_no_call() -> None:
    """One sentence at the start, and calls work; the file keeps every byte."""
    engine = Engine()
    engine.data.mkdir(mode=0o700, parents=True)
    path = engine.data / "ringdown.db"
    shop = sqlite3.connect(path)
    shop.execute("CREATE TABLE shop (price)")
    shop.commit()
    shop.close()
    content = path.read_bytes()
    with engine, engine.phone("caller", secret=False) as phone:
        assert phone.call("9100").bye().status == 200
        status = storage(engine)
        assert status["state"] == "failed" and "another product" in str(status["detail"])
        assert int(str(status["spooled"])) > 0
        said = [line for line in engine.output().splitlines() if "another product" in line]
        assert 1 <= len(said) <= 2, said
        engine.stop()
        assert path.read_bytes() == content and not list(engine.data.glob("ringdown.db-*"))
