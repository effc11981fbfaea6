"""`ringdown rollback`: a version of the site that was in force before is so again, whatever its folder holds now."""

from __future__ import annotations

from typing import Annotated

import typer

from engine.cli.options import Data, Json, data_folder


def rollback(
    version: Annotated[str, typer.Argument(help="Its first letters (`ringdown versions`); without: the one before.")]
    = "",
    data: Data = None, json: Json = False,
) -> None:
    """Go back to a kept version for calls that arrive from now on. A restart doesn't bring the other one back."""
    from engine.cli import client
    from engine.cli import reload as printing

    try:
        result = client.ask(data_folder(data), "rollback", **({"version": version} if version else {}))
    except client.Refused as refused:
        printing.refuse(refused, json)
    if result.get("withdrawn") and not json:
        print(f"{result['withdrawn'][:12]} is withdrawn; new calls run on {result['new'][:12]}   "
              "(undo: ringdown reload --share)")
        return
    printing.report(result, json)
