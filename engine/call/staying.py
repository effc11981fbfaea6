"""A caller's stay in a queue: what he hears between announcements, and the end of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.acd.events import CallLeft
from engine.call import hearing, places
from engine.call import leg as legs
from engine.call.call import Call
from engine.dialplan import actions

if TYPE_CHECKING:
    from engine.call.leg import Leg
    from engine.call.room import Room


def music(room: Room, call: Call, leg: Leg, now_ms: int) -> None:
    """Music goes on where an announcement broke it off."""
    waiting = call.waiting
    if waiting is None:
        return
    waiting.music_from_ms = now_ms
    legs.play(room, leg, "music", waiting.music, loop=True, start_ms=waiting.music_played_ms)


def leave(room: Room, call: Call, reason: str, now_ms: int, *, key: str = "") -> None:
    """The caller stops waiting: `reason` abandoned | exit | left | empty | overflow | moved | closed; recorded with
    place and time waited."""
    if call.waiting is None:
        return
    if _may_come_back(reason, key) and places.hold(room, call, key, now_ms):
        stopped_waiting(room, call, now_ms)
        return
    if reason == "abandoned":
        places.remember(room, call, now_ms)
    part(room, call, reason, now_ms, key=key)
    stopped_waiting(room, call, now_ms)


def _may_come_back(reason: str, key: str) -> bool:
    """Does the dialplan go on with a caller whom it may offer a callback?"""
    return reason in ("exit", "left") or (reason, key) == ("overflow", "callback")


def part(room: Room, call: Call, reason: str, now_ms: int, *, key: str = "") -> None:
    """Out of this queue. What he hears goes on: he may be on the way into another."""
    told: dict[str, str | int] = {
        "queue": call.queue, "position": room.acd.position(call.id), "first_position": call.first_position,
        "waited_ms": now_ms - call.joined_ms,
    }  # fmt: skip
    room.distribute(CallLeft(call.id, reason))
    if reason == "abandoned":
        room.parting.append((call.id, "queue.abandoned", told))
    else:
        room.parting.append((call.id, "queue.left", {**told, "reason": reason, "key": key}))
    room.deadlines.cancel(("overflow", call.id))


def stopped_waiting(room: Room, call: Call, now_ms: int) -> None:
    """No queue has him any more."""
    if call.hearing < 0:  # a wish of his wait list
        hearing.stop(room, call)
    call.waiting = None
    call.queue_waited_ms = now_ms - call.joined_ms
    call.waited_ms += call.queue_waited_ms
    for kind in ("position", "wait", "overflow"):
        room.deadlines.cancel((kind, call.id))


def exit_key(room: Room, call: Call, digit: str, now_ms: int) -> bool:
    """An exit key of the queue: the dialplan goes on by that key."""
    if call.waiting is None or digit not in call.waiting.exit_keys or call.phase != "queue":
        return False
    ticket = call.queue_ticket
    leave(room, call, "exit", now_ms, key=digit)
    legs.quiet(room, room.legs[call.leg])
    call.phase = "script"
    room.happen(call, actions.QueueEnded(ticket, "exit", digit))
    return True
