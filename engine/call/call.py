"""A call: one caller's whole journey, from the INVITE to the closing record."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.call.agents import release
from engine.call.leg import Leg, close_media
from engine.call.places import HeldPlace
from engine.dialplan.actions import JoinQueue
from engine.dialplan.program import Running

if TYPE_CHECKING:
    from engine.call.room import Room

PATH_WORDS_MAX = 40


class Call(msgspec.Struct):
    """`phase`: arriving | script (the dialplan has it) | queue | whisper | dial | talking | transfer | code |
    supervising | picking | callback | closing.

    Times are monotonic ms. `site` is the version the call began with and stays with until it ends.
    """

    id: int
    name: str
    tenant: str
    site: str
    caller: str
    caller_name: str
    dialled: str
    via: str  # trunk | agent | public
    trunk: str
    started_ms: int
    legs: list[int] = []
    leg: int = 0  # the caller's
    other: int = 0  # the leg he talks to
    phase: str = "arriving"
    program: str = ""
    running: Running | None = None
    language: str = "en"
    agent: str = ""  # agent key when an agent dialled
    hops: int = 70  # Max-Forwards of his INVITE; onward ones carry one less (RFC 7332)
    answered_ms: int = 0
    attempt: int = 0
    queue: str = ""  # full name while waiting or served
    queue_ticket: int = 0
    joined_ms: int = 0
    first_position: int = 0
    waiting: Waiting | None = None
    served_by: str = ""  # agent key
    talk_from_ms: int = 0
    talked_before_ms: int = 0  # `talked_ms` when the present agent took over
    queue_waited_ms: int = 0
    waited_ms: int = 0
    talked_ms: int = 0
    held_ms: int = 0
    dial_ticket: int = 0
    record_ticket: int = 0
    record_keys: str = ""
    recording: str = ""
    recording_paused: bool = False
    collecting: bool = False
    barge_in: bool = False  # a press stops the prompt
    sensitive: bool = False
    refer: int = 0
    transfer_by: str = ""
    transfer_leg: int = 0
    transfer_to: str = ""
    refer_leg: int = 0
    timer_ticket: int = 0
    path: list[str] = []
    outcome: str = ""
    stays: bool = False  # echo, a tone, music until he hangs up: his hang-up is the end that was meant
    cause: int = 16
    ended_by: str = ""
    ended_ms: int = 0
    reports: int = 0  # LegClosed still awaited
    quality: list[str] = []
    held_place: HeldPlace | None = None  # in a queue that he left by a key
    welcome: bool = False  # to be told that his place was kept
    mix: int = -1  # the mix of the media plane while more than two are on the call
    guests: list[int] = []  # legs of a conference beside `leg` and `other`
    watchers: list[int] = []  # calls of supervisors who follow this one, or are being rung for it
    watches: int = 0  # this is a supervisor's (or a picking agent's) call: the one that he follows or wants …
    mode: str = ""  # … how: listen | whisper | barge | takeover | pick
    coaches: int = 0  # … and the agent's leg that his whispering reaches
    transfers: int = 0  # that succeeded
    people: list[str] = []  # agents (keys) whom the caller has been given to
    transferred_ms: int = 0  # when the last transfer began, 0 never
    wish: JoinQueue | None = None  # how he joined his queue, to go back to its head


class Waiting(msgspec.Struct):
    """What a waiting caller hears, what he is told when, and how he came into this queue. Times are monotonic ms."""

    music: tuple[int, ...]
    announce: tuple[int, ...] = ()
    whisper: tuple[int, ...] = ()
    position_every_ms: int = 0
    exit_keys: tuple[str, ...] = ()
    music_from_ms: int = 0
    music_played_ms: int = 0
    wish: JoinQueue | None = None  # what the queue step asked for, for the next queue that he overflows into
    since_ms: int = 0  # joined the first queue of this stay
    credit_ms: int = 0  # time waited in queues before this one that counts here
    hops: int = 0  # queues that rules have sent him through
    estimate_every_ms: int = 0
    periodic_every_ms: int = 0
    periodic: tuple[tuple[int, ...], ...] = ()  # clips, one of them each time
    periodic_next: int = 0
    due: list[int] = []  # when position, estimate and the next periodic prompt are told; 0 never
    told: tuple[int, int] = (0, 0)  # the range of minutes he was told last, (0, 0) none
    told_ms: int = 0
    told_position: int = 0
    told_staff: int = 0
    run: Running | None = None  # his wait list
    timer_ticket: int = 0
    listens: bool = False  # keys belong to the wait list now


def tread(call: Call, word: str) -> None:
    """One more station of the journey, for the closing line."""
    if len(call.path) < PATH_WORDS_MAX:
        call.path.append(word)


def legs_of(room: Room, call: Call) -> list[Leg]:
    """Every leg of the call that still lives, the caller's first."""
    return [room.legs[number] for number in call.legs]


def drop_leg(room: Room, leg: Leg, now_ms: int) -> None:
    """Forget a leg whose session is over (or has just been told to end)."""
    if leg.state == "closing":
        return
    leg.state = "closing"
    call = room.calls.get(leg.call)
    if leg.remote_hold:
        leg.held_ms += now_ms - leg.hold_from_ms
    if call is not None:
        call.held_ms += leg.held_ms
        call.legs.remove(leg.id)
        if leg.row >= 0:
            call.reports += 1
    close_media(room, leg, now_ms)
    room.legs.pop(leg.id, None)
    room.session_legs.pop(leg.session, None)
    for kind in ("probe", "code", "leg", "confirm"):
        room.deadlines.cancel((kind, leg.id))
    if leg.occupies:
        release(room, leg.agent)
    if leg.trunk:
        room.trunk_calls[leg.trunk] = max(0, room.trunk_calls.get(leg.trunk, 0) - 1)
