"""`ringdown queues`: who waits, for how long, and who could answer."""

from __future__ import annotations

from engine.cli.options import Data, Json, data_folder

COLUMNS = [
    ("name", "queue"), ("waiting", "waiting"), ("longest", "longest"), ("alerting", "alerting"),
    ("connected", "talking"), ("ready", "ready"), ("on_duty", "on duty"), ("offered", "offered"),
    ("answered", "answered"), ("abandoned", "abandoned"), ("missed", "missed"),
]  # the rest is in --json


def queues(data: Data = None, json: Json = False) -> None:
    """List queues: waiting callers, longest wait, agents by state."""
    from engine.cli import client, show

    rows = client.ask(data_folder(data), "queues")
    if json:
        print(show.as_json(rows))
        return
    for row in rows:
        row["longest"] = show.seconds(row.get("longest_wait_ms", 0))
    print(show.table(rows, COLUMNS))
