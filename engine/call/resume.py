"""An engine goes on with the calls of one that died: what the outage itself changes (DESIGN §6).

Dialogs, transactions, places in queues, dialplans and agents need nothing: they are the state that was restored, and
far ends repeat what they sent meanwhile (RFC 3261 §17). Timers wait as much longer as we were away, so that nobody is
given up for our absence; waits count it, since the caller did wait. What only the old process had is settled here:
rows of the media plane that were being closed, bound ports, who is draining.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.call import draining, ending, enrolling, hearing, streaming, transfer
from engine.call import leg as legs
from engine.errors import ProtocolError

if TYPE_CHECKING:
    from engine.call.effects import Resumed
    from engine.call.leg import Leg
    from engine.call.room import Room

GIVE_UP_MS = 500  # until listeners are told again: a BYE needs a Via


def resumed(room: Room, event: Resumed, now_ms: int) -> None:
    """See `effects.Resumed`."""
    room.endpoint.resume(event.down_ms)
    room.acd.shift(event.down_ms)
    room.deadlines.shift(event.down_ms)
    room.listeners.clear()
    room.rows.ready.clear()
    draining.forget(room)
    enrolling.back(room, now_ms)
    room.storage = "ok"
    _close_rows(room, now_ms)
    streaming.resumed(room, now_ms)
    calls = [call for call in room.calls.values() if call.phase != "closing"]
    too_long = event.down_ms > event.down_ms_max
    room.emit(
        "engine.resumed",
        "",
        "",
        cause=event.cause,
        down_ms=event.down_ms,
        calls=len(calls),
        legs=len(room.legs),
        ended=len(calls) if too_long else 0,
    )
    for call in calls:
        room.emit("call.resumed", call.tenant, call.name, phase=call.phase, down_ms=event.down_ms)
        hearing.lost(room, call)
    if too_long:
        room.deadlines.arm(("resumed", 0), now_ms + GIVE_UP_MS)
        room.log("error", f"{len(calls)} calls are ended: nobody served them for {event.down_ms // 1000} s", "resumed")


def _close_rows(room: Room, now_ms: int) -> None:
    """The old plane can't answer any more: rows that it was to close are free, their figures are lost."""
    for (row, _), (number, _, _) in room.closing.items():
        room.rows.give_back(row)
        call = room.calls.get(number)
        if call is not None:
            call.reports -= 1
            if call.phase == "closing" and call.reports <= 0 and not call.legs:
                room.deadlines.arm(("report", call.id), now_ms)
    room.closing.clear()
    room.parted.clear()


def give_up(room: Room, now_ms: int) -> None:
    """Every call is ended on all its sides, and its record says why."""
    for call in list(room.calls.values()):
        if call.phase != "closing":
            room.emit("call.fault", call.tenant, call.name, where="engine", detail="the engine was away for too long")
            ending.hang_up(room, call, "system", "failed", 41, now_ms, status=500)


# --- a port that somebody else took meanwhile -----------------------------------------------------------
def moved(room: Room, leg: Leg, port: int, now_ms: int) -> None:
    """The leg lies at another port: its far end is told by a re-INVITE, now or when the leg is up (RFC 3264 §8.3.1)."""
    leg.port = port
    if leg.local is None:
        return
    leg.local = msgspec.structs.replace(leg.local, port=port)
    leg.moved = True
    call = room.calls.get(leg.call)
    if call is not None:
        detail = f"its port was taken while the engine was away: now {port}, told by re-INVITE"
        room.emit("call.media", call.tenant, call.name, leg=leg.party, state="moved", detail=detail)
    if leg.state == "up":
        offer(room, leg, now_ms)


def keys_lost(room: Room, leg: Leg, now_ms: int) -> None:
    """Its SRTP keys, or the packet numbers under them, went with the old plane: a re-INVITE agrees on new ones."""
    call = room.calls.get(leg.call)
    if call is not None:
        detail = "its SRTP keys were lost while the engine was away: new ones are agreed by re-INVITE"
        room.emit("call.media", call.tenant, call.name, leg=leg.party, state="moved", detail=detail)
    leg.moved = True
    if leg.state == "up":
        offer(room, leg, now_ms)


def offer(room: Room, leg: Leg, now_ms: int) -> None:
    """Tell the far end where we are."""
    prefer = leg.agreed.codec if leg.agreed is not None else None
    room.endpoint.offer(leg.session, legs.our_offer(room, leg, now_ms, prefer=prefer), now_ms)


def answered(room: Room, leg: Leg, sdp: bytes | None, now_ms: int) -> None:
    """The far end's answer to `offer`, or None when it refused: then nothing reaches us any more, and we say so."""
    leg.moved = False
    try:
        if sdp is None:
            raise ProtocolError("the far end refused our new address", status_hint=488, section="RFC 3264 §8")
        legs.their_answer(room, leg, sdp)
    except ProtocolError as error:
        call = room.calls.get(leg.call)
        if call is not None:
            room.emit("call.fault", call.tenant, call.name, where="resume", detail=str(error))
        room.endpoint.hang_up(leg.session, now_ms, cause=41)
        transfer.leg_over(room, leg, "system", 41, now_ms)
