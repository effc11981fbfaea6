"""The verbs that take keys, and words, from the caller."""

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
    "barge_in": Option("barge_in"),
    "type_ahead": Option("flag"),
}
# for steps that listen to words too
_WORDS = {
    "listen": Option("listen"),
    "no_match": PROMPT,
    "rephrased": PROMPT,
    "by_keys": PROMPT,
    "help": PROMPT,
    "heard": PROMPT,
    "sure": Option("count", low=1, high=100),
    "accept": Option("count", low=1, high=100),
    "person": Option("person"),
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
        {
            **_LISTENING, **_WORDS, "choices": Option("choices", required=True), "greet": Option("greet"),
            "confirm": PROMPT, "phrases": Option("phrases"),
        },
        {"failed": True},
        sound=True,
        waits=True,
        input=True,
        places=("flow", "wait"),
        about="offer choices by key, or by what is said",
    ),
    Verb(
        "gather",
        {
            **_DIGITS, **_WORDS, "prompt": PROMPT, "regex": Option("regex"), "confirm": PROMPT,
            "keyed": Option("keyed"), "phrases": Option("phrases"),
        },
        {"failed": True},
        sound=True,
        waits=True,
        input=True,
        about="take digits, or what is said, into a variable",
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
