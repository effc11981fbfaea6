"""`ringdown console`: the operators' desk in the terminal."""

from __future__ import annotations

from typing import Annotated

import typer

from engine.cli.options import Data, data_folder


def console(
    view: Annotated[str, typer.Argument(help="calls | queues | agents | trunks | events")] = "calls",
    data: Data = None,
) -> None:
    """Calls, queues, agents, trunks, events and SIP ladders; keys act. Runs in this terminal, usable at 80×24."""
    import sys

    from engine.errors import UsageError

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("the console needs a terminal; `ringdown tail`, `calls` and `queues --watch` do without")
    from engine.console.app import VIEWS, Console

    if view not in VIEWS:
        raise UsageError(f"unknown view {view!r}: one of {', '.join(VIEWS)}")
    Console(data_folder(data), view).run()
