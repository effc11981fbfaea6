"""`ringdown versions`: which versions of the site were in force, since when, by whom."""

from __future__ import annotations

from typing import Any

from engine.cli.options import Data, Json, data_folder


def versions(data: Data = None, json: Json = False) -> None:
    """List the kept versions of the site, the newest first. Reads the data folder; the engine need not run."""
    from engine.cli import show
    from engine.runtime.versions import Store

    store = Store(data_folder(data))
    book = store.book()
    rows: list[dict[str, Any]] = []
    for entry in reversed(book.entries):
        state = "in force" if entry.version == book.active else "held back" if entry.version in book.held else ""
        rows.append({
            "version": entry.version, "at_ms": entry.at_ms, "act": entry.act, "author": entry.author,
            "files": entry.files, "changes": entry.changes, "tests": entry.tests, "untested": entry.untested,
            "state": state,
        })
    if json:
        print(show.as_json({"site": book.site, "active": book.active, "held": book.held, "versions": rows}))
        return
    for row in rows:
        row["version"], row["at"] = row["version"][:12], show.clock(row["at_ms"], date=True)
        row["tests"] += f" (untested: {row['untested']})" if row["untested"] else ""
    columns = (("version", "version"), ("at", "since"), ("act", "by"), ("author", "author"), ("files", "files"),
               ("changes", "changes"), ("state", "state"), ("tests", "tests"))  # fmt: skip
    print(show.table(rows, columns))
