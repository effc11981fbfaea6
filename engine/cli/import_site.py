"""`ringdown import`: another engine's files become a site of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine.cli.options import Json

SOURCES = ("asterisk", "freeswitch")
bytes_max = 4_000_000


def import_site(
    source: Annotated[str, typer.Argument(help="asterisk (extensions.conf, queues.conf) | freeswitch (IVR menus).")],
    files: Annotated[list[Path], typer.Argument(help="The files to convert.")],
    to: Annotated[Path, typer.Option("--to", help="A folder for the site; new, or empty.")] = Path("imported"),
    json: Json = False,
) -> None:  # fmt: skip
    """Convert a documented subset; list what was not understood, and write a test for every menu key.

    Exit status 0: everything was understood, 1: something wasn't (the site is written all the same).
    """
    import msgspec

    from engine.cli import show
    from engine.dialplan import import_asterisk, import_freeswitch, imported
    from engine.errors import UsageError

    if source not in SOURCES:
        raise UsageError(f"ringdown import knows {' and '.join(SOURCES)}, not {source!r}")
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise UsageError(f"{to} is there already and not empty: name another folder by --to")
    alone = len({path.name for path in files}) == len(files)
    texts = {path.name if alone else str(path): _read(path) for path in files}
    if source == "asterisk":
        site = import_asterisk.convert(texts)
    elif len(files) == 1:
        site = import_freeswitch.convert(*next(iter(texts.items())))
    else:
        raise UsageError("one file of IVR menus at a time")
    if not site.numbers and not site.queues:
        raise UsageError("nothing in these files could be converted: no number, no context that answers, no queue")
    made = imported.files(site, ", ".join(path.name for path in files))
    try:
        for path, text in made.items():
            (to / path).parent.mkdir(parents=True, exist_ok=True)
            (to / path).write_text(text, "utf-8")
    except OSError as error:
        raise UsageError(f"can't write {error.filename}: {error.strerror}") from error
    if json:
        notes = [msgspec.to_builtins(each) for each in site.notes]
        print(show.as_json({"written": list(made), "not_understood": notes}))
    else:
        keys = len(imported.menu_keys(site))
        print(f"{to}: {len(site.flows)} flows, {len(site.queues)} queues, {len(site.agents)} agents, {keys} menu keys")
        for note in site.notes:
            print(f"{imported.place_of(note)}: {note.why}")
        print(f"{len(site.notes)} things were not understood or changed. Next: ringdown check {to}")
    if site.notes:
        raise typer.Exit(1)


def _read(path: Path) -> str:
    from engine.errors import UsageError

    try:
        if path.stat().st_size > bytes_max:
            raise UsageError(f"{path} is larger than {bytes_max // 1_000_000} MB")
        return path.read_text("utf-8", errors="replace")
    except OSError as error:
        raise UsageError(f"can't read {path}: {error.strerror}") from error
