"""`ringdown callbacks`: who is to be called back, in the order of the queues, and how many promises were kept."""

from __future__ import annotations

from engine.cli.options import Data, Json, data_folder

COLUMNS = [
    ("callback", "callback"), ("queue", "queue"), ("position", "place"), ("number", "number"), ("state", "state"),
    ("waited", "waited"), ("attempts", "attempts"), ("next", "next"), ("promise", "promise"), ("call", "asked in"),
]  # the rest is in --json
COUNTS = [
    ("queue", "queue"), ("requested", "requested"), ("served", "served"), ("kept", "kept"), ("expired", "expired"),
    ("cancelled", "cancelled"), ("dialled", "dialled"), ("answered", "answered"), ("share", "kept %"),
]  # fmt: skip


def callbacks(data: Data = None, json: Json = False) -> None:
    """List open callbacks, and per queue what became of those since the engine began."""
    from engine.cli import client, show

    found = client.ask(data_folder(data), "callbacks")
    if json:
        print(show.as_json(found))
        return
    for row in found["callbacks"]:
        row["waited"] = show.seconds(row["waited_s"] * 1_000)
        row["attempts"] = f"{row['attempts']}/{row['attempts_max']}"
        row["next"] = show.seconds(row["next_s"] * 1_000) if row["next_s"] else ""
        row["promise"] = show.seconds(row["promise_s"] * 1_000) if row["promise_s"] > 0 else "BROKEN"
    for row in found["queues"]:
        row["share"] = "" if row["kept_promise"] is None else f"{row['kept_promise']:.0f}"
    print(show.table(found["callbacks"], COLUMNS))
    if found["queues"]:
        print("\n" + show.table(found["queues"], COUNTS))
