"""Retention: what is older than site.yaml keeps it is removed, in small steps beside the calls.

`sweep_store` is a generator of steps: each is one short transaction on a connection of its own, so the writer never
waits longer than one of them. `Sweeper` runs it in a thread (SQLite works without the GIL) with a pause after every
step, and tells what went as an `engine.records` event.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from engine.dialplan.model import Site, retention_days
from engine.runtime import store_walk
from engine.runtime.journal import prune
from engine.runtime.record_notes import counts_text

if TYPE_CHECKING:
    from engine.runtime.server import Server

DAY_MS = 86_400_000
first_s = 120.0
every_s = 6 * 3600.0
leap_ms_max = 7 * DAY_MS
leap_wait_s = 86_400.0
pause_s = 0.05
rows_at_once = 1_000
files_at_once = 100
busy_s = 2.0
STAMP = "retention.stamp"  # Unix ms of the last round
TABLES = {"calls": ("calls",), "events": ("events",),
          "queue_events": ("queue_events", "contacts", "agent_times", "promises")}  # fmt: skip
_KEYS = {"contacts": ("at_ms", "at_ms, n, boot", "tenant"), "promises": ("at_ms", "at_ms, n, boot", "tenant"),
         "agent_times": ("quarter_ms", "quarter_ms, agent, state, reason, queue",
                         "substr(agent, 1, instr(agent, '/') - 1)")}  # fmt: skip


class Rule:
    """Up to which Unix ms rows of one kind are removed: `usual`, and where a tenant differs. 0: nothing is."""

    def __init__(self, site: Site, kind: str, now_ms: int) -> None:
        def until(days: int) -> int:
            return now_ms - days * DAY_MS if days else 0

        self.kind = kind
        self.usual = until(retention_days(site, kind))
        self.tenants = {
            name: ms for name in site.tenants if (ms := until(retention_days(site, kind, name))) != self.usual
        }
        self.latest = max([self.usual, *self.tenants.values()])

    def of(self, tenant: str) -> int:
        """Up to when for one tenant."""
        return self.tenants.get(tenant, self.usual)

    def sql(self, column: str) -> tuple[str, list[str | int]]:
        """An expression for the same, with its values."""
        if not self.tenants:
            return "?", [self.usual]
        cases = " WHEN ? THEN ?" * len(self.tenants)
        values: list[str | int] = [part for item in self.tenants.items() for part in item]
        return f"CASE {column}{cases} ELSE ? END", [*values, self.usual]


def sweep_store(path: Path, rules: list[Rule]) -> Generator[tuple[str, int], None, None]:
    """(kind, rows removed) after every step. Raises sqlite3.Error; what was removed until then stays removed."""
    with closing(sqlite3.connect(path, timeout=busy_s, isolation_level=None, check_same_thread=False)) as db:
        db.execute("PRAGMA secure_delete = ON")  # removed means unreadable, not only unlisted
        for rule in rules:
            for table in TABLES[rule.kind] if rule.latest else ():
                steps = _by_key(db, table, rule) if table in store_walk.AT else _by_time(db, table, rule)
                for removed in steps:
                    yield rule.kind, removed


def _by_key(db: sqlite3.Connection, table: str, rule: Rule) -> Iterator[int]:
    """Tables whose key is (node, boot, n): slices of n up to the moment."""
    limit, values = rule.sql("tenant")
    delete = (
        f"DELETE FROM {table} WHERE node = ? AND boot = ? AND n >= ? AND n < ? AND {store_walk.AT[table]} < {limit}"
    )
    for boot in store_walk.boots(db, table):
        low, _ = store_walk.span(db, table, boot)
        high = store_walk.first_at(db, table, boot, rule.latest)
        for begin in range(low, high, rows_at_once):
            yield db.execute(delete, (*boot, begin, min(high, begin + rows_at_once), *values)).rowcount


def _by_time(db: sqlite3.Connection, table: str, rule: Rule) -> Iterator[int]:
    """Tables whose key begins with a time: so many of the oldest at once, tenant after tenant."""
    at, key, tenant = _KEYS[table]
    others = "".join(f" AND {tenant} != ?" for _ in rule.tenants)
    wanted: list[tuple[str, list[str | int]]] = [(others, [rule.usual, *rule.tenants])] if rule.usual else []
    wanted += [(f" AND {tenant} = ?", [until, name]) for name, until in rule.tenants.items() if until]
    for which, values in wanted:
        delete = f"DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE {at} < ?{which} LIMIT ?)"
        while True:
            removed = db.execute(delete, (*values, rows_at_once)).rowcount
            yield removed
            if removed < rows_at_once:
                break


def sweep_files(folder: Path, rule: Rule) -> Generator[tuple[str, int], None, None]:
    """(kind, files removed) after every step: what tenants have below `folder`, by the time of its end."""
    for home in sorted(folder.glob("*")):
        until_s = rule.of(home.name) / 1000
        if not until_s or not home.is_dir():
            continue
        removed = 0
        for seen, path in enumerate(home.iterdir(), 1):
            with suppress(OSError):
                if path.is_file() and path.stat().st_mtime < until_s:
                    path.unlink()
                    removed += 1
            if seen % files_at_once == 0:
                yield rule.kind, removed
                removed = 0
        yield rule.kind, removed


def sweep_journals(folder: Path, until_ms: int, current: Path) -> int:
    """Remove journals whose last input is older, and the keys of boots that have none left; how many journals went.

    The running boot keeps its two newest, as in `journal.prune`: a restart falls back to the one before the last.
    """
    removed, boot = 0, current.name.rpartition("-")[0]
    needed = sorted(folder.glob(f"{boot}-*.journal"))[-2:]
    for path in folder.glob("*.journal"):
        if path not in needed and path.stat().st_mtime_ns // 1_000_000 < until_ms:
            path.unlink(missing_ok=True)
            removed += 1
    prune(folder, 1 << 62, boot)
    return removed


def _close(steps: Generator[tuple[str, int], None, None]) -> None:
    """Let a step that still runs in another thread end, then close its connection."""
    while True:
        try:
            steps.close()
            return
        except ValueError:  # it is executing
            time.sleep(0.01)


class Sweeper:
    """`start()` in a running loop, `await close()`; `sweep()` is one round."""

    def __init__(self, server: Server, *, seconds: Callable[[], float] = time.monotonic) -> None:
        self.server = server
        self._seconds = seconds
        self.removed: dict[str, int] = {}
        self._task: asyncio.Task[None] | None = None
        self._wait_until = 0.0  # monotonic seconds
        self._journal_began = time.time()

    def start(self) -> None:
        """Rounds from now on."""
        self._task = asyncio.get_running_loop().create_task(self._for_ever())

    async def close(self) -> None:
        """End between two steps."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _for_ever(self) -> None:
        await asyncio.sleep(first_s)
        while True:
            await self.sweep()
            await asyncio.sleep(every_s)

    async def sweep(self) -> dict[str, int]:
        """One round; what went, by kind. A store or folder that refuses is tried again next time."""
        server, found = self.server, dict[str, int]()
        site, now_ms = server.site, int(time.time() * 1000)
        if not self._clock_is_believed(now_ms):
            return found
        rules = [Rule(site, kind, now_ms) for kind in TABLES]
        recordings = Rule(site, "recordings", now_ms)
        data = server.options.data
        utterances = Rule(site, "utterances", now_ms)
        for steps in (
            sweep_store(server.storage.path, rules), sweep_files(data / "recordings", recordings),
            sweep_files(data / "utterances", utterances),
        ):
            try:
                await self._run(steps, found)
            except (sqlite3.Error, OSError) as error:
                server.log.warning(f"retention: {error}; tried again in {every_s / 3600:.0f} h", "retention")
        reply = await server.ask("retention", "voicemail_sweep", {})
        if reply.ok:
            found["voicemail"] = int(msgspec.json.decode(reply.data).get("deleted", 0))
        if retention_days(site, "journal"):
            await self._journals(now_ms - retention_days(site, "journal") * DAY_MS, found)
        for kind, count in found.items():
            self.removed[kind] = self.removed.get(kind, 0) + count
        if any(found.values()):
            await server.ask("retention", "noted", {"act": "retention", "subject": "", "counts": counts_text(found)})
        return found

    def _clock_is_believed(self, now_ms: int) -> bool:
        """A wall clock that has leapt a week since the last round (a wrong date at boot, a slip of a hand) would let
        years of records go at once: ops are told, and have a day to set it right."""
        stamp = self.server.options.data / STAMP
        try:
            last_ms = int(stamp.read_text())
        except (OSError, ValueError):
            last_ms = now_ms
        with suppress(OSError):
            stamp.write_text(str(now_ms))
        if now_ms - last_ms > leap_ms_max:
            self._wait_until = self._seconds() + leap_wait_s
            days = (now_ms - last_ms) // DAY_MS
            self.server.log.warning(
                f"retention: the clock is {days} days ahead of the last round: nothing is removed for a day. If the "
                "date is wrong, set it", "retention",
            )
        return self._seconds() >= self._wait_until

    async def _run(self, steps: Generator[tuple[str, int], None, None], found: dict[str, int]) -> None:
        try:
            while (done := await asyncio.to_thread(next, steps, None)) is not None:
                found[done[0]] = found.get(done[0], 0) + done[1]
                await asyncio.sleep(pause_s)
        finally:
            await asyncio.shield(asyncio.to_thread(_close, steps))

    async def _journals(self, until_ms: int, found: dict[str, int]) -> None:
        """A journal is as old as its last input: one a day, so that a quiet engine's ages too."""
        journal = self.server.journal
        if time.time() - self._journal_began > DAY_MS / 1000 and not journal.failed:
            self._journal_began = time.time()
            await self.server.rotate_journal()
        found["journal"] = sweep_journals(journal.folder, until_ms, journal.path)
