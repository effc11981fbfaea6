"""`ringdown agents`: who is there, in which state, since when."""

from __future__ import annotations

from engine.cli.options import Data, Json, data_folder


def agents(data: Data = None, json: Json = False) -> None:
    """List agents: state, reason, since when, phones."""
    from engine.cli import client, show

    rows = client.ask(data_folder(data), "agents")
    if json:
        print(show.as_json(rows))
        return
    columns = [("agent", "agent"), ("name", "name"), ("tenant", "tenant"), ("state", "state"), ("reason", "reason"),
               ("seconds", "for s"), ("over_budget", "over"), ("reachable", "phone"), ("queues", "queues")]
    print(show.table(rows, columns))
