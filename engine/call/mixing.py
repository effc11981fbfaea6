"""Who hears whom when more than two are on a call: conference guests, supervisors who listen, whisper or barge.

A call of two is a bridge. As soon as a third listens or talks, its media is one mix, described anew as a whole whenever
somebody comes, goes, holds or changes his mode; with the third gone it is a bridge again. A supervisor's leg belongs to
a call of his own (`Call.watches`), so that nothing he does can touch the caller's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine import limits
from engine.call.effects import Media
from engine.media.commands import Mix, MixParty

if TYPE_CHECKING:
    from engine.call.call import Call
    from engine.call.leg import Leg
    from engine.call.room import Room

LISTEN, WHISPER, BARGE = "listen", "whisper", "barge"


class Ear(msgspec.Struct, frozen=True):
    """One who is on the call. `mode` '' for who talks; a supervisor's, who coaches the agent of leg `coaches`."""

    leg: Leg
    mode: str = ""
    coaches: int = 0


def watchers(room: Room, call: Call) -> list[Call]:
    """The calls of those supervisors who are on the line."""
    found = [room.calls.get(number) for number in call.watchers]
    return [own for own in found if own is not None and own.leg in room.legs and room.legs[own.leg].state == "up"]


def needed(room: Room, call: Call) -> bool:
    """Is anybody on the call beside its two?"""
    if not call.guests and not (call.watchers and watchers(room, call)):
        return False
    return call.mix >= 0 or free_number(room) >= 0  # none left: the two of the call at least hear each other


def seats_free(call: Call) -> int:
    """How many more may come."""
    return limits.mix_legs_max - 2 - len(call.guests) - len(call.watchers)


def free_number(room: Room) -> int:
    """A mix that no call has, or -1."""
    mixes = (number for call in room.calls.values() for number in (call.mix, call.room_mix) if number >= 0)
    used = sorted(dict.fromkeys(mixes))
    for number, taken in enumerate(used):
        if number < taken:
            return number
    return len(used) if len(used) < limits.mixes_max else -1


def hears(one: Ear, other: Ear) -> bool:
    """Does `one` hear `other`? Who holds neither hears nor is heard; a supervisor hears all who speak to the call."""
    if one.leg.id == other.leg.id or one.leg.remote_hold or other.leg.remote_hold:
        return False
    if not other.mode or other.mode == BARGE:
        return True
    return other.mode == WHISPER and one.leg.id == other.coaches


def _ears(room: Room, call: Call) -> list[Ear]:
    talkers = [room.legs[number] for number in (call.leg, call.other, *call.guests) if number in room.legs]
    watching = [Ear(room.legs[own.leg], own.mode, own.coaches) for own in watchers(room, call)]
    return [ear for ear in [*(Ear(leg) for leg in talkers), *watching] if ear.leg.row >= 0]


def connect(room: Room, call: Call) -> list[Leg]:
    """Describe the call's mix; returns those talkers whom nobody is left to talk to: hold music is theirs."""
    if call.mix < 0:
        call.mix = free_number(room)
    present = [ear for ear in _ears(room, call) if not ear.leg.remote_hold]
    parties, lonely = [], []
    for one in present:
        leg = one.leg
        leg.playing, leg.play_ticket, leg.hears = "", 0, 0
        heard = tuple(other.leg.row for other in present if hears(one, other))
        parties.append(MixParty(leg.row, leg.generation, heard))
        if not heard and not one.mode:
            lonely.append(leg)
    room.out.append(Media(Mix(call.mix, tuple(parties))))
    return lonely


def over(room: Room, call: Call) -> None:
    """The call is one of two again, or of nobody. What its legs hear now has been commanded before this."""
    if call.mix >= 0:
        room.out.append(Media(Mix(call.mix)))
        call.mix = -1
