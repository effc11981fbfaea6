"""`ringdown secret VERB`: what trunks, lookups, bots, mail and the broker are shown, kept sealed under names."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from engine.cli.options import Data, Json, data_folder

VERBS = ("list", "set", "remove", "rotate", "move")
ALONE = ("list", "rotate", "move")  # they take no name


def secret(
    verb: Annotated[str, typer.Argument(
        help="list (who uses which, from where) | set (typed, or on standard input) | remove | rotate (a new key that "
        "seals them) | move (out of a site's files into the store)"
    )] = "list",
    name: Annotated[str, typer.Argument(help="The name after `secret` in trunks.yaml, lookups.yaml, site.yaml.")] = "",
    remove: Annotated[bool, typer.Option("--remove", hidden=True)] = False,
    site: Annotated[Path | None, typer.Option("--site", help="With move and list: the site's folder.")] = None,
    data: Data = None, json: Json = False,
) -> None:  # fmt: skip
    """Keep secrets where no site's file and no process list shows them; a running engine uses them at once."""
    from engine.cli import show
    from engine.errors import UsageError

    if verb not in VERBS and not name:  # `ringdown secret NAME`, as it was before there were verbs
        verb, name = "set", verb
    if remove:
        verb = "remove"
    if verb not in VERBS:
        raise UsageError(f"unknown verb {verb!r}: one of {', '.join(VERBS)}")
    if bool(name) == (verb in ALONE):
        raise UsageError(f"{verb} takes no name" if name else f"say which: `ringdown secret {verb} NAME`")
    folder = data_folder(data)
    if verb == "list":
        found = _list(folder, site)
        print(show.as_json(found) if json else _table(found))
    elif verb == "rotate":
        found = _ask(folder, "secret.rotate")
        print(show.as_json(found) if json else _rotated(found))
    elif verb == "move":
        _move(folder, site, json)
    else:
        found = _change(folder, verb, name)
        used = f"; used by {', '.join(found['used_by'])}" if found.get("used_by") else ""
        print(show.as_json(found) if json else f"secret {name}: {found['done']}{used}")


def _change(folder: Path, verb: str, name: str) -> dict[str, Any]:
    from engine.errors import SiteError, UsageError
    from engine.runtime.secret_desk import checked

    try:
        checked(name)
        if verb == "remove":
            return _ask(folder, "secret.remove", name=name)
        text = _read(name)
        checked(name, text)
    except SiteError as error:
        raise UsageError(str(error)) from error
    return _ask(folder, "secret.set", name=name, secret=text)


def _read(name: str) -> str:
    """One line that isn't shown."""
    if sys.stdin.isatty():
        return str(typer.prompt(f"secret {name}", hide_input=True, confirmation_prompt=True))
    return sys.stdin.read(65_536).removesuffix("\n").removesuffix("\r")


def _ask(folder: Path, verb: str, **arguments: str) -> dict[str, Any]:
    """By the engine that runs with the folder; by ourselves where none does. Raises RingdownError."""
    from engine.cli import client

    try:
        return dict(client.ask(folder, verb, **arguments))
    except client.NotRunning:
        pass
    from engine.runtime.backup import running
    from engine.runtime.secrets import Secrets, prepare_folder

    if running(folder):
        raise client.NotRunning(f"the engine of {folder} is another user's: run this as the user who runs it")
    secrets = Secrets(prepare_folder(folder))
    if verb == "secret.rotate":
        before, after, count = secrets.rotate_key()
        return {"key": after, "ended": before, "secrets": count}
    text = arguments.get("secret", "")
    found = secrets.put(arguments["name"], text)
    return {"secret": arguments["name"], "done": "kept" if text else "forgotten" if found else "was not there"}


def _list(folder: Path, site: Path | None) -> dict[str, Any]:
    from engine.cli import client

    try:
        return dict(client.ask(folder, "secret.list"))
    except client.NotRunning:
        pass
    import msgspec

    from engine.runtime.secret_desk import listed
    from engine.runtime.secrets import Secrets, prepare_folder
    from engine.runtime.site_files import read_folder

    model = read_folder(site).site if site is not None else None
    found: dict[str, Any] = msgspec.to_builtins(listed(Secrets(prepare_folder(folder)), model))
    return found


def _table(found: dict[str, Any]) -> str:
    from engine.cli import show

    if not found["secrets"]:
        return "no secrets are kept here, and none is needed"
    key = "no key yet: it is made with the first secret"
    if found["key"]:
        key = f"sealed with the key {found['key']} from {found['place']}"
    columns = (("secret", "secret"), ("source", "from"), ("key", "key"), ("used_by", "used by"))
    rows = [each | {"used_by": ", ".join(each["used_by"])} for each in found["secrets"]]
    return f"{show.table(rows, columns)}\n{key}"


def _rotated(found: dict[str, Any]) -> str:
    said = f"{found['secrets']} secrets are sealed with the new key {found['key']}"
    if not found["ended"]:
        return said
    return f"{said}; the key {found['ended']} ended: make a new backup, as secrets in earlier ones can't be opened now"


def _move(folder: Path, site: Path | None, json: bool) -> None:
    from engine.cli import show
    from engine.errors import UsageError
    from engine.runtime import secret_moving

    if site is None:
        raise UsageError("say which site: `ringdown secret move --site DIR`")
    found = secret_moving.find(site)
    for each in found:
        _ask(folder, "secret.set", name=each.name, secret=each.text)
    secret_moving.rewrite(site, found)
    if json:
        print(show.as_json([{"file": each.file, "line": each.line, "secret": each.name} for each in found]))
        return
    for each in found:
        print(f"{each.file}:{each.line}: is `secret {each.name}` now, and lies sealed in {folder}")
    print("earlier copies of these files (backups, version control) still hold them: have them changed, then `ringdown "
          "secret set NAME`" if found else "no secrets in clear in this site's files")  # fmt: skip
