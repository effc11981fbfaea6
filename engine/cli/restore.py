"""`ringdown restore FILE`: a backup back into a data folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine.cli.options import Data, Json, data_folder


def restore(
    file: Annotated[Path, typer.Argument(help="A file made by `ringdown backup`.")],
    replace: Annotated[bool, typer.Option("--replace", help="Put records that are there aside.")] = False,
    data: Data = None, json: Json = False,
) -> None:
    """Bring a backup back; no engine may run there."""
    import msgspec

    from engine.cli import audit, show
    from engine.runtime.backup import restore as run

    folder = data_folder(data)
    done = run(file, folder, replace=replace)
    audit.note(folder, "restore", "", done.rows | done.files)
    if json:
        print(show.as_json(msgspec.to_builtins(done)))
        return
    held = ", ".join(f"{count} {name}" for name, count in {**done.rows, **done.files}.items())
    print(f"restored into {folder}: {held}, as of {show.clock(done.made_at_ms, date=True)}")
    if done.sealed:
        print(f"sealed with a key that is not here: {', '.join(done.sealed)}; bring secrets.key (or the credential) of "
              "the engine that made the backup, or put them there anew: ringdown secret set NAME")  # fmt: skip
    for name in done.aside:
        print(f"put aside: {folder / name}")
    print("callers erased since then are in it again: repeat `ringdown forget NUMBER` for each")
