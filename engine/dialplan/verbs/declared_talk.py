"""The verbs that the caller hears."""

from __future__ import annotations

from engine.dialplan.verbs.shape import HOUR, Option, Verb

VERBS = (
    Verb("answer", bare=True, waits=True, about="answer the caller"),
    Verb(
        "play",
        {"prompt": Option("prompt", required=True), "for": Option("duration", low=100, high=24 * HOUR)},
        main="prompt",
        sound=True,
        waits=True,
        places=("flow", "wait"),
        about="play prompts, tones or music",
    ),
    Verb(
        "say",
        {"text": Option("speech", required=True)},
        main="text",
        sound=True,
        waits=True,
        places=("flow", "wait"),
        about="say a value",
    ),
    Verb(
        "music",
        {"name": Option("music"), "for": Option("duration", low=100, high=24 * HOUR)},
        main="name",
        main_digits="for",
        bare=True,
        sound=True,
        waits=True,
        places=("flow", "wait"),
        about="music, for a time or until the caller hangs up",
    ),
    Verb(
        "silence",
        {"for": Option("duration", low=100, high=24 * HOUR)},
        main="for",
        bare=True,
        waits=True,
        places=("flow", "wait"),
        about="say nothing, for a time or until the caller hangs up",
    ),
    Verb("echo", bare=True, sound=True, waits=True, ends=True, about="the caller hears himself until he hangs up"),
    Verb("language", {"name": Option("language", required=True)}, main="name", about="speak this language from now on"),
    Verb("position", bare=True, sound=True, waits=True, places=("wait",), about="say the caller's place in the queue"),
    Verb("estimate", bare=True, sound=True, waits=True, places=("wait",), about="say how long he will probably wait"),
)
