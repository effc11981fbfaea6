"""Levers: what an operator has moved off its default (a queue closed, an agent not ready), by whom and until when.

A lever outlives reloads (it is part of the room) and restarts (the runtime keeps what `operator.switch` events say and
gives it back as LeverStates). `until_ms` is wall time, so its deadline is set anew whenever the wall clock moves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from engine.call.room import Room

LEVERS_MAX = 20_000  # agents and queues of a site; more can only be a file that is not ours
OVERRIDES = ("calendar", "notice")  # what `overrides` moves; they share one deadline, the first that comes


class Lever(msgspec.Struct, array_like=True):
    """`kind` queue | agent | calendar | notice; `state` closed | not_ready | logged_out | open | on; times are Unix ms,
    `until_ms` 0: for good. `reason`: of a notice, its words. `recording`: a file of the data folder that is heard as
    the notice, so many ms long, as the clip of that number.
    """

    kind: str
    name: str  # tenant/name, tenant/number
    state: str
    author: str
    since_ms: int
    until_ms: int = 0
    reason: str = ""
    recording: str = ""
    recording_ms: int = 0
    clip: int = -1


def of(room: Room, kind: str, name: str) -> Lever | None:
    """The lever of a queue or agent that is off its default."""
    return room.levers.get(f"{kind}/{name}")


def closed(room: Room, queue: str) -> bool:
    """Does this queue take no new callers?"""
    return f"queue/{queue}" in room.levers


def move(
    room: Room, kind: str, name: str, state: str, author: str, now_ms: int, *, until_ms: int = 0, reason: str = "",
    recording: tuple[str, int, int] = ("", 0, -1),
) -> Lever:  # fmt: skip
    """Off the default, until somebody moves it back or `until_ms` (Unix ms) has come. `recording`: (file, ms, clip)."""
    lever = Lever(kind, name, state, author, now_ms + room.wall_offset_ms, until_ms, reason, *recording)
    room.levers[f"{kind}/{name}"] = lever
    _arm(room, lever, now_ms)
    _tell(room, lever, state, author)
    return lever


def back(room: Room, kind: str, name: str, by: str) -> None:
    """At its default again; nothing when it was there already."""
    lever = room.levers.pop(f"{kind}/{name}", None)
    if lever is None:
        return
    number = _number(room, lever)
    if number >= 0:
        room.deadlines.cancel(("lever", number))
    if kind in OVERRIDES:
        _arm(room, lever, room.now_ms)
    _tell(room, lever, "default", by)


def rename(room: Room, kind: str, old: str, new: str, now_ms: int) -> None:
    """What was off its default under the old name is so under the new one."""
    lever = room.levers.pop(f"{kind}/{old}", None)
    if lever is None or f"{kind}/{new}" in room.levers:
        return
    number = _number(room, lever)
    if number >= 0:
        room.deadlines.cancel(("lever", number))
    _tell(room, lever, "default", "renamed")
    lever.name = new
    room.levers[f"{kind}/{new}"] = lever
    _tell(room, lever, lever.state, lever.author)


def load(room: Room, found: list[Lever], now_ms: int) -> None:
    """What was kept over a restart. One whose time is over is due at once."""
    for lever in found[:LEVERS_MAX]:
        room.levers[f"{lever.kind}/{lever.name}"] = lever
    arm(room, now_ms)


def arm(room: Room, now_ms: int) -> None:
    """Set every deadline anew: the wall clock moved, or a site brought names that a lever was waiting for."""
    for lever in room.levers.values():
        _arm(room, lever, now_ms)


def due(room: Room, number: int) -> Lever | None:
    """The lever whose deadline fired, still standing."""
    names = room.queue_names if number % 2 == 0 else room.agent_keys
    kind = "queue" if number % 2 == 0 else "agent"
    lever = of(room, kind, names.get(number // 2, ""))
    return lever if lever is not None and lever.until_ms else None


def over(room: Room, now_ms: int) -> list[Lever]:
    """Calendars and notices whose time has come."""
    wall_ms = now_ms + room.wall_offset_ms
    return [each for each in room.levers.values() if each.kind in OVERRIDES and 0 < each.until_ms <= wall_ms]


def _arm(room: Room, lever: Lever, now_ms: int) -> None:
    if lever.kind in OVERRIDES:
        ends = [each.until_ms for each in room.levers.values() if each.kind in OVERRIDES and each.until_ms]
        if ends:
            room.deadlines.arm(("override", 0), max(now_ms, min(ends) - room.wall_offset_ms))
        else:
            room.deadlines.cancel(("override", 0))
        return
    number = _number(room, lever)
    if number < 0:
        return
    if lever.until_ms:
        room.deadlines.arm(("lever", number), max(now_ms, lever.until_ms - room.wall_offset_ms))
    else:
        room.deadlines.cancel(("lever", number))


def _number(room: Room, lever: Lever) -> int:
    """Deadlines know integers: queues are even, agents odd; -1 while the site doesn't know the name, and for others."""
    if lever.kind in OVERRIDES:
        return -1
    if lever.kind == "queue":
        known = room.queue_ids.get(lever.name)
        return -1 if known is None else 2 * known
    row = room.agents.get(lever.name)
    return -1 if row is None else 2 * row.id + 1


def _tell(room: Room, lever: Lever, state: str, author: str) -> None:
    room.emit(
        "operator.switch", lever.name.split("/")[0], "", switch=lever.kind, name=lever.name, state=state,
        author=author, reason=lever.reason if state != "default" else "",
        until_ms=lever.until_ms if state != "default" else 0,
        recording=lever.recording if state != "default" else "",
        recording_ms=lever.recording_ms if state != "default" else 0,
    )  # fmt: skip
