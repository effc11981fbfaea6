"""Options that many commands share, and how they are read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[
    Path | None,
    typer.Option("--data", help="The engine's data folder (default ~/.local/state/ringdown, or in $XDG_STATE_HOME)."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def data_folder(data: Path | None) -> Path:
    """The folder that --data names, or the default one."""
    if data is not None:
        return data
    import os

    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(base) / "ringdown"
