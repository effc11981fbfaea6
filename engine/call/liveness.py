"""A party that vanished is found: silence is noticed by the plane, asked after by OPTIONS, and ended (DESIGN §2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import limits
from engine.call import confirming

if TYPE_CHECKING:
    from engine.call.leg import Leg
    from engine.call.room import Room

AGAIN_MS = 60_000  # a phone that answers OPTIONS but sends nothing (muted) is asked again


def missing(room: Room, leg: Leg, silent_ms: int, now_ms: int, *, refused: int = 0) -> None:
    """3 s: ops are told. 15 s: the dialog is probed; 481 or no answer within 32 s ends the session."""
    call = room.calls.get(leg.call)
    if call is None or leg.remote_hold:  # who holds may be silent: he is probed by the minute
        return
    leg.missing = True
    detail = f"no packets for {silent_ms / 1000:.0f} s"
    if leg.agreed is not None:
        detail += f"; its SDP names {leg.agreed.host}:{leg.agreed.port}"
        if refused:
            detail += f"; {refused} came that the SRTP key of its SDP doesn't open"
    room.emit("call.media", call.tenant, call.name, leg=leg.party, state="missing", detail=detail)
    if silent_ms >= limits.media_probe_ms and leg.state == "up":
        room.endpoint.probe(leg.session, now_ms)
        room.deadlines.arm(("probe", leg.id), now_ms + AGAIN_MS)  # should there be no dialog to ask in yet


def back(room: Room, leg: Leg) -> None:
    leg.missing = False
    room.deadlines.cancel(("probe", leg.id))
    call = room.calls.get(leg.call)
    if call is not None:
        room.emit("call.media", call.tenant, call.name, leg=leg.party, state="back", detail="packets again")


def latched(room: Room, leg: Leg, host: str, port: int) -> None:
    """The plane sends elsewhere than the SDP said: worth knowing when somebody hears nothing."""
    call = room.calls.get(leg.call)
    agreed = leg.agreed
    if call is None or agreed is None or (agreed.host == host and agreed.port == port):
        return
    room.emit(
        "call.media", call.tenant, call.name, leg=leg.party, state="latched",
        detail=f"sends to {host}:{port}, its SDP named {agreed.host}:{agreed.port}",
    )  # fmt: skip


def probed(room: Room, leg: Leg, alive: bool, now_ms: int) -> None:
    if alive:
        if leg.missing or leg.remote_hold:
            room.deadlines.arm(("probe", leg.id), now_ms + AGAIN_MS)
        return
    call = room.calls.get(leg.call)
    if call is not None:
        room.emit(
            "call.media",
            call.tenant,
            call.name,
            leg=leg.party,
            state="lost",
            detail="no media and no answer to OPTIONS",
        )
    room.endpoint.hang_up(leg.session, now_ms, cause=27)
    confirming.leg_over(room, leg, "lost", 27, now_ms)


def held(room: Room, leg: Leg, now_ms: int) -> None:
    """A leg on hold sends nothing by right: it is probed every minute instead."""
    if leg.remote_hold:
        room.deadlines.arm(("probe", leg.id), now_ms + limits.held_probe_ms)


def due(room: Room, leg: Leg, now_ms: int) -> None:
    if leg.state == "up" and (leg.missing or leg.remote_hold):
        room.endpoint.probe(leg.session, now_ms)
