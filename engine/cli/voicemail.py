"""`ringdown voicemail [BOX [VERB [N]]]`: what lies in the boxes; hear, save or delete a message; a new PIN."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from engine.cli.options import Data, Json, data_folder

VERBS = ("list", "hear", "save", "delete", "pin")
PLAYERS = (("pw-play",), ("paplay",), ("aplay", "-q"), ("play", "-q"), ("ffplay", "-nodisp", "-autoexit"))
BOXES = [
    ("box", "box"), ("new", "new"), ("old", "old"), ("messages_max", "of"), ("waits", "oldest new"),
    ("megabytes", "MB"), ("whose", "whose"), ("told", "told"),
]  # fmt: skip
MESSAGES = [
    ("n", "n"), ("state", "state"), ("left", "left"), ("caller", "caller"), ("name", "name"), ("dialled", "dialled"),
    ("length", "length"), ("call", "call"),
]  # fmt: skip


def voicemail(
    box: Annotated[str, typer.Argument(help="A box, or tenant/box; without one: all boxes.")] = "",
    verb: Annotated[str, typer.Argument(help="list | hear | save | delete | pin")] = "list",
    message: Annotated[str, typer.Argument(help="Which message: its n in the list.")] = "",
    out: Annotated[str, typer.Option("--out", help="With hear: write the message there instead of playing it.")] = "",
    data: Data = None, json: Json = False,
) -> None:
    """List boxes and messages, and act on one. `hear` marks it as heard; `delete` removes its file for good."""
    from engine.cli import client, show
    from engine.errors import UsageError

    if verb not in VERBS:
        raise UsageError(f"unknown verb {verb!r}: one of {', '.join(VERBS)}")
    if verb in ("hear", "save", "delete") and not message:
        raise UsageError(f"{verb} which message? its n: ringdown voicemail {box} lists them")
    if out and verb != "hear":
        raise UsageError("--out goes with hear")
    folder = data_folder(data)
    if not box:
        rows = client.ask(folder, "boxes")
        print(show.as_json(rows) if json else show.table([_box(row) for row in rows], BOXES))
    elif verb == "list":
        rows = client.ask(folder, "messages", box=box)
        print(show.as_json(rows) if json else show.table([_message(row) for row in rows], MESSAGES))
    elif verb == "pin":
        result = client.ask(folder, "voicemail.pin", box=box)
        print(show.as_json(result) if json else f"box {result['box']}: new PIN {result['pin']} (shown only now)")
    elif verb == "hear":
        result = _hear(folder, box, message, out)
        print(show.as_json(result) if json else f"{result['file']}: {result['done']}")
    else:
        result = client.ask(folder, f"voicemail.{verb}", box=box, message=message)
        print(show.as_json(result) if json else show.effect(f"message {result['message']}", result))


def _box(row: dict[str, Any]) -> dict[str, Any]:
    from engine.cli import show

    row["waits"] = show.clock(row["oldest_new_ms"], date=True) if row["oldest_new_ms"] else ""
    row["megabytes"] = row["bytes"] / 1_000_000
    row["whose"] = row["queue"] or row["agent"]
    row["told"] = " ".join([*(each.rpartition("/")[2] for each in row["hears"]), *(["mail"] if row["mail"] else [])])
    return row


def _message(row: dict[str, Any]) -> dict[str, Any]:
    from engine.cli import show

    row["left"] = show.clock(row["left_ms"], date=True)
    row["length"] = show.seconds(row["duration_ms"])
    return row


def _hear(folder: Path, box: str, message: str, out: str) -> dict[str, Any]:
    """Play it (or write it to `out`), then it is heard. Raises Refused when its file is gone, SiteError when `out`
    can't be written."""
    from engine.cli import client
    from engine.errors import SiteError

    rows = client.ask(folder, "messages", box=box)
    row = next((each for each in rows if message in (str(each["n"]), each["message"])), None)
    if row is None:
        raise client.Refused(f"no message {message!r} in {box}, which holds {len(rows)}")
    path = folder / row["message"]
    if not path.exists():
        remedy = f"`ringdown voicemail {box} delete {message}` takes it off the list"
        raise client.Refused(f"its file {path} is gone; {remedy}")
    if out:
        from engine.runtime.wav import write_caller

        try:
            write_caller(path, Path(out))
        except OSError as error:
            raise SiteError(f"can't write {out}: {error.strerror}") from error
    played = bool(out) or _play(path)
    if played:
        client.ask(folder, "voicemail.heard", box=row["box"], message=row["message"])
    done = "heard" if played else f"no player here ({', '.join(each[0] for each in PLAYERS)}): copy it with --out FILE"
    return {"message": row["message"], "file": out or str(path), "done": done}


def _play(path: Path) -> bool:
    """With the first player that is installed; False: there is none, or it failed."""
    import shutil
    import subprocess

    player = next((each for each in PLAYERS if shutil.which(each[0])), None)
    return player is not None and subprocess.run([*player, str(path)], check=False).returncode == 0
