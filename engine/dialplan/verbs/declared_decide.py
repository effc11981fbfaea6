"""The verbs that decide, move and end."""

from __future__ import annotations

from engine.dialplan.verbs.shape import EVERYWHERE, Option, Verb

VERBS = (
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
    Verb(
        "hours",
        {"calendar": Option("calendar", required=True)},
        {"closed": True, "holiday": False},
        main="calendar",
        places=("flow", "wait"),
        about="branch by a calendar; the next step: it is open",
    ),
    Verb(
        "split",
        {"shares": Option("shares", required=True)},
        main="shares",
        whole=True,
        places=("flow", "wait"),
        about="send a share of the callers another way",
    ),
    Verb(
        "repeat",
        {
            "times": Option("count", required=True, low=1, high=100),
            "steps": Option("body", required=True),
            "until": Option("condition"),
        },
        {"exhausted": False},
        places=("flow", "wait"),
        about="run steps again and again, so many times at most",
    ),
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
)

# Ends the list below `repeat`; the reader puts it there, nobody writes it.
ROUND = Verb(
    "round",
    {"times": Option("count", required=True, low=1, high=100), "until": Option("condition")},
    {"exhausted": False},
)
