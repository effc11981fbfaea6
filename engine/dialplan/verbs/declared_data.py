"""The verbs that set, ask for and note values."""

from __future__ import annotations

from engine import limits
from engine.dialplan.verbs.shape import EVERYWHERE, PROMPT, Option, Verb

VERBS = (
    Verb("set", {"values": Option("assignments", required=True)}, main="values", whole=True, places=EVERYWHERE),
    Verb(
        "tag", {"text": Option("note", required=True)}, main="text", places=EVERYWHERE, about="a word for the records"
    ),
    Verb(
        "lookup",
        {"name": Option("lookup", required=True), "busy": PROMPT},
        {"failed": True, "not_found": False},
        main="name",
        waits=True,
        about="ask a server elsewhere; lookups.yaml says which and what comes back",
    ),
    Verb(
        "play_url",
        {
            "url": Option("sound_address", required=True),
            "timeout": Option("duration", low=limits.lookup_ms_min, high=limits.fetch_ms_max),
            "cache": Option("duration", high=limits.fetch_cache_ms_max),
            "busy": PROMPT,
        },
        {"failed": True},
        sound=True,
        waits=True,
        about="fetch a recording from a server elsewhere and play it",
    ),
    Verb(
        "send_digits",
        {
            "digits": Option("sent_digits", required=True),
            "on": Option("duration", low=60, high=1_000),
            "gap": Option("duration", low=40, high=1_000),
        },
        main="digits",
        sound=True,
        waits=True,
        about="press keys for the caller's side",
    ),
    Verb("show", {"values": Option("shown", required=True)}, main="values", whole=True, about="for the agent's screen"),
    Verb(
        "metric",
        {"name": Option("metric", required=True), "by": Option("amount")},
        main="name",
        places=EVERYWHERE,
        about="count something of the site's own",
    ),
)
