"""The verbs that record."""

from __future__ import annotations

from engine.dialplan.verbs.shape import HOUR, PROMPT, Option, Verb

VERBS = (
    Verb(
        "record",
        {
            "call": Option("recording"),
            "max": Option("duration", low=1_000, high=HOUR),
            "finish": Option("keys"),
            "beep": Option("flag"),
            "into": Option("variable"),
            "announce": PROMPT,
            "opt_out": Option("opt_out"),
        },
        main="call",
        sound=True,
        waits=True,
        about="record the call (start, stop, pause, resume) or a message",
    ),
)
