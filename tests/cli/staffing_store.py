"""A small record store for staffing: five Mondays of a queue, made with the engine's own schema."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from engine.records import schema
from engine.runtime.migrations import prepare

MONDAYS = ("2025-02-03", "2025-02-10", "2025-02-17", "2025-02-24", "2025-03-03")
QUARTER_S = 900
HOURS = {9.0: 20, 9.5: 20, 10.0: 100, 10.5: 100, 11.0: 100, 11.5: 20}  # calls by half hour
QUEUE = "default/support"


def make(folder: Path, days: tuple[str, ...] = MONDAYS, *, gave_up: int = 0) -> Path:
    """`ringdown.db` in `folder`: calls of 150 s talk and 30 s wrap-up after 5 s of waiting, eleven agents on duty.
    `gave_up` callers more in each half hour leave after a minute."""
    prepare(folder / "ringdown.db", 1.0)
    contacts: list[tuple[object, ...]] = []
    times: list[tuple[object, ...]] = []
    for day in days:
        midnight_s = round(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp())
        for hour, calls in HOURS.items():
            begin_s = midnight_s + round(hour * 3600)
            for n in range(calls):
                came_ms = begin_s * 1000 + n * 1_800_000 // calls
                contacts.append((came_ms + 5_000, n, "b", "default", QUEUE, f"default/{201 + n % 10}", "connected",
                                 5_000, 150_000, 0, 0, n))  # fmt: skip
            contacts += [(begin_s * 1000 + 60_000 + n, 1000 + n, "b", "default", QUEUE, "", "abandoned", 60_000, 0, 0,
                          0, 0) for n in range(gave_up)]  # fmt: skip
            for quarter_ms in (begin_s * 1000, (begin_s + QUARTER_S) * 1000):
                times += _duty(quarter_ms, wrap_ms=calls * 1_500)
    with closing(sqlite3.connect(folder / "ringdown.db")) as db, db:
        db.executemany(schema.INSERT_CONTACT, contacts)
        db.executemany(schema.ADD_AGENT_TIME, times)
    return folder


def _duty(quarter_ms: int, *, wrap_ms: int) -> list[tuple[object, ...]]:
    """Ten agents who share the quarter's wrap-up, an eleventh who was only rung, one at lunch, one of other queues."""
    found: list[tuple[object, ...]] = []
    for agent in range(201, 211):
        found.append((quarter_ms, f"default/{agent}", "wrap_up", "", QUEUE, wrap_ms))
        found.append((quarter_ms, f"default/{agent}", "ready", "", "", QUARTER_S * 1000 - wrap_ms))
    found.append((quarter_ms, "default/211", "alerting", "", QUEUE, 5_000))
    found.append((quarter_ms, "default/211", "ready", "", "", QUARTER_S * 1000 - 5_000))
    found.append((quarter_ms, "default/201", "not_ready", "lunch", "", QUARTER_S * 1000))
    found.append((quarter_ms, "default/300", "talking", "", "default/sales", QUARTER_S * 1000))
    return found
