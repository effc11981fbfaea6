"""`ringdown diff`: what differs between two versions of the site, in words of the business."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.options import Data, Json, data_folder

if TYPE_CHECKING:
    from engine.dialplan.model import Site
    from engine.runtime.versions import Store


def diff(
    first: Annotated[str, typer.Argument(metavar="A", help="A version's first letters, or a site's folder; "
                                         "without: the version in force.")] = "",
    second: Annotated[str, typer.Argument(metavar="B", help="The same; without: the version in force, and when A is "
                                          "left out too, the site's folder: what a reload would change.")] = "",
    data: Data = None, json: Json = False,
) -> None:
    """Tell what has changed from A to B: keys, flows, queues, agents, prompts. Status 1 when something has."""
    from engine.cli import show
    from engine.dialplan.difference import difference
    from engine.errors import SiteError
    from engine.runtime.versions import Store

    store = Store(data_folder(data))
    book = store.book()
    if not (first and second) and not book.active:
        raise SiteError(f"no version is kept in {store.folder}: start `ringdown serve` once, or name two folders")
    old = _site(store, first or book.active)
    new = _site(store, second or (book.active if first else book.site))
    lines = difference(old, new)
    if json:
        print(show.as_json({"old": old.version, "new": new.version, "difference": lines}))
    else:
        print("\n".join([f"from {old.version[:12]} to {new.version[:12]}:", *(lines or ["nothing has changed"])]))
    if lines:
        raise typer.Exit(1)


def _site(store: Store, name: str) -> Site:
    """A folder, or a kept version. Raises SiteError when it isn't there or has errors."""
    from engine.errors import SiteError
    from engine.runtime.site_files import read_folder

    folder = Path(name)
    reading = read_folder(folder if folder.is_dir() else store.tree(store.named(name)))
    if reading.site is None:
        first = reading.errors()[0]
        raise SiteError(f"{name} has errors: {first.file}:{first.line}: {first.message} (`ringdown check` tells all)")
    return reading.site
