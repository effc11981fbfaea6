"""The rule for the address of a recording elsewhere (see `options`): literal, http or https, without a password."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from engine import marks
from engine.dialplan import values
from engine.dialplan.lookup_reader import ADDRESS, HOST
from engine.dialplan.options import Context, Rule
from engine.dialplan.verbs.table import Option

HINT = "as in https://news.example/today.mp3; quote it"


def sound_address(context: Context, node: marks.Node, option: Option, what: str) -> Any:
    """The address as it is asked for."""
    found = values.scalar(context.report, node, what)
    if found is None or values.computed(context.report, found, "an address"):
        return None
    try:
        split = urlsplit(found.text)
        port = split.port
    except ValueError:
        split, port = urlsplit(""), None
    host = split.netloc.rpartition("@")[2]
    bare = host.removesuffix(f":{port}") if port is not None else host
    fits = split.scheme in ("http", "https") and HOST.fullmatch(bare) and ADDRESS.fullmatch(found.text)
    if "@" in split.netloc:
        hint = "put the recording where no password is needed"
        context.report.add("RD080", found, "a user or password in an address", hint)
    elif not fits or port == 0 or "#" in found.text:
        context.report.add("RD156", found, f"{found.text!r} is not the http or https address of a recording", HINT)
    else:
        return found.text
    return None


RULES: dict[str, Rule] = {"sound_address": sound_address}
