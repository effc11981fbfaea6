"""The wall between a call whose sound goes to a bot and the runtime's connections: four outputs, one input of the
Switch, and what a call remembers of such a stream."""

from __future__ import annotations

import msgspec


class StreamWanted(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Connect a leg with the bot at `url`; answered by one StreamDone(call, ticket), unless StreamUnwanted comes.

    `tracks` '': both ways, the bot is heard on the leg; "caller" | "both": it only listens. The dialplan's timer stands
    behind a stream that is both ways, `ms_max` behind every one.
    """

    call: int
    ticket: int
    name: str  # the call's
    tenant: str
    row: int  # of the caller's leg in the media plane
    generation: int
    url: str
    secret: str
    auth: str
    connect_ms: int
    ms_max: int
    tracks: str = ""
    send: dict[str, str] = {}
    hushed: bool = False


class StreamUnwanted(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """The stream is over, whatever the bot still has to say: the bot is told, the connection closed."""

    call: int
    ticket: int


class StreamPressed(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Tell the bot of a key of the caller's."""

    call: int
    ticket: int
    digit: str


class StreamHushed(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """From now on (or not any more) the bot is sent silence: what the caller says is a secret."""

    call: int
    ticket: int
    hushed: bool


class StreamDone(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """How it ended; `result` done | timeout | failed, `reason` in words without a value, `values` and `next` as
    `dialplan.stream_actions.StreamOver`. Frames of 20 ms: sent, heard by the caller, and dropped because the bot did
    not take them. Sealed in the journal under its call's key."""

    call: int
    ticket: int
    result: str
    reason: str = ""
    values: dict[str, str] = {}
    next: str = ""
    ms: int = 0
    sent: int = 0
    heard: int = 0
    dropped: int = 0


class Stream(msgspec.Struct, array_like=True):
    """One that a call has: `url` as the records may show it, `since_ms` monotonic."""

    ticket: int
    tracks: str
    url: str
    since_ms: int
