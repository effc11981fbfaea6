"""Actions and happenings of the verbs that record, transfer, park, confer and ask: a part of `dialplan.actions`."""

from __future__ import annotations

import msgspec


# --- recording ----------------------------------------------------------------------------------------
class TellRecording(msgspec.Struct, frozen=True, tag=True):
    """The caller hears that he will be recorded, once in a call; RecordingTold(ticket) then.

    `opt_out`: the key by which he refuses, '' none; it is live for a moment after the last clip too.
    """

    ticket: int
    clips: tuple[str, ...]
    opt_out: str = ""


class PauseRecord(msgspec.Struct, frozen=True, tag=True):
    """The recording of the call pauses (silence, time goes on) or goes on."""

    paused: bool


# --- transfer -----------------------------------------------------------------------------------------
class HandOver(msgspec.Struct, frozen=True, tag=True):
    """The caller goes on to one of these targets (as DialOut's) for good; DialEnded(ticket) unless we leave the call.

    `refer`: his carrier shall call the target itself, where the trunk says that it can.
    """

    ticket: int
    targets: tuple[str, ...]
    ring_ms_max: int = 30_000
    music: tuple[str, ...] = ()
    caller_id: str = ""
    refer: bool = False


# --- parking ------------------------------------------------------------------------------------------
class ParkCaller(msgspec.Struct, frozen=True, tag=True):
    """He waits in `slot` ('' the first free one) until somebody picks him up; ParkEnded(ticket) when it is over.

    `ms_max` 0: as the tenant says; `music` (): the tenant's.
    """

    ticket: int
    slot: str = ""
    ms_max: int = 0
    music: tuple[str, ...] = ()


class ParkEnded(msgspec.Struct, frozen=True, tag=True):
    """`result`: served (whoever picked him up hung up first) | transferred | timeout | full."""

    ticket: int
    result: str


# --- conference ---------------------------------------------------------------------------------------
class EnterRoom(msgspec.Struct, frozen=True, tag=True):
    """He hears all who are in this room of his tenant, and (unless `muted`) they him; RoomEnded(ticket) when he leaves.

    `exit_key` '' : only by hanging up. `music` (): the tenant's, while he has nobody to listen to.
    """

    ticket: int
    room: str
    people_max: int = 8
    exit_key: str = ""
    beep: bool = False  # when he comes, for all
    muted: bool = False
    music: tuple[str, ...] = ()


class RoomEnded(msgspec.Struct, frozen=True, tag=True):
    """`result`: left (by his key) | full (there was no seat)."""

    ticket: int
    result: str


class RecordingTold(msgspec.Struct, frozen=True, tag=True):
    """`result`: told | declined | none (nothing could be said: he isn't answered yet)."""

    ticket: int
    result: str


PeopleAction = TellRecording | PauseRecord | HandOver | ParkCaller | EnterRoom
PeopleHappening = RecordingTold | ParkEnded | RoomEnded
