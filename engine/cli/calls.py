"""`ringdown calls`: the call records, straight from the database: works while the engine is down."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from engine.cli.options import Data, Json, data_folder

limit_max = 100_000


def calls(
    live: Annotated[bool, typer.Option("--live", help="Calls that are up now (asks the engine).")] = False,
    caller: Annotated[str, typer.Option("--caller", help="Only this caller.")] = "",
    limit: Annotated[int, typer.Option("--limit", "-n", help="How many, newest first.")] = 20,
    data: Data = None, json: Json = False,
) -> None:
    """List ended calls: who, path, waits, outcome, quality."""
    from engine.cli import client, show

    folder = data_folder(data)
    if live:
        rows = client.ask(folder, "calls")
        columns = [("call", "call"), ("caller", "caller"), ("dialled", "dialled"), ("phase", "phase"),
                   ("queue", "queue"), ("agent", "agent"), ("seconds", "for s"), ("path", "path")]
    else:
        rows = read(folder / "ringdown.db", caller, limit)
        columns = [("at", "at"), ("call", "call"), ("caller", "caller"), ("dialled", "dialled"), ("agents", "agents"),
                   ("waited", "waited"), ("talked", "talked"), ("outcome", "outcome"), ("path", "path")]
    if json:
        print(show.as_json(rows))
        return
    if not live:
        for row in rows:
            row["at"] = show.clock(row["started_ms"], date=True)
            row["waited"], row["talked"] = show.seconds(row["waited_ms"]), show.seconds(row["talked_ms"])
    print(show.table(rows, columns))


def read(path: Path, caller: str, limit: int) -> list[dict[str, Any]]:
    """Rows of `calls`, newest first, lists decoded. [] when there is no database yet. Raises SiteError."""
    import json
    import sqlite3

    from engine.errors import SiteError, UsageError

    if not 0 < limit <= limit_max:
        raise UsageError(f"--limit is 1 to {limit_max}")
    if not path.exists():
        return []
    where, values = ("WHERE caller = ?", [caller]) if caller else ("", [])
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=2.0) as db:
            db.row_factory = sqlite3.Row
            query = f"SELECT * FROM calls {where} ORDER BY started_ms DESC, n DESC LIMIT ?"
            rows = [dict(row) for row in db.execute(query, [*values, limit])]
        db.close()
    except sqlite3.Error as error:
        raise SiteError(f"can't read {path}: {error}") from error
    for row in rows:
        for key in ("queues", "agents", "recordings", "quality"):
            row[key] = json.loads(row[key])
        row["one_way"] = bool(row["one_way"])
    return rows
