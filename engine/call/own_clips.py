"""Recordings of ours played to a phone: a file below the data folder becomes a clip for as long as its call lives.

The highest clip numbers are set aside for them, so they never meet the site's. `load` asks the runtime, ClipLoaded
answers; a number is free again when the call that had it is over, or has no more use for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import limits
from engine.call.effects import LoadClip

if TYPE_CHECKING:
    from engine.call.call import Call
    from engine.call.effects import ClipLoaded
    from engine.call.room import Room

FIRST = limits.clips_max - limits.own_clips_max


def take(room: Room, call: Call) -> int:
    """A clip for this call, the one that it has or another; -1 when too many calls have one."""
    slot = next((n for n, owner in room.own_clips.items() if owner == call.id), -1)
    if slot < 0:
        slot = next(
            (n for n in range(limits.own_clips_max) if room.own_clips.get(n, 0) not in room.calls), -1
        )  # a call that is over needs its clip no more
    if slot < 0:
        room.log("warning", f"{limits.own_clips_max} phones hear recordings: no more at once", "own clips")
        return -1
    room.own_clips[slot] = call.id
    return FIRST + slot


def drop(room: Room, call: Call) -> None:
    """Its clip has been heard, and may be another's."""
    room.own_clips = {slot: owner for slot, owner in room.own_clips.items() if owner != call.id}


def load(room: Room, call: Call, name: str) -> int:
    """Ask for a file as a clip of this call; its ticket, 0 when too many calls have one."""
    clip = take(room, call)
    if clip < 0:
        return 0
    room.clip_serial += 1
    room.out.append(LoadClip(room.clip_serial, clip, name))
    return room.clip_serial


def clip_of(room: Room, call: Call) -> int:
    """The clip of this call, -1 without one."""
    return next((FIRST + n for n, owner in room.own_clips.items() if owner == call.id), -1)


def waiting(room: Room, event: ClipLoaded) -> Call | None:
    """The call that waits for this one; a late answer finds nobody."""
    return next((c for c in room.calls.values() if c.menu is not None and c.menu.ticket == event.ticket), None)
