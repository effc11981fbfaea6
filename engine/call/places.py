"""Places in queues that outlive the wait: of who left by a key and may still be called back, and of who was cut off.

Held: while the dialplan asks a caller who left by a key, his place stays in the line (`hold` of the queue, 60 s), so
that a callback takes it over and a return to the queue has it again. Remembered: who drops out of the line and rings
back within `keep_place` from the same number joins with the age that he had. A withheld number keeps nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine import limits
from engine.acd.events import CallAway, CallLeft
from engine.call import leg as legs
from engine.records import numbers

if TYPE_CHECKING:
    from engine.call.call import Call
    from engine.call.effects import Operator
    from engine.call.room import Room

WITHHELD = ("", "anonymous", "unknown", "restricted", "private", "unavailable")


class Left(msgspec.Struct, array_like=True):
    """The place of somebody who was cut off: `effective_ms` is the age by which he was served, `until_ms` its end."""

    effective_ms: int
    left_ms: int
    until_ms: int


class HeldPlace(msgspec.Struct, array_like=True):
    """The place of a call that left by `key`; what its record needs should it not come back."""

    queue: str
    key: str
    position: int
    first_position: int
    joined_ms: int
    left_ms: int


def known(number: str) -> bool:
    """Does this caller show his number?"""
    return number.lower() not in WITHHELD


# --- rings back ---------------------------------------------------------------------------------------------
def remember(room: Room, call: Call, now_ms: int) -> None:
    """He hung up or was cut off while he waited."""
    queue = room.site_of(call).queues.get(call.queue)
    effective_ms = room.acd.effective(call.id)
    if queue is None or not queue.keep_place_ms or not known(call.caller) or effective_ms is None:
        return
    left = room.left_places
    while len(left) >= limits.kept_places_max:
        del left[next(iter(left))]
    left[f"{call.queue}|{call.caller}"] = Left(effective_ms, now_ms, now_ms + queue.keep_place_ms)
    forget_old(room, now_ms)


def forget_old(room: Room, now_ms: int) -> None:
    """Places whose time is over hold a caller's number for nothing: gone, and the next one's end is awaited."""
    left = room.left_places
    for key in [key for key, place in left.items() if place.until_ms <= now_ms]:
        del left[key]
    if left:
        room.deadlines.arm(("places", 0), min(place.until_ms for place in left.values()))


def let_go(room: Room, order: Operator, now_ms: int) -> dict[str, int]:
    """For `ringdown forget`: what is remembered of a number beside calls, the agent who served it last among that."""
    number, country = order.arguments.get("number", ""), order.arguments.get("country", "")
    left = [key for key in room.left_places if numbers.names(key.partition("|")[2], number, country)]
    last = [key for key in room.last_agents if numbers.names(key.partition("/")[2], number, country)]
    for key in left:
        del room.left_places[key]
    for key in last:
        del room.last_agents[key]
    return {"places": len(left), "last_agents": len(last)}


def credit_ms(room: Room, call: Call, queue: str, now_ms: int) -> int:
    """How long he has waited before, if he rings back in time; his place is used up with that. 0 otherwise."""
    place = room.left_places.pop(f"{queue}|{call.caller}", None)
    if place is None or place.until_ms <= now_ms or not known(call.caller):
        return 0
    call.welcome = True
    room.emit("queue.kept", call.tenant, call.name, queue=queue, away_ms=now_ms - place.left_ms)
    return max(0, now_ms - place.effective_ms)


def welcome(room: Room, call: Call) -> bool:
    """The first that he hears: that his place was kept. False when there is nothing to say."""
    if not call.welcome or call.waiting is None:
        return False
    call.welcome = False
    language = call.running.language if call.running is not None else call.language
    clips = room.clips(room.site_of(call), (f"{language}/place_kept",))
    if clips:
        legs.play(room, room.legs[call.leg], "welcome", clips)
    return bool(clips)


# --- held while the dialplan asks -----------------------------------------------------------------------------
def hold(room: Room, call: Call, key: str, now_ms: int) -> bool:
    """He left by a key a queue that calls people back: his place stays for a while. False: it is given up."""
    queue = room.site_of(call).queues.get(call.queue)
    if queue is None or queue.callback is None:
        return False
    call.held_place = HeldPlace(
        call.queue, key, room.acd.position(call.id), call.first_position, call.joined_ms, now_ms
    )
    room.distribute(CallAway(call.id, "held", wait_ms_max=queue.callback.hold_ms))
    return True


def back(room: Room, call: Call, queue: str, now_ms: int) -> None:
    """He joins a queue: the same one knows him still, for another his place is given up."""
    held = call.held_place
    if held is None:
        return
    if held.queue != queue:
        give_up(room, call, now_ms)
        return
    call.held_place = None


def give_up(room: Room, call: Call, now_ms: int, *, told: bool = True) -> None:
    """His place is nobody's any more, and his stay in the queue is over: recorded as it was when he left by the key.

    `told` False: the distributor has ended it itself.
    """
    held, call.held_place = call.held_place, None
    if held is None:
        return
    if told:
        room.distribute(CallLeft(call.id, "exit"))
    room.emit(
        "queue.left", call.tenant, call.name, queue=held.queue, reason="exit", position=held.position,
        first_position=held.first_position, waited_ms=held.left_ms - held.joined_ms, key=held.key,
    )  # fmt: skip
