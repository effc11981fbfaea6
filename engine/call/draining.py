"""Draining: the engine takes no new call, serves those it has, and after `drain_ms_max` ends what is left.

While it drains, new INVITEs get 503 with Retry-After; REGISTER and everything within a dialog is served to the end. A
caller in a queue keeps his place and is still offered to agents. Carriers that we are registered with are told at once.
When the last call has gone, the answers to that and to our own BYEs are waited for, `limits.drain_farewell_ms_max` at
most; then `Drained` tells the runtime that it may stop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import limits
from engine.call import callback, callbacks, ending, enrolling
from engine.call.call import busy
from engine.call.effects import Drained

if TYPE_CHECKING:
    from engine.call.room import Room

LOOK_MS = 50  # how often the answers to BYEs are looked for
CAUSE = 41  # Q.850: temporary failure. The caller did nothing wrong, and may call again


def begin(room: Room, now_ms: int, *, at_once: bool = False) -> None:
    """No new calls from now on; how long the rest may take is the site's to say. A second time changes nothing, but
    `at_once` leaves the rest no more time."""
    if room.draining:
        if at_once and room.deadlines.at(("drain", 0)) is not None:
            room.deadlines.arm(("drain", 0), now_ms)
        return
    room.draining = True
    callbacks.pause_all(room, now_ms)
    enrolling.leave(room, now_ms)
    site = room.sites.get(room.site)
    wait_ms = 0 if at_once else site.drain_ms_max if site is not None else limits.drain_ms_default
    room.emit("engine.drain", "", "", calls=len(room.calls), left_ms=wait_ms)
    room.deadlines.arm(("drain", 0), now_ms + wait_ms)
    if not busy(room):
        room.deadlines.arm(("drained", 0), now_ms + LOOK_MS)  # an operator gets his answer first


def forget(room: Room) -> None:
    """A new engine takes calls again, whatever the one before it was about to do."""
    room.draining = room.drained = False
    callbacks.go_on(room, room.now_ms)
    room.deadlines.cancel(("drain", 0))


def left_ms(room: Room) -> int:
    """How long the calls in progress still have; 0 when nothing drains or all of them have been ended."""
    due_ms = room.deadlines.at(("drain", 0))
    return 0 if due_ms is None else max(0, due_ms - room.now_ms)


def due(room: Room, now_ms: int) -> None:
    """The time is over: every call that is left ends, said to both sides and to its record."""
    if not room.draining:
        return
    site = room.sites.get(room.site)
    wait_ms = site.drain_ms_max if site is not None else limits.drain_ms_default
    for call in list(room.calls.values()):
        if call.phase == "closing":
            continue
        room.emit("engine.limit", call.tenant, call.name, name="drain_ms_max", value=wait_ms)
        talked = call.talked_ms or call.talk_from_ms
        outcome = call.outcome or ("served" if talked or call.stays else "failed")
        ending.hang_up(room, call, "drain", outcome, CAUSE, now_ms, status=503)


def over(room: Room, looks: int, now_ms: int) -> None:
    """No call is left, perhaps: say so as soon as our BYEs are answered, or nobody answers them."""
    if busy(room) or room.drained or not room.draining:
        return
    for own in list(room.calls.values()):  # agents' lines that stay up: nobody is left to be put through to them
        ending.hang_up(room, own, "drain", "served", CAUSE, now_ms)
    if room.calls:
        return  # the last of them to be recorded comes back here
    if (room.endpoint.session_count() or enrolling.leaving(room)) and looks * LOOK_MS < limits.drain_farewell_ms_max:
        room.deadlines.arm(("drained", looks + 1), now_ms + LOOK_MS)
        return
    room.drained = True
    callback.drained(room, now_ms)
    room.deadlines.cancel(("drain", 0))
    room.emit("engine.stopped", "", "", calls=0)
    room.out.append(Drained())
