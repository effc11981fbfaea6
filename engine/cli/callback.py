"""`ringdown callback ID VERB`: cancel an open callback, or end the pause before its next attempt."""

from __future__ import annotations

from typing import Annotated

import typer

from engine.cli.options import Data, Json, data_folder

VERBS = ("cancel", "now", "show")


def callback(
    callback: Annotated[str, typer.Argument(help="Its id, or the number that will be called.")],
    verb: Annotated[str, typer.Argument(help="cancel | now | show")] = "show",
    data: Data = None, json: Json = False,
) -> None:
    """Act on one callback; prints the effect and its undo. `now`: rung as soon as its place has its turn."""
    from engine.cli import client, show
    from engine.errors import UsageError

    if verb not in VERBS:
        raise UsageError(f"unknown verb {verb!r}: one of {', '.join(VERBS)}")
    folder = data_folder(data)
    if verb == "show":
        rows = [row for row in client.ask(folder, "callbacks")["callbacks"]
                if callback in (row["callback"], row["number"])]
        if not rows:
            raise client.Refused(f"no callback {callback!r} is open; `ringdown callbacks` lists them")
        print(show.as_json(rows) if json else "\n\n".join("\n".join(f"{k:14} {v}" for k, v in r.items()) for r in rows))
        return
    result = client.ask(folder, f"callback.{verb}", callback=callback)
    print(show.as_json(result) if json else show.effect(f"callback {result['callback']}", result))
