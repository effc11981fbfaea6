"""`ringdown secret NAME`: put the secret of a lookup into the data folder, from a prompt or standard input."""

from __future__ import annotations

import re
import sys
from typing import Annotated

import typer

from engine.cli.options import Data, Json, data_folder


def secret(
    name: Annotated[str, typer.Argument(help="The name behind `auth: secret` in lookups.yaml; none: list them.")] = "",
    remove: Annotated[bool, typer.Option("--remove", help="Forget it.")] = False,
    data: Data = None, json: Json = False,
) -> None:
    """Keep a lookup's secret where no site's file and no process list shows it; a running engine uses it at once."""
    from engine.cli import show
    from engine.errors import UsageError
    from engine.runtime.secrets import Secrets, prepare_folder

    secrets = Secrets(prepare_folder(data_folder(data)))
    if not name:
        if remove:
            raise UsageError("say which: `ringdown secret NAME --remove`")
        names = secrets.lookup_names()
        print(show.as_json(names) if json else "\n".join(names) or "no secrets of lookups are kept here")
        return
    if re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name) is None:
        raise UsageError(f"{name!r} is not a name for a secret: letters, digits, _ and -, at most 64")
    if remove:
        done = "forgotten" if secrets.put_lookup(name, "") else "was not there"
    else:
        secrets.put_lookup(name, _read(name))
        done = "kept"
    print(show.as_json({"secret": name, "done": done}) if json else f"secret {name}: {done}")


def _read(name: str) -> str:
    """One line that isn't shown. Raises UsageError."""
    from engine.errors import UsageError

    if sys.stdin.isatty():
        text = str(typer.prompt(f"secret {name}", hide_input=True, confirmation_prompt=True))
    else:
        text = sys.stdin.read(65_536).removesuffix("\n").removesuffix("\r")
    if not text or len(text) > 4_096 or not (text.isascii() and text.isprintable()):
        raise UsageError("a secret is one line of 1 to 4096 printable ASCII characters, typed or on standard input")
    return text
