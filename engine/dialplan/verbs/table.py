"""Every verb as data: how it is written, what its options are, which outcomes it must name.

Reader, linker, check, interpreter (and later the editors' schemas) all read this one table. Option kinds are
rules in `dialplan.options`. A verb of the whole language that isn't built yet stands in LATER, so that its use is
told from a misspelling.
"""

from __future__ import annotations

import msgspec


class Option(msgspec.Struct, frozen=True):
    """One option of a verb. `kind` names its rule; `low`/`high` bound numbers (durations in ms)."""

    kind: str
    required: bool = False
    low: int = 0
    high: int = 0


class Verb(msgspec.Struct, frozen=True):
    """One verb.

    main: the option that a bare value (not a mapping) fills, '' = a mapping is needed; main_digits: the option
    that a value beginning with a digit fills instead. bare: may stand as a word alone. whole: the value, even a
    mapping, is the main option. outcomes: name -> must be named. sound: the caller must have been answered.
    waits: the step ends by a happening. ends: nothing comes after it. input: its good end needs the caller or
    another person. places: where it may stand (flow, wait, finally).
    """

    name: str
    options: dict[str, Option] = {}
    outcomes: dict[str, bool] = {}
    main: str = ""
    main_digits: str = ""
    bare: bool = False
    whole: bool = False
    sound: bool = False
    waits: bool = False
    ends: bool = False
    input: bool = False
    places: tuple[str, ...] = ("flow",)
    about: str = ""


_MINUTE, _HOUR = 60_000, 3_600_000
_PROMPT = Option("prompt")
_LISTENING = {
    "prompt": Option("prompt", required=True),
    "again": _PROMPT,
    "invalid": _PROMPT,
    "no_input": _PROMPT,
    "timeout": Option("duration", low=500, high=_MINUTE),
    "inter_digit": Option("duration", low=500, high=_MINUTE),
    "tries": Option("count", low=1, high=10),
    "barge_in": Option("flag"),
    "type_ahead": Option("flag"),
}
EVERYWHERE = ("flow", "finally", "wait")

_VERBS = (
    # --- talk
    Verb("answer", bare=True, waits=True, about="answer the caller"),
    Verb(
        "play",
        {"prompt": Option("prompt", required=True), "for": Option("duration", low=100, high=24 * _HOUR)},
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
        {"name": Option("music"), "for": Option("duration", low=100, high=24 * _HOUR)},
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
        {"for": Option("duration", low=100, high=24 * _HOUR)},
        main="for",
        bare=True,
        waits=True,
        places=("flow", "wait"),
        about="say nothing, for a time or until the caller hangs up",
    ),
    Verb("echo", bare=True, sound=True, waits=True, ends=True, about="the caller hears himself until he hangs up"),
    Verb("language", {"name": Option("language", required=True)}, main="name", about="speak this language from now on"),
    # --- listen
    Verb(
        "menu",
        {**_LISTENING, "choices": Option("choices", required=True)},
        {"failed": True},
        sound=True,
        waits=True,
        input=True,
        places=("flow", "wait"),
        about="offer choices by key",
    ),
    Verb(
        "gather",
        {
            **_LISTENING,
            "prompt": _PROMPT,
            "into": Option("variable", required=True),
            "min": Option("count", low=1, high=64),
            "max": Option("count", low=1, high=64),
            "exact": Option("count", low=1, high=64),
            "terminator": Option("terminator"),
        },
        {"failed": True},
        sound=True,
        waits=True,
        input=True,
        about="take digits into a variable",
    ),
    # --- decide
    Verb(
        "when",
        {"branches": Option("branches", required=True)},
        main="branches",
        whole=True,
        places=EVERYWHERE,
        about="branch",
    ),
    Verb(
        "switch",
        {"value": Option("expression", required=True), "cases": Option("cases", required=True)},
        {"else": False},
        places=EVERYWHERE,
        about="branch by a value",
    ),
    # --- data
    Verb("set", {"values": Option("assignments", required=True)}, main="values", whole=True, places=EVERYWHERE),
    Verb(
        "tag", {"text": Option("note", required=True)}, main="text", places=EVERYWHERE, about="a word for the records"
    ),
    # --- people
    Verb("priority", {"time": Option("duration", low=0, high=24 * _HOUR)}, main="time", about="as if he had waited"),
    Verb(
        "queue",
        {
            "name": Option("queue", required=True),
            "waiting": Option("wait"),
            "music": Option("music"),
            "announce": Option("announce"),
            "position": Option("duration", low=5_000, high=_HOUR),
            "max_wait": Option("duration", low=1_000, high=4 * _HOUR),
            "priority": Option("duration", low=0, high=24 * _HOUR),
            "needs": Option("needs"),
            "prefer": Option("agent"),
            "prefer_for": Option("duration", low=1_000, high=_HOUR),
            "even_if_away": Option("flag"),
            "whisper": _PROMPT,
            "join_empty": Option("join_empty"),
            "leave_when_empty": Option("leave_when_empty"),
            "estimated_wait_max": Option("duration", low=_MINUTE, high=4 * _HOUR),
            "overflow": Option("overflow"),
            "class": Option("group"),
            "hard": Option("flag"),
        },
        {
            "full": True,
            "no_agents": True,
            "timeout": True,
            "closed": False,
            "voicemail": False,
            "callback": False,
            "elsewhere": False,
            "over_budget": False,
        },
        main="name",
        sound=True,
        waits=True,
        input=True,
        about="wait for an agent; the next step: the agent hung up first",
    ),
    Verb(
        "dial",
        {
            "to": Option("targets", required=True),
            "mode": Option("mode"),
            "ring": Option("duration", low=1_000, high=3 * _MINUTE),
            "music": Option("music"),
            "caller_id": Option("number"),
            "record": Option("flag"),
        },
        {"failed": True, "busy": False, "no_answer": False, "rejected": False},
        main="to",
        waits=True,
        input=True,
        about="ring somebody; the next step: the far end hung up first",
    ),
    Verb(
        "callback",
        {
            "queue": Option("queue", required=True),
            "number": Option("callee"),
            "confirm": _PROMPT,
            "confirm_by_key": Option("flag"),
            "timeout": Option("duration", low=1_000, high=_MINUTE),
            "tries": Option("count", low=1, high=5),
            "replace": Option("flag"),
            "priority": Option("duration", low=0, high=24 * _HOUR),
            "needs": Option("needs"),
        },
        {
            "failed": True,
            "refused": False,
            "no_number": False,
            "already_open": False,
            "full": False,
            "declined": False,
        },
        main="queue",
        sound=True,
        waits=True,
        input=True,
        about="ring the caller back when his turn comes; the next step: it is booked",
    ),
    # --- keep
    Verb(
        "record",
        {
            "call": Option("recording"),
            "max": Option("duration", low=1_000, high=_HOUR),
            "finish": Option("keys"),
            "beep": Option("flag"),
            "into": Option("variable"),
        },
        main="call",
        sound=True,
        waits=True,
        about="record the call (start, stop) or a message",
    ),
    # --- move, end
    Verb("goto", {"flow": Option("flow", required=True)}, main="flow", ends=True, places=EVERYWHERE),
    Verb(
        "subflow",
        {"flow": Option("flow", required=True), "with": Option("assignments"), "into": Option("variable")},
        main="flow",
        about="run a flow and come back",
    ),
    Verb("return", {"value": Option("expression")}, main="value", bare=True, ends=True),
    Verb(
        "hangup",
        {"outcome": Option("word"), "cause": Option("count", low=1, high=127)},
        main="outcome",
        bare=True,
        ends=True,
    ),
    Verb(
        "reject",
        {"code": Option("status", required=True), "cause": Option("count", low=1, high=127)},
        main="code",
        ends=True,
    ),
    # --- while queued
    Verb("position", bare=True, sound=True, waits=True, places=("wait",), about="say the caller's place in the queue"),
    Verb("estimate", bare=True, sound=True, waits=True, places=("wait",), about="say how long he will probably wait"),
)

VERBS: dict[str, Verb] = {verb.name: verb for verb in _VERBS}
LATER = (
    "notice", "pin", "hours", "split", "repeat", "lookup", "metric", "show", "transfer", "conference",
    "park", "survey", "stream", "voicemail", "confirm", "holidays", "speech",
)  # fmt: skip
# the options of built verbs that the whole language has and this version has not
OPTIONS_LATER = {
    "menu": ("listen", "confirm", "greet"),
    "gather": ("listen", "confirm", "regex", "speech"),
    "queue": ("show", "keep_place", "waits"),
    "dial": ("whisper", "confirm"),
}
