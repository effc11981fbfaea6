"""Recordings of other people's servers in a call: asked for, played as the call's own clip, given back.

The runtime fetches (FetchWanted) and answers (SoundDone); the dialplan's timer stands behind both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from engine.call import leg as legs
from engine.call import own_clips, words
from engine.call.effects import FetchWanted
from engine.dialplan import actions

if TYPE_CHECKING:
    from engine.call.call import Call
    from engine.call.effects import SoundDone
    from engine.call.room import Room


def fetch(room: Room, call: Call, wish: actions.FetchSound, now_ms: int) -> None:
    """Ask the runtime; told at once when too many calls have a clip of their own."""
    call.stays = False
    words.drop(room, call)
    clip = own_clips.take(room, call)
    if clip < 0:
        room.happen(call, actions.SoundFetched(wish.ticket, 0, "too many phones hear recordings already"))
        return
    room.clip_serial += 1
    room.out.append(
        FetchWanted(call.id, wish.ticket, clip, room.clip_serial, wish.url, wish.timeout_ms, wish.cache_ms)
    )


def sound_done(room: Room, event: SoundDone, now_ms: int) -> None:
    """The runtime's answer; the interpreter drops one that comes too late."""
    call = room.calls.get(event.call)
    if call is not None and not words.sound_done(room, call, event):
        room.happen(call, actions.SoundFetched(event.ticket, event.duration_ms, event.detail, event.ms))


def play(room: Room, call: Call, wish: actions.PlayFetched, now_ms: int) -> None:
    """To the caller; without a leg that hears it is over at once."""
    leg, clip = room.legs[call.leg], own_clips.clip_of(room, call)
    room.emit("call.prompt", call.tenant, call.name, clips=wish.url.split("?", 1)[0])
    if clip >= 0 and leg.row >= 0:
        legs.play(room, leg, f"step:{wish.ticket}", (clip,))
    else:
        room.happen(call, actions.PlayDone(wish.ticket))


def drop(room: Room, call: Call, wish: actions.DropFetched, now_ms: int) -> None:
    own_clips.drop(room, call)


RULES: dict[type, Callable[[Room, Call, Any, int], None]] = {
    actions.FetchSound: fetch, actions.PlayFetched: play, actions.DropFetched: drop,
}  # fmt: skip
