"""`ringdown report --codes`: calls by wrap-up code, from the record store."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from engine.cli import report, show
from engine.errors import SiteError
from engine.records import codes
from engine.records.report import Wish
from engine.runtime.migrations import StorageRefused

COLUMNS = [("queue", "queue"), ("code", "code"), ("name", "name"), ("calls", "calls"), ("percent", "%")]


def read(path: Path, wish: Wish) -> list[dict[str, Any]]:
    """The report's rows; no store yet: none. Raises SiteError."""
    if not path.exists():
        return []
    try:
        report.known_schema(path)
        db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=2.0)
        try:
            return codes.rows(db.execute(*codes.query(wish)))
        finally:
            db.close()
    except (sqlite3.Error, StorageRefused) as error:
        raise SiteError(f"can't read {path}: {error}") from error


def text(rows: list[dict[str, Any]]) -> str:
    """A table with whole percents."""
    return show.table([{**row, "percent": f"{row['percent']:.0f}"} for row in rows], COLUMNS)
