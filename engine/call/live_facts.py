"""Facts that change while a call lasts: the time, what operators say of calendars. Told anew before every turn.

A program names those it reads (`Program.wants`), so that nothing is worked out that nobody asks for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.call import levers

if TYPE_CHECKING:
    from engine.call.call import Call
    from engine.call.room import Room
    from engine.dialplan.program import Program

Rule = Callable[["Room", "Call", str, int], "str | None"]


def tell(room: Room, call: Call, program: Program, facts: dict[str, str], now_ms: int) -> None:
    """Bring `facts` up to date with what the program wants; what isn't known now is taken out."""
    for name in program.wants:
        kind, _, rest = name.partition(":")
        value = RULES[kind](room, call, rest, now_ms)
        if value is None:
            facts.pop(name, None)
        else:
            facts[name] = value


def _now(room: Room, call: Call, name: str, now_ms: int) -> str:
    """Unix ms. The dialplan makes days and times of it by the tables of time zones in its site."""
    return str(now_ms + room.wall_offset_ms)


def _calendar(room: Room, call: Call, name: str, now_ms: int) -> str | None:
    """What an operator says instead of the calendar: open | closed; None: as written."""
    lever = levers.of(room, "calendar", name)
    return None if lever is None else lever.state


# the part of a wanted name before its colon -> who knows it
RULES: dict[str, Rule] = {"system.now": _now, "calendar": _calendar}
