"""How a verb is declared: its options, outcomes and places, as data.

Option kinds are rules in `dialplan.options` and its neighbours (`*_rules`). Each group of verbs declares its own in a
module `declared_<group>`; `verbs.table` is their sum.
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


MINUTE, HOUR = 60_000, 3_600_000
PROMPT = Option("prompt")
EVERYWHERE = ("flow", "finally", "wait")
# option kinds that lead elsewhere: read by `flow_reader`, resolved by the linker, so no rule turns them into data
STRUCTURE = ("choices", "cases", "branches", "shares", "body", "flow", "person", "phrases", "slots", "grammar")
