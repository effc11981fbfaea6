"""The verb by which people who edit no YAML speak to callers."""

from __future__ import annotations

from engine.dialplan.verbs.shape import Option, Verb

VERBS = (
    Verb(
        "notice",
        {"name": Option("notice", required=True)},
        main="name",
        sound=True,
        waits=True,
        places=("flow", "wait"),
        about="what was switched on for callers to hear; nothing while it is off",
    ),
)
