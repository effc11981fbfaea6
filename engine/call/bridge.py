"""Two legs that hear each other, and what the one hears while the other holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.call import leg as legs
from engine.call import mixing, queue_facts, recording, rooms
from engine.call.call import Call
from engine.call.effects import Media
from engine.call.leg import AGENT, Leg
from engine.media.commands import Bridge, Hear

if TYPE_CHECKING:
    from engine.call.room import Room

HOLD_MUSIC = "music/default"


def join(room: Room, call: Call, one: Leg, two: Leg, now_ms: int) -> None:
    """Bridge two legs of a call. A leg that is held at this moment hears the music first."""
    one.partner, two.partner = two.id, one.id
    call.other = two.id if one.id == call.leg else one.id
    call.phase, call.talk_from_ms = "talking", now_ms
    _connect(room, call, one, two)
    room.emit("call.bridged", call.tenant, call.name, **{"with": two.party, "kind": two.kind})


def _connect(room: Room, call: Call, one: Leg, two: Leg) -> None:
    if mixing.needed(room, call):
        for leg in mixing.connect(room, call):
            hold_music(room, call, leg)
        return
    for leg in (one, two):
        leg.playing, leg.play_ticket, leg.hears = "", 0, 0
    if one.remote_hold or two.remote_hold:
        mixing.over(room, call)
        for holder, other in ((one, two), (two, one)):
            if holder.remote_hold and not other.remote_hold:
                hold_music(room, call, other)
        return
    room.out.append(Media(Bridge(one.row, one.generation, two.row, two.generation)))
    mixing.over(room, call)


def rejoin(room: Room, call: Call, leg: Leg) -> None:
    """After a hold ends, or a prompt to one side: both hear each other again."""
    partner = room.legs.get(leg.partner)
    if partner is not None:
        _connect(room, call, leg, partner)


def hear(room: Room, leg: Leg, source: Leg) -> None:
    """One way: the caller hears the far end before it answers."""
    if leg.row < 0 or source.row < 0 or leg.hears == source.id:
        return
    leg.playing, leg.play_ticket, leg.hears = "", 0, source.id
    room.out.append(Media(Hear(leg.row, leg.generation, source.row, source.generation)))


def sdp_hold(leg: Leg) -> bool:
    """Does its SDP say that it takes no media?"""
    return leg.agreed is not None and leg.agreed.remote_hold


def hold_music(room: Room, call: Call, leg: Leg) -> None:
    """The queue's music for a caller who was served from a queue, the stock music for everyone else."""
    site = room.site_of(call)
    queue, tenant = queue_facts.model(room, call, call.queue), site.tenants.get(call.tenant)
    names = queue.music if queue is not None else ()
    names = names or (tenant.music if tenant is not None else ()) or (HOLD_MUSIC,)
    legs.play(room, leg, "hold", room.clips(site, names), loop=True)


def hold_changed(room: Room, call: Call, leg: Leg, held: bool, now_ms: int) -> None:
    """The far end of `leg` put us on hold (or came back): its partner hears music, its time is counted."""
    if held == leg.remote_hold:
        return
    leg.remote_hold = held
    if held:
        leg.hold_from_ms = now_ms
    else:
        leg.held_ms += now_ms - leg.hold_from_ms
    partner = room.legs.get(leg.partner)
    if partner is not None and call.phase == "talking":
        room.emit("call.held", call.tenant, call.name, by=leg.party, held=held)
        if held:
            legs.quiet(room, leg)
        _connect(room, call, leg, partner)
    elif leg.id in call.guests:
        room.emit("call.held", call.tenant, call.name, by=leg.party, held=held)
        rejoin(room, call, room.legs[call.leg])
    elif call.room:
        rooms.refresh(room, call.room)
    elif call.watches in room.calls:  # a supervisor: only he and whom he speaks to notice
        followed = room.calls[call.watches]
        if followed.leg in room.legs:
            rejoin(room, followed, room.legs[followed.leg])


def swap(room: Room, call: Call, leg: Leg) -> None:
    """The one who dialled leaves, the other stays: the other is the call's caller from now on."""
    stays = leg.partner
    call.leg, call.other = stays, leg.id
    recording.follow(room, call, leg)
    call.legs.sort(key=lambda number: number != stays)
    if call.running is not None:
        call.running.waiting = "ended"  # the dialplan served the one who leaves


def adopt(room: Room, own: Call, call: Call, now_ms: int) -> Leg:
    """Bring the one leg of `own` into `call`, to be joined there; what is left of `own` ends at once as served."""
    leg = room.legs[own.leg]
    own.legs.remove(leg.id)
    own.leg, own.phase, own.outcome = 0, "code", "served"
    room.deadlines.arm(("tone", own.id), now_ms)
    leg.call, leg.kind = call.id, AGENT
    call.legs.append(leg.id)
    return leg


def part(room: Room, call: Call, leg: Leg, *, quiet: bool = True) -> Leg | None:
    """Take `leg` out of its bridge; returns the one that stays.

    It hears silence until its owner decides; not `quiet`: it is joined with somebody else at once.
    """
    partner = room.legs.get(leg.partner)
    leg.partner = 0
    if partner is not None:
        partner.partner = 0
        if partner.state != "closing" and quiet:
            legs.quiet(room, partner)
    if call.talk_from_ms:
        call.talked_ms += room.now_ms - call.talk_from_ms
        call.talk_from_ms = 0
    call.other = 0
    return partner
