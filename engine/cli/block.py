"""`ringdown block SOURCE VERB`: why a source is blocked, and the end of it."""

from __future__ import annotations

from typing import Annotated

import typer

from engine.cli.options import Data, Json, data_folder

VERBS = ("show", "lift")


def block(
    source: Annotated[str, typer.Argument(help="An address, or all (with lift).")],
    verb: Annotated[str, typer.Argument(help="show | lift")] = "show",
    data: Data = None, json: Json = False,
) -> None:
    """Say why a source is blocked, or lift the block. `gate: trusted:` in site.yaml is for those who never shall be."""
    from engine.cli import client, show
    from engine.errors import UsageError

    if verb not in VERBS:
        raise UsageError(f"unknown verb {verb!r}: one of {', '.join(VERBS)}")
    folder = data_folder(data)
    if verb == "show":
        row = client.ask(folder, "blocks", source=source)
        lines = {
            "source": row["source"], "ports": " ".join(map(str, row["ports"])) or "all",
            "why": f"{row['kind']}: {row['why']}", "since": show.clock(row["since_ms"]),
            "until": f"{show.clock(row['until_ms'])}, longer if it goes on", "dropped": row["dropped"],
            "passed": f"{row['passed']} (a few of each port: a good phone behind it gets in)",
            "undo": f"ringdown block {row['source']} lift",
        }  # fmt: skip
        print(show.as_json(row) if json else "\n".join(f"{key:8} {value}" for key, value in lines.items()))
        return
    result = client.ask(folder, "block.lift", source=source)
    print(show.as_json(result) if json else show.effect(f"source {result['source']}", result))
