"""`ringdown notice [NAME on|off]`: what callers are told today, switched by people who edit no YAML."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine.cli.options import Data, Json, data_folder


def notice(
    name: Annotated[str, typer.Argument(help="A notice, or tenant/notice; without: lists them all.")] = "",
    state: Annotated[str, typer.Argument(metavar="[on|off]", help="on: every caller whose dialplan has it hears it.")]
    = "",
    text: Annotated[str, typer.Option("--text", help="Words to say instead of its own prompt (a synthesiser speaks "
                                      "them).")] = "",
    recording: Annotated[Path | None, typer.Option("--recording", help="A WAV file to play instead.")] = None,
    language: Annotated[str, typer.Option("--language", help="Of --text; without: the tenant's first.")] = "",
    until: Annotated[str, typer.Option("--until", help="22:00, 3h, 2026-12-24 12:00; without: the next midnight "
                                       "there.")] = "",
    by: Annotated[str, typer.Option("--by", help="Who wants it, beside the user who types it.")] = "",
    data: Data = None, json: Json = False,
) -> None:  # fmt: skip
    """Switch a notice on or off, or list notices and calendars with what holds for them."""
    from engine.errors import UsageError

    if not state:
        if name or text or recording:
            raise UsageError("say on or off: ringdown notice NAME on")
        listing(data, json=json)
        return
    if state != "on" and (text or recording or language or until):
        raise UsageError("--text, --recording, --language and --until go with on")
    arguments = {"notice": name, "state": state, "text": text, "language": language,
                 "recording": str(recording.resolve()) if recording else ""}  # fmt: skip
    switch("notice", {key: value for key, value in arguments.items() if value}, until, by, data, json=json)


def switch(verb: str, arguments: dict[str, str], until: str, by: str, data: Path | None, *, json: bool) -> None:
    """Ask the engine and print the effect with its end and its undo."""
    from engine.cli import client, show

    more = show.until(until) | ({"by": by} if by else {})
    result = client.ask(data_folder(data), verb, **arguments, **more)
    kind = "notice" if "notice" in result else "calendar"
    print(show.as_json(result) if json else show.effect(f"{kind} {result[kind]}", result))


def listing(data: Path | None, *, json: bool) -> None:
    """Every notice and calendar of the running site."""
    from engine.cli import client, show

    rows = client.ask(data_folder(data), "overrides")
    if json:
        print(show.as_json(rows))
        return
    for row in rows:
        row["until"] = show.clock(row["until_ms"], date=True) if row["until_ms"] else ""
    columns = (("switch", "kind"), ("name", "name"), ("state", "state"), ("until", "until"), ("author", "by"),
               ("text", "words"))  # fmt: skip
    print(show.table(rows, columns))
