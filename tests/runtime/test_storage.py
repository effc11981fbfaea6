"""Records reach the disk once, whatever happens to the disk in between, and the process can always exit."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engine.records import schema
from engine.runtime import storage as room
from engine.runtime.storage import Storage
from tests.runtime.fakes import event, run, until


def rows(path: Path, query: str) -> list[Any]:
    database = sqlite3.connect(path)
    try:
        return database.execute(query).fetchall()
    finally:
        database.close()


def call(first: int, name: str) -> list[Any]:
    return [
        event(first, "call.started", name, caller="+44", name="", dialled="100", trunk="", via="public", peer="p"),
        event(first + 1, "queue.joined", name, queue="support", position=1, priority_ms=0, caller="+44"),
        event(first + 2, "queue.abandoned", name, queue="support", position=1, first_position=1, waited_ms=4_000),
        event(first + 3, "call.ended", name, by="remote", outcome="abandoned", cause=16, duration_ms=5_000,
              answered_ms=0, waited_ms=4_000, talked_ms=0, held_ms=0, path="main"),
    ]


async def opened(path: Path, told: list[Any], **settings: Any) -> Storage:
    storage = Storage(path, node="a", told=lambda *each: told.append(each), **settings)
    await storage.start()
    return storage


def test_a_call_in_every_table_and_in_the_queue_log(tmp_path: Path) -> None:
    path = tmp_path / "r.db"

    async def work() -> None:
        storage = await opened(path, [])
        storage.events += call(1, "bako-0")
        storage.flush()
        storage.flush()
        await until(lambda: storage.written == 4)
        storage.events.append(event(9, "call.quality", "bako-0", leg="caller", packets_in=50, lost=0))
        await storage.close()

    run(work())
    assert [n for (n,) in rows(path, "SELECT n FROM events ORDER BY n")] == [1, 2, 3, 4, 9]
    ((name, outcome, quality),) = rows(path, "SELECT call, outcome, quality FROM calls")
    assert (name, outcome) == ("bako-0", "abandoned") and json.loads(quality)[0]["packets_in"] == 50
    assert [each for (each,) in rows(path, "SELECT event FROM queue_events ORDER BY n")] == ["joined", "abandoned"]
    lines = (tmp_path / "queue_log").read_text().splitlines()
    assert [line.split("|")[4] for line in lines] == ["ENTERQUEUE", "ABANDON"]
    assert path.stat().st_mode & 0o777 == 0o600
    assert rows(path, "PRAGMA journal_mode") == [("wal",)]


def test_a_locked_database_spools_and_replays_exactly_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "busy_s", 0.02)
    monkeypatch.setattr(room, "retry_s_first", 0.05)
    path = tmp_path / "r.db"
    told: list[Any] = []

    async def work() -> None:
        storage = await opened(path, told)
        storage.events += call(1, "bako-0")
        storage.flush()
        await until(lambda: storage.written == 4)
        lock = sqlite3.connect(path, isolation_level=None)
        lock.execute("BEGIN EXCLUSIVE")
        for first in (11, 21, 31):
            storage.events += call(first, f"bako-{first}")
            storage.flush()
        await until(lambda: storage.state == "spooling")
        assert storage.spooled == 12 and "locked" in storage.detail
        lock.execute("ROLLBACK")
        lock.close()
        await until(lambda: storage.state == "ok")
        assert storage.spooled == 0
        await storage.close()

    run(work())
    assert [each[0] for each in told] == ["spooling", "ok"]
    assert rows(path, "SELECT count(*), count(DISTINCT n) FROM events") == [(16, 16)]
    assert rows(path, "SELECT count(*) FROM calls") == [(4,)]
    assert len((tmp_path / "queue_log").read_text().splitlines()) == 8


def test_a_failure_in_the_middle_of_a_batch_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "retry_s_first", 0.01)
    path = tmp_path / "r.db"

    async def work() -> None:
        storage = await opened(path, [])
        monkeypatch.setattr(schema, "INSERT_CALL", "INSERT INTO no_such_table VALUES (1)")
        storage.events += call(1, "bako-0")
        storage.flush()
        await until(lambda: storage.state == "spooling")
        assert rows(path, "SELECT count(*) FROM events") == [(0,)]
        monkeypatch.undo()
        await until(lambda: storage.written == 4)
        await storage.close()

    run(work())
    assert rows(path, "SELECT count(*) FROM events") == [(4,)]


def test_the_spool_is_bounded_and_says_what_it_lost(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    path.write_bytes(b"")
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE shop (price)")
    database.close()
    told: list[Any] = []

    async def work() -> None:
        storage = await opened(path, told, spool_max=10)
        for first in range(1, 101, 10):
            storage.events += call(first, f"c-{first}")
            storage.flush()
        assert storage.spooled <= 12 and storage.lost == 40 - storage.spooled
        await storage.close()

    run(work())
    assert told[0][0] == "failed" and "another product" in told[0][1]
    assert rows(path, "SELECT name FROM sqlite_master") == [("shop",)]


def test_a_newer_schema_is_refused_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "r.db"

    async def first() -> None:
        await (await opened(path, [])).close()

    run(first())
    database = sqlite3.connect(path)
    database.execute("INSERT INTO schema_versions VALUES (999, 0)")
    database.commit()
    database.close()
    told: list[Any] = []

    async def second() -> None:
        storage = await opened(path, told)
        storage.events += call(1, "bako-0")
        storage.flush()
        assert storage.state == "failed"
        await storage.close()

    run(second())
    assert told[0][:2] == (
        "failed", f"the record store has schema 999, this engine knows {schema.VERSION}: start the newer engine again")
    assert rows(path, "SELECT count(*) FROM events") == [(0,)]


def test_a_folder_that_appears_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "retry_s_first", 0.02)
    path = tmp_path / "gone" / "r.db"

    async def work() -> None:
        storage = await opened(path, [])
        storage.events += call(1, "bako-0")
        storage.flush()
        await until(lambda: storage.state == "spooling")
        path.parent.mkdir()
        await until(lambda: storage.state == "ok")
        await storage.close()

    run(work())
    assert rows(path, "SELECT count(*) FROM events") == [(4,)]


def test_logins_come_back(tmp_path: Path) -> None:
    path = tmp_path / "r.db"

    async def work() -> dict[str, str]:
        storage = await opened(path, [])
        storage.events += [
            event(1, "agent.login", "", agent="default/200", way="code"),
            event(2, "agent.paused", "", agent="default/200", paused=True, reason="lunch"),
            event(3, "agent.login", "", agent="default/201", way="code"),
            event(4, "agent.logout", "", agent="default/201", way="code", logged_in_ms=1),
        ]
        await storage.close()
        again = await opened(path, [])
        await again.close()
        return again.logins

    assert run(work()) == {"default/200": "not_ready:lunch", "default/201": "logged_out"}


def test_the_process_exits_even_when_the_store_was_never_opened(tmp_path: Path) -> None:
    script = f"""
import asyncio
from pathlib import Path
from engine.runtime.storage import Storage
async def main(path):
    storage = Storage(path, node="a", told=lambda *_: None)
    try:
        await storage.start()
        raise RuntimeError("the server fails")
    finally:
        await storage.close()
for path in ("{tmp_path}/r.db", "{tmp_path}/none/r.db"):
    try:
        asyncio.run(main(Path(path)))
    except RuntimeError:
        print("left")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=20, check=True)
    assert done.stdout == b"left\nleft\n"


@pytest.mark.parametrize("script", [each for _, each in schema.MIGRATIONS])
def test_migrations_are_plain_statements(script: str) -> None:
    assert "'" not in script.replace("''", "") or ";" not in script.split("'")[1]


# --- an engine that goes on ---------------------------------------------------------------------------------
def going_on(path: Path, calls: list[str], events: list[Any], told: list[Any] | None = None) -> Storage:
    storage = Storage(path, node="a", told=lambda *each: (told if told is not None else []).append(each))
    storage.resume("boot", calls, events)
    return storage


@pytest.mark.parametrize("on_disk", range(5))
def test_a_crash_anywhere_writes_every_fact_exactly_once(tmp_path: Path, on_disk: int) -> None:
    """The first `on_disk` facts were written, the recovery knows all since its checkpoint, new ones follow."""
    path, told = tmp_path / "r.db", call(1, "bako-0")

    async def first() -> None:
        storage = await opened(path, [])
        storage.events += told[:on_disk]
        await storage.close()

    async def second() -> None:
        storage = going_on(path, ["bako-0"], told[:4])
        await storage.start()
        storage.events.append(event(5, "call.quality", "bako-0", leg="caller", packets_in=50, lost=0))
        storage.flush()
        await until(lambda: storage.written == 5 - on_disk)
        await storage.close()

    run(first())
    run(second())
    assert [n for (n,) in rows(path, "SELECT n FROM events ORDER BY n")] == [1, 2, 3, 4, 5]
    assert [each for (each,) in rows(path, "SELECT event FROM queue_events ORDER BY n")] == ["joined", "abandoned"]
    ((outcome, waited, quality),) = rows(path, "SELECT outcome, waited_ms, quality FROM calls")
    assert (outcome, waited) == ("abandoned", 4_000) and json.loads(quality)[0]["packets_in"] == 50
    log = (tmp_path / "queue_log").read_text()
    assert log.count("ENTERQUEUE") == 1 and log.count("ABANDON") == 1


def test_nothing_is_written_before_the_database_has_told_what_it_knows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "busy_s", 0.05)
    path, told = tmp_path / "r.db", call(1, "bako-0")
    states: list[Any] = []

    async def work() -> None:
        storage = await opened(path, [])
        storage.events += told[:2]
        await storage.close()
        blocker = sqlite3.connect(path, isolation_level=None)
        blocker.execute("PRAGMA locking_mode=EXCLUSIVE")
        blocker.execute("BEGIN EXCLUSIVE")
        again = going_on(path, ["bako-0"], told[:3], states)
        await again.start()
        again.events.append(told[3])
        again.flush()
        assert again.written == 0 and again.spooled == 1
        blocker.execute("COMMIT")
        blocker.close()
        await until(lambda: again.written == 2)
        await again.close()

    run(work())
    assert [n for (n,) in rows(path, "SELECT n FROM events ORDER BY n")] == [1, 2, 3, 4]
    assert [each[0] for each in states] == ["spooling", "ok"]
    ((outcome,),) = rows(path, "SELECT outcome FROM calls")
    assert outcome == "abandoned"


def test_waiting_for_the_database_takes_bounded_memory(tmp_path: Path) -> None:
    storage = Storage(tmp_path / "r.db", node="a", told=lambda *_: None, spool_max=10)
    storage.resume("boot", [], [])
    storage.events += [event(n) for n in range(1, 31)]
    storage.flush()
    assert [each.n for each in storage.events] == list(range(21, 31)) and storage.lost == 20


def test_calls_that_nobody_can_continue_are_closed_in_the_records(tmp_path: Path) -> None:
    path = tmp_path / "r.db"

    async def work() -> None:
        storage = await opened(path, [])
        storage.events += call(1, "done-0") + call(10, "left-0")[:2] + call(20, "left-1")[:1]
        await storage.close()
        after = await opened(path, [])
        assert await after.bury("boot", "the engine ended under the call") == 2
        await until(lambda: after.written == 2)
        assert await after.bury("boot", "again") == 0
        assert await after.bury("another", "never ran") == 0
        await after.close()

    run(work())
    found = rows(path, "SELECT call, outcome, path FROM calls ORDER BY n")
    why = "the engine ended under the call"
    assert found == [("done-0", "abandoned", "main"), ("left-0", "lost", why), ("left-1", "lost", why)]
    numbers = [n for (n,) in rows(path, "SELECT n FROM events WHERE kind = 'call.ended' ORDER BY n")]
    assert numbers == [4, 21, 22]  # behind the boot's last fact, without a gap


def test_without_a_database_nothing_is_buried(tmp_path: Path) -> None:
    storage = Storage(tmp_path / "r.db", node="a", told=lambda *_: None)
    assert run(storage.bury("boot", "x")) == 0


def test_a_served_call_leaves_one_contact_and_agents_time(tmp_path: Path) -> None:
    path = tmp_path / "r.db"

    async def work() -> None:
        storage = await opened(path, [])
        storage.events += [
            event(1, "agent.state", "", agent="default/201", name="Ana", old="logged_out", new="ready", reason="",
                  queue=""),
            event(2, "queue.joined", "bako-0", queue="default/q", position=1, priority_ms=0, caller="+44 1"),
            event(1_002, "queue.connected", "bako-0", queue="default/q", agent="default/201", waited_ms=1_000,
                  rang_ms=1),
        ]
        storage.flush()
        await until(lambda: storage.written == 3)
        assert rows(path, "SELECT result, talked_ms FROM contacts") == [("connected", 0)]
        storage.events.append(event(5_002, "queue.completed", "bako-0", queue="default/q", agent="default/201",
                                    by="agent", waited_ms=1_000, talked_ms=4_000))
        await storage.close()

    run(work())
    assert rows(path, "SELECT result, waited_ms, talked_ms FROM contacts") == [("connected", 1_000, 4_000)]
    assert rows(path, "SELECT agent, state, ms FROM agent_times") == [("default/201", "ready", 5_001)]


def test_a_renamed_queue_takes_its_figures_along_and_twice_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "r.db"

    async def work() -> None:
        storage = await opened(path, [])
        storage.events += call(1, "bako-0")
        storage.flush()
        await until(lambda: storage.written == 4)
        await storage.close()
        with sqlite3.connect(path) as db:
            db.executemany(schema.ADD_AGENT_TIME, [(0, "a", "talking", "", name, 5) for name in ("support", "desk")])
        storage = await opened(path, [])
        for n in (9, 10):
            storage.events.append(event(n, "queue.renamed", "", queue="desk", was="support"))
            storage.flush()
            await until(lambda n=n: storage.written == n - 8)
        await storage.close()

    run(work())
    assert rows(path, "SELECT DISTINCT queue FROM contacts") == [("desk",)]
    assert {name for (name,) in rows(path, "SELECT queue FROM queue_events WHERE event != 'renamed'")} == {"desk"}
    assert rows(path, "SELECT queue, ms FROM agent_times") == [("desk", 10)]
