"""`ringdown call ID VERB`: act on one call that is up."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from engine.cli.options import Data, Json, data_folder

VERBS = ("hangup", "show")


def call(
    call: Annotated[str, typer.Argument(help="Call id, caller's number, agent's number, or `last`.")],
    verb: Annotated[str, typer.Argument(help="hangup | show")] = "show",
    data: Data = None, json: Json = False,
) -> None:
    """Act on one call; prints the effect and its undo."""
    from engine.cli import client, show
    from engine.errors import UsageError

    if verb not in VERBS:
        raise UsageError(f"unknown verb {verb!r}: one of {', '.join(VERBS)}")
    folder = data_folder(data)
    row = find(client.ask(folder, "calls"), call)
    if verb == "show":
        lines = [f"{key:10} {value}" for key, value in row.items() if value != ""]
        print(show.as_json(row) if json else "\n".join(lines))
        return
    result = client.ask(folder, f"call.{verb}", call=str(row["call"]))
    print(show.as_json(result) if json else f"call {result['call']}: {result['done']}   (undo: {result['undo']})")


def find(rows: list[dict[str, Any]], wanted: str) -> dict[str, Any]:
    """The one live call that an operator means. Raises Refused when it is none or several."""
    from engine.cli.client import Refused

    if wanted == "last" and rows:
        return min(rows, key=lambda row: int(row.get("seconds", 0)))
    for key in ("call", "caller", "agent"):
        found = [row for row in rows if str(row.get(key, "")) == wanted or str(row.get(key, "")).endswith(f"/{wanted}")]
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(str(row["call"]) for row in found)
            raise Refused(f"{wanted} has several calls: {names}")
    raise Refused(f"no call {wanted!r} is up; `ringdown calls --live` lists them")
