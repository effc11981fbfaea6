"""The verb that gives a caller to a bot of the site's own."""

from __future__ import annotations

from engine import limits
from engine.dialplan.verbs.shape import Option, Verb

VERBS = (
    Verb(
        "stream",
        {
            "url": Option("stream_address", required=True),
            "secret": Option("stream_secret", required=True),
            "auth": Option("stream_auth"),
            "fork": Option("stream_fork"),
            "send": Option("shown"),
            "sets": Option("stream_sets"),
            "connect": Option("duration", low=limits.lookup_ms_min, high=limits.stream_connect_ms_max),
            "max": Option("duration", low=1_000, high=limits.stream_ms_max),
        },
        {"failed": False, "person": False, "timeout": False},
        sound=True,
        waits=True,
        input=True,
        about="hand the caller to a bot over WebSocket, or let one listen",
    ),
)
