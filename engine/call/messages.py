"""One message in a box, and a box that somebody has opened, as data."""

from __future__ import annotations

from typing import Any

import msgspec


class Message(msgspec.Struct):
    """`box` is "tenant/name", `name` its file below the data folder, which is its name everywhere else too.

    `state`: new | heard | saved. `left_ms` is Unix ms.
    """

    id: int
    box: str
    name: str
    caller: str
    caller_name: str
    dialled: str
    call: str  # the call in which it was left
    left_ms: int
    duration_ms: int = 0
    state: str = "new"
    warned: bool = False  # nobody had heard it in time, and that was told
    via: str = "trunk"  # how the caller came: whom a trunk vouches for may be called back
    language: str = "en"


class StoredMessage(msgspec.Struct, frozen=True, array_like=True):
    """A message as the record store keeps it over a restart; fields as `Message`."""

    box: str
    name: str
    caller: str
    caller_name: str
    dialled: str
    call: str
    left_ms: int
    duration_ms: int
    state: str
    warned: bool


def stored_message(row: tuple[Any, ...]) -> StoredMessage:
    """One from a row of `records.voicemail.SELECT`."""
    box, name, caller, caller_name, dialled, call, left_ms, duration_ms, state, warned = row
    return StoredMessage(
        str(box), str(name), str(caller), str(caller_name), str(dialled), str(call), int(left_ms), int(duration_ms),
        str(state), bool(warned),
    )  # fmt: skip
