"""Actions and happenings of the verb `stream`: a bot elsewhere talks with the caller, or listens to him; a part of
`dialplan.actions`."""

from __future__ import annotations

import msgspec


class StartStream(msgspec.Struct, frozen=True, tag=True):
    """The caller's sound goes to the bot at `url` (ws or wss), in the messages of Twilio Media Streams.

    `tracks` '': handed over, both ways, and StreamOver(ticket) when the bot is done with him. "caller" or "both": a
    fork, beside the call until it ends, which hears the caller alone, or what he is sent as well; the dialplan is told
    nothing of it. `secret` names the secret that is shown to the bot, `auth`: bearer | signature. `send`: what the bot
    is told of the caller at the start, name -> text.
    """

    ticket: int
    url: str
    secret: str
    auth: str
    connect_ms: int
    ms_max: int
    tracks: str = ""
    send: dict[str, str] = {}


class StopStream(msgspec.Struct, frozen=True, tag=True):
    """The bot talks to him no longer: the stream of this ticket ends, for the records by `result` and `reason`."""

    ticket: int
    result: str
    reason: str = ""


class StreamKey(msgspec.Struct, frozen=True, tag=True):
    """The caller has pressed a key (0-9 * #) that is the bot's."""

    ticket: int
    digit: str


class StreamOver(msgspec.Struct, frozen=True, tag=True):
    """`result`: done (the bot said so, or closed the connection as one does) | timeout (`ms_max` are over) | failed.

    `values`: what the bot has found out, as text by variable's name, unchecked; `next`: the way it wishes, '' none.
    """

    ticket: int
    result: str
    values: dict[str, str] = {}
    next: str = ""


StreamAction = StartStream | StopStream | StreamKey
StreamHappening = StreamOver
