"""`ringdown report --survey`: what callers answered, from the record store."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from engine.cli import report, show
from engine.errors import SiteError
from engine.records import surveys
from engine.records.report import Wish
from engine.runtime.migrations import StorageRefused

COLUMNS = [
    ("group", ""), ("survey", "survey"), ("question", "question"), ("asked", "asked"), ("answered", "answered"),
    ("response_percent", "response %"), ("score", "score"), ("answers", "answers"),
]  # fmt: skip


def read(path: Path, wish: Wish, survey: str = "") -> list[dict[str, Any]]:
    """The report's rows; no store yet: none. Raises SiteError."""
    if not path.exists():
        return []
    try:
        report.known_schema(path)
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=2.0)) as db:
            return surveys.rows(db.execute(*surveys.query(wish, survey)))
    except (sqlite3.Error, StorageRefused) as error:
        raise SiteError(f"can't read {path}: {error}") from error


def text(rows: list[dict[str, Any]], by: str) -> str:
    """A table; the group's column is headed by what it is."""
    columns = [(key, by if key == "group" else head) for key, head in COLUMNS if by != "all" or key != "group"]
    shown = [{**row, "response_percent": _whole(row["response_percent"])} for row in rows]
    return show.table(shown, columns)


def _whole(percent: float | None) -> str:
    return "" if percent is None else f"{percent:.0f}"
