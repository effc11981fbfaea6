"""What is too old goes, per kind and tenant, in steps; nothing else does."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from engine.call.effects import Reply
from engine.dialplan.model import TenantModel
from engine.records import schema
from engine.records.events import Event
from engine.runtime import retention as room
from engine.runtime.migrations import prepare
from engine.runtime.retention import DAY_MS, Rule, Sweeper, sweep_files, sweep_journals, sweep_store
from tests.runtime.fakes import quiet_log, run, site
from tests.runtime.test_storage import rows

NOW = 1_800_000_000_000
TENANTS = {"default": TenantModel("default", "r"), "acme": TenantModel("acme", "a.r", retention_days={"calls": 1})}


def filled(path: Path, days: int = 10) -> None:
    """Ten of everything, one a day back, of each of three tenants."""
    prepare(path, 1.0)
    db = sqlite3.connect(path)
    n = 0
    for day in reversed(range(days)):
        for tenant in ("default", "acme", "gone"):
            n += 1
            at = NOW - day * DAY_MS - 1_000
            event = Event(n, "b", at, n, "queue.left", tenant, f"c-{n}", {"queue": f"{tenant}/q"})
            db.execute(schema.INSERT_EVENT, schema.event_row("a", event))
            db.execute(schema.INSERT_QUEUE_EVENT, schema.queue_row("a", event))
            names = ",".join(schema.CALL_COLUMNS)
            values = [{"node": "a", "boot": "b", "n": n, "tenant": tenant, "started_ms": at, "call": f"c-{n}"}.get(
                column, 0) for column in schema.CALL_COLUMNS]  # fmt: skip
            db.execute(f"INSERT INTO calls ({names}) VALUES ({','.join('?' * len(values))})", values)
            db.execute(schema.INSERT_CONTACT, (at, n, "b", tenant, f"{tenant}/q", "", "exit", 0, 0, 0, 0, 0))
            db.execute(schema.ADD_AGENT_TIME, (at, f"{tenant}/201", "ready", "", "", 5))
    db.commit()
    db.close()


def left(path: Path, table: str) -> dict[str, int]:
    column = "substr(agent, 1, instr(agent, '/') - 1)" if table == "agent_times" else "tenant"
    return dict(rows(path, f"SELECT {column}, count(*) FROM {table} GROUP BY 1"))


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "rows_at_once", 4)
    monkeypatch.setattr(room, "files_at_once", 2)


def test_each_tenant_for_its_own_time(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    filled(path)
    kept = site(tenants=TENANTS, retention_days={"calls": 4, "queue_events": 7})
    steps = list(sweep_store(path, [Rule(kept, kind, NOW) for kind in room.TABLES]))
    assert max(removed for _, removed in steps) <= 4 and len(steps) > 10
    assert left(path, "calls") == {"default": 4, "acme": 1, "gone": 4}
    assert left(path, "queue_events") == left(path, "contacts") == {"default": 7, "acme": 7, "gone": 7}
    assert left(path, "agent_times") == {"default": 7, "acme": 7, "gone": 7}
    assert left(path, "events") == {"default": 10, "acme": 10, "gone": 10}
    assert sum(removed for kind, removed in steps if kind == "calls") == 30 - 9


def test_only_one_tenant_is_swept(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    filled(path)
    acme = TenantModel("acme", "a.r", retention_days={"events": 2, "queue_events": 3})
    kept = site(tenants={**TENANTS, "acme": acme})
    list(sweep_store(path, [Rule(kept, kind, NOW) for kind in room.TABLES]))
    assert left(path, "events") == {"default": 10, "acme": 2, "gone": 10}
    assert left(path, "contacts") == {"default": 10, "acme": 3, "gone": 10}
    assert left(path, "calls") == {"default": 10, "acme": 10, "gone": 10}


def test_without_a_word_nothing_goes(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    filled(path)
    assert list(sweep_store(path, [Rule(site(), kind, NOW) for kind in room.TABLES])) == []


def aged(path: Path, days: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    moment = time.time() - days * DAY_MS / 1000
    os.utime(path, (moment, moment))
    return path


def test_recordings(tmp_path: Path) -> None:
    old = [aged(tmp_path / "default" / f"{number}.wav", 9) for number in range(5)]
    kept = [aged(tmp_path / "default" / "new.wav", 1), aged(tmp_path / "acme" / "0.wav", 9)]
    acme = TenantModel("acme", "a.r", retention_days={"recordings": 30})
    rule = Rule(site(tenants={**TENANTS, "acme": acme}, retention_days={"recordings": 7}), "recordings",
                int(time.time() * 1000))  # fmt: skip
    assert sum(removed for _, removed in sweep_files(tmp_path, rule)) == 5
    assert not any(path.exists() for path in old) and all(path.exists() for path in kept)
    assert list(sweep_files(tmp_path / "none", rule)) == []


def test_journals_and_their_keys(tmp_path: Path) -> None:
    old, current = aged(tmp_path / "aa-0000.journal", 20), aged(tmp_path / "bb-0002.journal", 20)
    first, before = aged(tmp_path / "bb-0000.journal", 20), aged(tmp_path / "bb-0001.journal", 20)
    fresh = aged(tmp_path / "cc-0000.journal", 2)
    keys = [aged(tmp_path / f"{boot}.keys", 20) for boot in ("aa", "bb", "cc")]
    assert sweep_journals(tmp_path, int(time.time() * 1000) - 14 * DAY_MS, current) == 2
    assert not old.exists() and not first.exists() and before.exists() and current.exists() and fresh.exists()
    assert [path.exists() for path in keys] == [False, True, True]


class World:
    """What a Sweeper needs of a server."""

    def __init__(self, folder: Path, kept: dict[str, int]) -> None:
        self.site = site(tenants=TENANTS, retention_days=kept)
        self.options = SimpleNamespace(data=folder)
        self.storage = SimpleNamespace(path=folder / "r.db")
        self.log, self.said = quiet_log()
        self.asked: list[Any] = []
        self.messages = 0
        self.rotated = 0
        home = folder / "journal"
        self.journal = SimpleNamespace(folder=home, path=home / "bb-0001.journal", failed="")

    async def ask(self, author: str, verb: str, arguments: dict[str, str]) -> Reply:
        if verb == "voicemail_sweep":
            return Reply(1, True, b'{"deleted":%d}' % self.messages)
        self.asked.append((author, verb, arguments))
        return Reply(1, True, b"null")

    async def rotate_journal(self) -> None:
        self.rotated += 1


def swept(world: World, work: Callable[[Sweeper], Any]) -> Any:
    async def inner() -> Any:
        sweeper = Sweeper(world)  # type: ignore[arg-type]
        return await work(sweeper)

    return run(inner())


def test_a_round_tells_what_went(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "pause_s", 0.0)
    monkeypatch.setattr(room.time, "time", lambda: NOW / 1000)
    filled(tmp_path / "r.db")
    aged(tmp_path / "journal" / "aa-0000.journal", -20_000)
    world = World(tmp_path, {"calls": 4, "journal": 3})
    found = swept(world, lambda sweeper: sweeper.sweep())
    assert found["calls"] == 21 and found["journal"] == 0
    ((author, verb, told),) = world.asked
    assert (author, verb, told["act"], told["counts"]) == ("retention", "noted", "retention", "calls=21")
    assert world.rotated == 0
    assert swept(world, lambda sweeper: sweeper.sweep())["calls"] == 0 and len(world.asked) == 1


def test_a_store_that_is_locked_or_gone_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "busy_s", 0.01)
    monkeypatch.setattr(room.time, "time", lambda: NOW / 1000)
    filled(tmp_path / "r.db")
    world = World(tmp_path, {"calls": 1})
    lock = sqlite3.connect(tmp_path / "r.db", isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    assert not any(swept(world, lambda sweeper: sweeper.sweep()).values())
    lock.execute("ROLLBACK")
    lock.close()
    assert "locked; tried again in 6 h" in world.said.getvalue() and world.asked == []


def test_closing_in_the_middle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "first_s", 0.0)
    monkeypatch.setattr(room.time, "time", lambda: NOW / 1000)
    filled(tmp_path / "r.db")
    world = World(tmp_path, {"calls": 1})

    async def work(sweeper: Sweeper) -> None:
        sweeper.start()
        await asyncio.sleep(0.12)
        await sweeper.close()

    swept(world, work)
    assert 3 < sum(left(tmp_path / "r.db", "calls").values()) < 30 and world.asked == []


def test_a_quiet_engines_journal_gets_a_new_file_once_a_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "journal").mkdir()
    world = World(tmp_path, {"journal": 3})

    async def work(sweeper: Sweeper) -> None:
        await sweeper.sweep()
        assert world.rotated == 0
        later = time.time() + DAY_MS / 1000 + 1
        monkeypatch.setattr(room.time, "time", lambda: later)
        await sweeper.sweep()
        await sweeper.sweep()

    swept(world, work)
    assert world.rotated == 1


def test_a_clock_that_leapt_removes_nothing_for_a_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "pause_s", 0.0)
    clocks = {"wall": NOW / 1000 - 3_600, "monotonic": 5_000.0}
    monkeypatch.setattr(room.time, "time", lambda: clocks["wall"])
    filled(tmp_path / "r.db")
    world = World(tmp_path, {"calls": 400})

    async def rounds(sweeper: Sweeper) -> list[dict[str, int]]:
        found = [await sweeper.sweep()]
        clocks["wall"] += 75 * 365 * 86_400  # somebody mistyped the year
        found.append(await sweeper.sweep())
        clocks["wall"] += 6 * 3_600
        clocks["monotonic"] += 6 * 3_600
        found.append(await sweeper.sweep())
        clocks["monotonic"] += room.leap_wait_s
        found.append(await sweeper.sweep())
        return found

    async def work(_: Sweeper) -> list[dict[str, int]]:
        return await rounds(Sweeper(world, seconds=lambda: clocks["monotonic"]))  # type: ignore[arg-type]

    before, leapt, soon, day = swept(world, work)
    assert before["calls"] == 8 and leapt == soon == {} and "nothing is removed for a day" in world.said.getvalue()
    assert day["calls"] == 22  # the rest: it was meant


def test_messages_of_boxes_that_went_are_told_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "pause_s", 0.0)
    prepare(tmp_path / "r.db", 1.0)
    world = World(tmp_path, {"calls": 4})
    world.messages = 3
    assert swept(world, lambda sweeper: sweeper.sweep())["voicemail"] == 3
    assert world.asked[0][2]["counts"] == "voicemail=3"
