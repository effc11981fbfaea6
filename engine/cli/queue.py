"""`ringdown queue NAME VERB`: close a queue for new callers, open it again."""

from __future__ import annotations

from typing import Annotated

import typer

from engine.cli.options import Data, Json, data_folder

VERBS = ("open", "close", "show")


def queue(
    queue: Annotated[str, typer.Argument(help="Name, or tenant/name.")],
    verb: Annotated[str, typer.Argument(help="open | close | show")] = "show",
    until: Annotated[str, typer.Option("--until", help="With close: 14:00, 30m; then open again.")] = "",
    data: Data = None, json: Json = False,
) -> None:
    """Act on one queue; prints the effect and its undo. A closed queue still serves who waits in it."""
    from engine.cli import client, show
    from engine.errors import UsageError

    if verb not in VERBS:
        raise UsageError(f"unknown verb {verb!r}: one of {', '.join(VERBS)}")
    if until and verb != "close":
        raise UsageError("--until goes with close")
    folder = data_folder(data)
    if verb == "show":
        rows = [row for row in client.ask(folder, "queues") if queue in (row["name"], row["name"].partition("/")[2])]
        if not rows:
            raise client.Refused(f"no queue {queue!r}; `ringdown queues` lists them")
        print(show.as_json(rows) if json else "\n\n".join(map(_plain, rows)))
        return
    result = client.ask(folder, f"queue.{verb}", queue=queue, **show.until(until))
    print(show.as_json(result) if json else show.effect(f"queue {result['queue']}", result))


def _plain(row: dict[str, object]) -> str:
    return "\n".join(f"{key:22} {value}" for key, value in row.items() if key != "on_duty")
