"""Addresses elsewhere as steps write them (see `options`): literal, of the right kind, without a password."""

from __future__ import annotations

from typing import Any
from urllib.parse import SplitResult, urlsplit

import msgspec

from engine import marks
from engine.dialplan import values
from engine.dialplan.lookup_reader import ADDRESS, HOST
from engine.dialplan.options import Context, Rule
from engine.dialplan.verbs.table import Option

HINT = "as in https://news.example/today.mp3; quote it"


class Kind(msgspec.Struct, frozen=True):
    """What an address must be: `schemes`, and what is said (`code`, `of`, `hint`) of one that isn't; `instead` of a
    password."""

    schemes: tuple[str, ...]
    code: str
    of: str
    hint: str
    instead: str


RECORDING = Kind(("http", "https"), "RD156", "a recording", HINT, "put the recording where no password is needed")


def address(context: Context, node: marks.Node, what: str, kind: Kind) -> tuple[marks.Scalar, SplitResult] | None:
    """An address and its parts; None after a finding."""
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
    fits = split.scheme in kind.schemes and HOST.fullmatch(bare) and ADDRESS.fullmatch(found.text)
    if "@" in split.netloc:
        context.report.add("RD080", found, "a user or password in an address", kind.instead)
    elif not fits or port == 0 or "#" in found.text:
        message = f"{found.text!r} is not the {' or '.join(kind.schemes)} address of {kind.of}"
        context.report.add(kind.code, found, message, kind.hint)
    else:
        return found, split
    return None


def sound_address(context: Context, node: marks.Node, option: Option, what: str) -> Any:
    """The address as it is asked for."""
    found = address(context, node, what, RECORDING)
    return found[0].text if found is not None else None


RULES: dict[str, Rule] = {"sound_address": sound_address}
