"""`ringdown drain`: no new calls; the engine stops when the last one has ended."""

from __future__ import annotations

import sys
import time
from typing import Annotated, Any

import typer

from engine.cli.options import Data, Json, data_folder

_LOOK_S = 0.5


def drain(
    wait: Annotated[bool, typer.Option("--wait", help="Return when the engine has stopped.")] = False,
    data: Data = None, json: Json = False,
) -> None:
    """Take no new calls, serve those in progress (`limits: drain:` of site.yaml says how long), then stop."""
    from engine.cli import client, show

    folder = data_folder(data)
    found: dict[str, Any] = client.ask(folder, "drain")
    print(show.as_json(found) if json else text(found), flush=True)
    while wait and found:
        time.sleep(_LOOK_S)
        try:
            status = client.ask(folder, "status")
        except (client.NotRunning, client.Refused):
            found = {}
            continue
        if sys.stderr.isatty():
            switch = status["switch"]
            print(f"\r{switch.get('calls', '?')} calls left ", end="", file=sys.stderr, flush=True)


def text(found: dict[str, Any]) -> str:
    """The effect and its undo."""
    calls, left_s = found["calls"], found["left_ms"] // 1000
    after = f"{calls} calls go on ({found['waiting']} waiting), {left_s} s at most" if calls else "no call is left"
    return f"draining: no new calls; {after}; then the engine stops\nundo: {found['undo']}"
