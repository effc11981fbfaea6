"""`ringdown backup FILE`: the data folder's records in one file, while calls go on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine.cli.options import Data, Json, data_folder


def backup(
    file: Annotated[Path, typer.Argument(help="The file to make; it must not exist.")],
    recordings: Annotated[bool, typer.Option("--recordings", help="Recordings too.")] = False,
    secrets: Annotated[bool, typer.Option("--secrets", help="Phones' HA1 (as good as passwords) and what "
                                          "lies sealed, without the key.")] = False,
    data: Data = None, json: Json = False,
) -> None:  # fmt: skip
    """Back up records, checked; the engine may run."""
    import os

    import msgspec

    from engine.cli import audit, show
    from engine.runtime.backup import backup as run

    os.nice(10)  # calls come first
    folder = data_folder(data)
    made = run(folder, file, recordings=recordings, secrets=secrets)
    audit.note(folder, "backup", "", made.rows | made.files)
    if json:
        print(show.as_json(msgspec.to_builtins(made)))
        return
    held = ", ".join(f"{count} {name}" for name, count in {**made.rows, **made.files}.items())
    print(f"{made.file}: {made.bytes / 1e6:.1f} MB, copied in {made.copy_s:.1f} s, checked in {made.check_s:.1f} s")
    print(f"holds {held}; events up to {', '.join(f'{boot} {n}' for boot, n in made.events_to.items()) or 'none'}")
    if secrets:
        print("secrets of trunks and servers stay sealed: keep the key (ringdown secret list) in another place")
    else:
        print("without secrets: on another machine phones get new passwords (--secrets takes them along)")
