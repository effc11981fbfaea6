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
    Verb(
        "voicemail",
        {"box": Option("box", required=True), "prompt": PROMPT, "max": Option("duration", low=5_000, high=HOUR)},
        {"full": False, "too_short": False, "failed": False},
        main="box",
        sound=True,
        waits=True,
        input=True,
        about="take a message into a box; the next step: it is taken",
    ),
)
