"""Facts that change while a call lasts: the time, queues, agents, calendars and what operators say of them. Told anew
before every turn.

A program names those it reads (`Program.wants`), so that nothing is worked out that nobody asks for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.call import levers, queue_facts, routing
from engine.dialplan import facts

if TYPE_CHECKING:
    from engine.call.call import Call
    from engine.call.room import Room
    from engine.dialplan.program import Program

Rule = Callable[["Room", "Call", str, int], "str | None"]


def tell(room: Room, call: Call, program: Program, known: dict[str, str], now_ms: int) -> None:
    """Bring `known` up to date with what the program wants; what isn't known now is taken out."""
    for name in program.wants:
        value = RULES[name.partition(":")[0].partition(".")[0]](room, call, name, now_ms)
        if value is None:
            known.pop(name, None)
        else:
            known[name] = value


def _system(room: Room, call: Call, name: str, now_ms: int) -> str | None:
    wall_ms = now_ms + room.wall_offset_ms
    if name == "system.now":
        return str(wall_ms)
    return facts.of_time(room.site_of(call), _tenant(call), wall_ms).get(name)


def _calendar(room: Room, call: Call, name: str, now_ms: int) -> str | None:
    """`calendar:tenant/name`, what an operator says instead of it (None: as written), or `calendar.name.state`."""
    _, colon, full = name.partition(":")
    if colon:
        return _said(room, full) or None
    _, calendar, what = name.split(".")
    full = f"{_tenant(call)}/{calendar}"
    wall_ms = now_ms + room.wall_offset_ms
    return facts.of_calendar(room.site_of(call), _tenant(call), calendar, what, wall_ms, _said(room, full))


def _said(room: Room, calendar: str) -> str:
    lever = levers.of(room, "calendar", calendar)
    return "" if lever is None else lever.state


def _tenant(call: Call) -> str:
    """Whose dialplan it is, which may be another tenant's than the caller dialled."""
    return call.program.partition("/")[0] or call.tenant


def _call(room: Room, call: Call, name: str, now_ms: int) -> str | None:
    waiting_ms = now_ms - call.joined_ms if call.phase == "queue" else 0
    known = {
        "call.duration": now_ms - call.started_ms, "call.waited": call.waited_ms + waiting_ms,
        "call.transfers": call.transfers,
    }  # fmt: skip
    return str(known[name])


def _queue(room: Room, call: Call, name: str, now_ms: int) -> str | None:
    """`queue.support.length`; of a queue that a reload removed nothing is known but that it is closed."""
    _, queue, what = name.split(".")
    full = queue if "/" in queue else f"{_tenant(call)}/{queue}"
    number = room.queue_ids.get(full, -1)
    model = queue_facts.model(room, call, full)
    if what == "closed":
        return _flag(model is None or number < 0 or levers.closed(room, full))
    if model is None or number < 0:
        return _flag(True) if what == "full" else None
    if what == "full":
        return _flag(queue_facts.full(room, model, number))
    if what == "length":
        return str(room.acd.queue_length(number))
    if what == "longest_wait":
        return str(room.acd.longest_wait_ms(number, now_ms))
    if what == "estimated_wait":
        estimate = room.acd.estimate(number, now_ms)
        return None if estimate is None else str(estimate.median_ms)
    presence = room.acd.presence(number)
    return str(presence.get("idle", 0) if what == "agents_ready" else queue_facts.logged_in(presence))


def _agent(room: Room, call: Call, name: str, now_ms: int) -> str | None:
    """`agent.201.state`, or `agent.last`: the number of who served this caller last."""
    if name == "agent.last":
        return routing.last_agent(room, call, now_ms).partition("/")[2] or None
    _, number, what = name.split(".")
    row = room.agents.get(f"{_tenant(call)}/{number}")
    state = room.acd.agent_state(row.id) if row is not None else ""
    if what == "state":
        return state or "logged_out"
    return _flag(state == "ready" if what == "ready" else state not in ("", "logged_out"))


def _flag(holds: bool) -> str:
    return "yes" if holds else "no"


def _notice(room: Room, call: Call, name: str, now_ms: int) -> str | None:
    """`on`, `on 5200` with a recording of so many ms; None: off."""
    lever = levers.of(room, "notice", name.partition(":")[2])
    if lever is None:
        return None
    return f"on {lever.recording_ms}" if lever.clip >= 0 else "on"


# the first word of a wanted name -> who knows it
RULES: dict[str, Rule] = {
    "system": _system, "calendar": _calendar, "call": _call, "queue": _queue, "agent": _agent, "notice": _notice,
}  # fmt: skip
