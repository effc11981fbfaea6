"""`ringdown blocks`: whose messages are held off, since when, why, and how much was dropped."""

from __future__ import annotations

from engine.cli.options import Data, Json, data_folder

COLUMNS = [
    ("source", "source"), ("ports", "ports"), ("kind", "kind"), ("since", "since"), ("until", "until"),
    ("dropped", "dropped"), ("passed", "passed"), ("why", "why"),
]  # fmt: skip


def blocks(data: Data = None, json: Json = False) -> None:
    """List blocked sources (an IPv4 address, an IPv6 /64). A block lasts a minute, longer if it goes on."""
    from engine.cli import client, show

    found = client.ask(data_folder(data), "blocks")
    if json:
        print(show.as_json(found))
        return
    for row in found["blocks"]:
        row["ports"] = " ".join(map(str, row["ports"])) or "all"
        row["since"], row["until"] = show.clock(row["since_ms"]), show.clock(row["until_ms"])
    print(show.table(found["blocks"], COLUMNS))
    counts = ", ".join(f"{count} {why}" for why, count in found["dropped"].items())
    print(f"\nmessages dropped since the start: {counts}")
