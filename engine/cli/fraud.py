"""`ringdown fraud`: whose calls to the outside are counted against fraud, and letting somebody dial again."""

from __future__ import annotations

from typing import Annotated

import typer

from engine.cli.options import Data, Json, data_folder

COLUMNS = [
    ("rule", "rule"), ("caller", "caller"), ("at_once", "at once"), ("minute", "last minute"), ("total", "in window"),
    ("in_a_row", "in a row"), ("number", "to"), ("warned", "warned of"),
    ("refused", "refused"),
]  # fmt: skip


def fraud(
    reset: Annotated[str, typer.Option("--reset", help="Forget what is counted of this caller, or of all.")] = "",
    data: Data = None, json: Json = False,
) -> None:
    """List what the rules under `fraud:` have counted, caller by caller; --reset lets one dial again."""
    from engine.cli import client, show

    folder = data_folder(data)
    if reset:
        result = client.ask(folder, "fraud.reset", caller=reset)
        print(show.as_json(result) if json else show.effect(f"caller {result['caller']}", result))
        return
    rows = client.ask(folder, "fraud")
    print(show.as_json(rows) if json else show.table(rows, COLUMNS))
