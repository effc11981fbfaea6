"""The verbs that set and note values."""

from __future__ import annotations

from engine.dialplan.verbs.shape import EVERYWHERE, Option, Verb

VERBS = (
    Verb("set", {"values": Option("assignments", required=True)}, main="values", whole=True, places=EVERYWHERE),
    Verb(
        "tag", {"text": Option("note", required=True)}, main="text", places=EVERYWHERE, about="a word for the records"
    ),
)
