"""The verbs that take keys from the caller."""

from __future__ import annotations

from engine.dialplan.verbs.shape import MINUTE, PROMPT, Option, Verb

_LISTENING = {
    "prompt": Option("prompt", required=True),
    "again": PROMPT,
    "invalid": PROMPT,
    "no_input": PROMPT,
    "timeout": Option("duration", low=500, high=MINUTE),
    "inter_digit": Option("duration", low=500, high=MINUTE),
    "tries": Option("count", low=1, high=10),
    "barge_in": Option("flag"),
    "type_ahead": Option("flag"),
}
_DIGITS = {
    **_LISTENING,
    "into": Option("variable", required=True),
    "min": Option("count", low=1, high=64),
    "max": Option("count", low=1, high=64),
    "exact": Option("count", low=1, high=64),
    "terminator": Option("terminator"),
}
VERBS = (
    Verb(
        "menu",
        {**_LISTENING, "choices": Option("choices", required=True), "greet": Option("greet"), "confirm": PROMPT},
        {"failed": True},
        sound=True,
        waits=True,
        input=True,
        places=("flow", "wait"),
        about="offer choices by key",
    ),
    Verb(
        "gather",
        {**_DIGITS, "prompt": PROMPT, "regex": Option("regex"), "confirm": PROMPT},
        {"failed": True},
        sound=True,
        waits=True,
        input=True,
        about="take digits into a variable",
    ),
    Verb(
        "pin",
        {**_DIGITS, "verify": Option("lookup", required=True), "wrong": PROMPT, "busy": PROMPT},
        {"failed": True, "unavailable": False},
        sound=True,
        waits=True,
        input=True,
        about="take a secret number and have a lookup verify it",
    ),
)
