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
    "grammar": Option("grammar"),
}
_DIGITS = {
    **_LISTENING,
    "into": Option("variable", required=True),
    "min": Option("count", low=1, high=64),
    "max": Option("count", low=1, high=64),
    "exact": Option("count", low=1, high=64),
    "terminator": Option("terminator"),
}
# What `ask` and the step behind its questions have in common.
_SENTENCE = {
    **{name: option for name, option in _LISTENING.items() if name not in ("invalid", "inter_digit", "type_ahead")},
    **{name: option for name, option in _WORDS.items() if name != "by_keys"},
    "confirm": PROMPT,
    "phrases": Option("phrases"),
    "slots": Option("slots", required=True),
}
# A secret is never said back, so there is nothing to be sure of.
_SECRET = {name: option for name, option in _WORDS.items() if name not in ("heard", "sure", "grammar")}
# Ends what an `ask` stands for: is it all right? The reader puts it there, nobody writes it.
ASKED = Verb(
    "asked",
    {name: option for name, option in _SENTENCE.items() if name not in ("prompt", "again", "rephrased")},
    {"failed": True},
)
VERBS = (
    Verb(
        "ask",
        {**_SENTENCE, "invalid": PROMPT, "inter_digit": _LISTENING["inter_digit"]},
        {"failed": True},
        sound=True,
        waits=True,
        input=True,
        about="take several values from one sentence, and ask for those that are missing",
    ),
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
            "keyed": Option("keyed"), "phrases": Option("phrases"), "missing": Option("flag"),
            "one_of": Option("open_list"),
        },
        {"failed": True, "empty": False},
        sound=True,
        waits=True,
        input=True,
        about="take digits, or what is said, into a variable",
    ),
    Verb(
        "pin",
        {**_DIGITS, **_SECRET, "verify": Option("lookup", required=True), "wrong": PROMPT, "busy": PROMPT},
        {"failed": True, "unavailable": False},
        sound=True,
        waits=True,
        input=True,
        about="take a secret number and have a lookup verify it",
    ),
)
