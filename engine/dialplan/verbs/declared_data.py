"""The verbs that set, ask for and note values."""

from __future__ import annotations

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
)
