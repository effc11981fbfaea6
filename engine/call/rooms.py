"""Conference rooms: callers whom the dialplan leads into the same room hear each other, each on a call of his own.

A room is there while somebody is in it. Alone he hears music; from the second on their media is one mix, described anew
whenever somebody comes, goes or holds. What ends a call, or takes the caller elsewhere, takes him out of his room.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import limits
from engine.call import leg as legs
from engine.call import mixing
from engine.call.call import Call, tread
from engine.call.effects import Media
from engine.dialplan.people_actions import EnterRoom, RoomEnded
from engine.media.commands import Mix, MixParty

if TYPE_CHECKING:
    from engine.call.leg import Leg
    from engine.call.room import Room

BEEP, BEEP_MS_MAX = "tone/beep", 1_000
MUSIC = ("music/default",)


def inside(room: Room, name: str) -> list[Call]:
    """Those in the room "tenant/name", as they came."""
    found = [call for call in room.calls.values() if call.room == name]
    return sorted(found, key=lambda call: (call.room_since_ms, call.id))


def enter(room: Room, call: Call, wish: EnterRoom, now_ms: int) -> None:
    """The dialplan leads its caller in; `full` at once when there is no seat."""
    name = f"{call.tenant}/{wish.room}"
    there, leg = inside(room, name), room.legs.get(call.leg)
    number = there[0].room_mix if there else mixing.free_number(room)
    if leg is None or leg.state != "up" or number < 0 or len(there) >= min(wish.people_max, limits.mix_legs_max):
        room.happen(call, RoomEnded(wish.ticket, "full"))
        return
    call.phase, call.room, call.room_mix, call.room_since_ms = "room", name, number, now_ms
    call.room_wish = wish
    tread(call, f"room {wish.room}")
    _told(room, call, name, "joined")
    clips = room.clips(room.site_of(call), (BEEP,)) if wish.beep and there else ()
    if not clips:
        refresh(room, name)
        return
    for each in (*there, call):
        legs.play(room, room.legs[each.leg], "room beep", clips)
    room.deadlines.arm(("room", call.id), now_ms + BEEP_MS_MAX)


def due(room: Room, call: Call, now_ms: int) -> None:
    """The beep is over, or the plane never told the end of it."""
    room.deadlines.cancel(("room", call.id))
    if call.room:
        refresh(room, call.room)


def key(room: Room, call: Call, digit: str) -> bool:
    """A press of somebody in a room: by the key for it he leaves. False when he is in none."""
    wish = call.room_wish
    if not call.room or wish is None:
        return False
    if digit and digit == wish.exit_key:
        leave(room, call)
        legs.quiet(room, room.legs[call.leg])
        call.phase, call.outcome = "script", "served"
        room.happen(call, RoomEnded(wish.ticket, "left"))
    return True


def leave(room: Room, call: Call) -> None:
    """Out of his room, whatever the reason; the others hear each other on."""
    if not call.room:
        return
    name, call.room = call.room, ""
    room.deadlines.cancel(("room", call.id))
    _told(room, call, name, "left")
    there = inside(room, name)
    if there:
        refresh(room, name)
    else:
        room.out.append(Media(Mix(call.room_mix)))
    call.room_mix = -1


def refresh(room: Room, name: str) -> None:
    """Describe the room's mix as a whole; who has nobody to listen to hears music."""
    there = inside(room, name)
    seated = [(call, room.legs[call.leg]) for call in there]
    present = [(call, leg) for call, leg in seated if leg.row >= 0 and not leg.remote_hold]
    parties, lonely = [], []
    for call, leg in present:
        leg.playing, leg.play_ticket, leg.hears = "", 0, 0
        heard = tuple(other.row for one, other in present if one is not call and not _muted(one))
        parties.append(MixParty(leg.row, leg.generation, heard))
        if not heard:
            lonely.append((call, leg))
    room.out.append(Media(Mix(there[0].room_mix, tuple(parties))))
    for call, leg in lonely:
        _music(room, call, leg)


def _muted(call: Call) -> bool:
    return call.room_wish is not None and call.room_wish.muted


def _music(room: Room, call: Call, leg: Leg) -> None:
    tenant = room.site_of(call).tenants.get(call.tenant)
    names = call.room_wish.music if call.room_wish is not None else ()
    names = names or (tenant.music if tenant is not None else ()) or MUSIC
    legs.play(room, leg, "room", room.clips(room.site_of(call), names), loop=True)


def _told(room: Room, call: Call, name: str, result: str) -> None:
    people = len(inside(room, name))
    room.emit("call.room", call.tenant, call.name, room=name, who=call.caller, result=result, people=people)
