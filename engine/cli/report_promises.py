"""`ringdown report --calibration`: were promised waits kept, by queue, from the record store."""

from __future__ import annotations

import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from engine.cli import report, show
from engine.errors import SiteError, UsageError
from engine.records import promises, schema
from engine.records.kpi_promises import GOAL_PERCENT
from engine.records.report import Wish
from engine.runtime.migrations import StorageRefused

COLUMNS = [
    ("way", "promise"), ("made", "made"), ("kept", "kept"), ("sooner", "sooner"), ("later", "later"),
    ("open", "gave up"), ("kept_percent", "kept %"), ("interval", "95 %"), ("width_ms", "width"),
]  # fmt: skip
WAYS = {"joining": "at joining", "spoken": "spoken"}


def refuse(wish: Wish) -> None:
    """What a calibration can't be asked for: raises UsageError."""
    if wish.by == "agent" or wish.agent:
        raise UsageError("--calibration is of queues, not of agents: --by queue, tenant or all")
    if wish.interval != "none":
        raise UsageError("--calibration has no --interval: choose the time by --since and --until")


def read(path: Path, wish: Wish) -> list[dict[str, Any]]:
    """The report's rows; no store yet: none. Raises SiteError."""
    if not path.exists():
        return []
    try:
        report.known_schema(path, schema.PROMISES_SINCE)
        workers = min(report.workers_max, os.cpu_count() or 1)
        parts = (promises.query(part) for part in report.stretches(path, "promises", wish, report.piece_rows))
        with ThreadPoolExecutor(workers) as pool:
            return promises.rows(promises.counts(report.answers(pool, 2 * workers, path, parts)), wish.by)
    except (sqlite3.Error, StorageRefused) as error:
        raise SiteError(f"can't read {path}: {error}") from error


def text(rows: list[dict[str, Any]], by: str) -> str:
    """A table for people, and how to read it."""
    shown = [
        {
            **row, "way": WAYS[row["way"]], "width_ms": show.seconds(row["width_ms"]),
            "interval": "" if row["kept_percent_low"] is None
            else f"{row['kept_percent_low']:.1f}–{row['kept_percent_high']:.1f}",
        }
        for row in rows
    ]  # fmt: skip
    heads = [(by, by)] if by != "all" else []
    table = show.table(shown, [*heads, *COLUMNS])
    if not rows:
        return table
    low, high = GOAL_PERCENT
    return (
        f"{table}\n90 % are promised; {low:.0f}–{high:.0f} % kept is good. Who gave up before the upper bound isn't "
        "judged, who waited beyond it counts as later."
    )
