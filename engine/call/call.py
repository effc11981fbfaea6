"""A call: one caller's whole journey, from the INVITE to the closing record."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.call import fraud
from engine.call.agents import nail_lost, release
from engine.call.consent import Notice
from engine.call.leg import OUTSIDE, Leg, close_media, quiet
from engine.call.numbers import Identity
from engine.call.phone_menus import PhoneMenu
from engine.call.places import HeldPlace
from engine.call.spending import spend
from engine.call.stream_wall import Stream
from engine.dialplan.actions import JoinQueue
from engine.dialplan.people_actions import EnterRoom, HandOver
from engine.dialplan.program import Running
from engine.speech.utterance import Listening

if TYPE_CHECKING:
    from engine.call.room import Room

PATH_WORDS_MAX = 40


class Call(msgspec.Struct):
    """`phase`: arriving | script (the dialplan has it) | queue | whisper | dial | talking | transfer | code |
    supervising | picking | callback | mailbox | prompting | parked | room | refused | closing |
    nailed (an agent's leg that stays up; `leg` is 0 while it is lent).

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
    shown: dict[str, str] = {}  # what his dialplan tells the agent's screen
    consent: str = ""  # to being recorded: '' not told yet | told | declined
    notices: list[Notice] = []  # announcements of the recording that are being heard
    record_next: bool = False  # when the two are put through the recording begins …
    beep_next: bool = False  # … and both hear the beep before
    whisper_next: tuple[int, ...] = ()  # for the leg that has answered, after its announcement
    handing: HandOver | None = None  # the dialplan hands him over …
    handing_to: str = ""
    refer_uri: str = ""  # REFER waits for the caller's ACK
    slot: str = ""  # where he is parked
    parked_by: str = ""  # agent key, '' by the dialplan, whose step's ticket …
    park_ticket: int = 0  # … is this
    parked_for_ms: int = 0
    room: str = ""  # the conference room "tenant/name" that he is in …
    room_mix: int = -1  # … its mix, …
    room_since_ms: int = 0
    room_wish: EnterRoom | None = None  # … and how he is there
    hushed: bool = False  # a sensitive step listens: what is recorded meanwhile is silence
    box: str = ""  # he is about to speak a message into it
    menu: PhoneMenu | None = None  # an agent opens a box, or records a prompt
    hearing: int = 0  # the dialplan's ticket while his words are listened to …
    wanted: Listening | None = None  # … and how
    barge_in_from_ms: int = 0  # a press stops the prompt only from then on
    streams: list[Stream] = []  # bots that talk with the caller, or listen
    words: Words | None = None  # a prompt that holds words which only this call knows
    kept_as: str = ""  # the file that the sound of his words is kept in, once he has said them
    joins: int = 0  # his carrier is asked to put him in our place with this leg: REFER with Replaces is out
    emergency: str = ""  # the number, when it is an emergency call: nothing ends it to save something …
    ways: list[str] = []  # … and the trunks that are still to be tried for it
    identity: Identity | None = None  # who calls, as he was told of; `caller` is what may be shown of it
    help_next: str = ""  # the emergency number that his dialplan dials when nobody before it in the list answers
    refused_with: int = 0  # the status that is due when its agent has heard that he may not dial there


class Words(msgspec.Struct):
    """A prompt that waits for its words (`ticket`), or is being played (0). `clip`: the call's own, that holds them; -1
    without one."""

    ticket: int
    clips: tuple[str, ...]
    loop: bool
    clip: int


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
    words_ticket: int = 0  # of the last wish to listen to his words
    unheard: int = 0  # how often a recogniser has failed him here


def tread(call: Call, word: str) -> None:
    """One more station of the journey, for the closing line."""
    if len(call.path) < PATH_WORDS_MAX:
        call.path.append(word)


def legs_of(room: Room, call: Call) -> list[Leg]:
    """Every leg of the call that still lives, the caller's first."""
    return [room.legs[number] for number in call.legs]


def drop_leg(room: Room, leg: Leg, now_ms: int) -> None:
    """Forget a leg whose session is over (or has just been told to end). A nailed-up leg that its agent has released
    from a conversation goes home instead."""
    if leg.state == "closing" or (leg.released and go_home(room, leg)):
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
    for kind in ("probe", "code", "leg", "confirm", "consent", "setup", "fraud"):
        room.deadlines.cancel((kind, leg.id))
    if leg.occupies:
        release(room, leg.agent)
    if (leg.kind == OUTSIDE or leg.payer) and call is not None:
        spend(room, call, leg, now_ms)
        fraud.ended(room, leg)
    if leg.trunk:
        room.trunk_calls[leg.trunk] = max(0, room.trunk_calls.get(leg.trunk, 0) - 1)
    if leg.nail:
        _nail_lost(room, leg, now_ms)


def end_leg(room: Room, leg: Leg, now_ms: int, *, cause: int = 16, reason: str = "") -> None:
    """Its part in its call is over: hung up, or (a nailed-up one) back home to wait for the next caller."""
    if leg.nail and leg.nail != leg.call and go_home(room, leg):
        return
    room.endpoint.hang_up(leg.session, now_ms, cause=cause, reason=reason)
    drop_leg(room, leg, now_ms)


# --- nailed-up legs: `nailed` says what an agent does with his; here is how one moves -----------------------------
def lend(room: Room, own: Call, call: Call) -> Leg:
    """The leg that waits in `own` becomes one of `call`."""
    leg = room.legs[own.leg]
    own.legs.remove(leg.id)
    own.leg, leg.call = 0, call.id
    call.legs.append(leg.id)
    return leg


def go_home(room: Room, leg: Leg) -> bool:
    """A nailed-up leg leaves the call that had it; False when it has no home any more."""
    own, call = room.calls.get(leg.nail), room.calls.get(leg.call)
    if own is None or own.phase != "nailed" or own.leg:
        return False
    if leg.remote_hold:
        leg.held_ms += room.now_ms - leg.hold_from_ms
        leg.hold_from_ms = room.now_ms
    if call is not None:
        call.held_ms += leg.held_ms
        call.legs.remove(leg.id)
        if call.transfer_leg == leg.id:
            call.transfer_leg = 0
    own.legs.append(leg.id)
    own.leg, leg.call = leg.id, own.id
    leg.state, leg.attempt, leg.offer, leg.partner, leg.held_ms, leg.codes = "up", 0, -1, 0, 0, ""
    leg.key_hold = leg.released = False
    leg.remote_hold = leg.agreed is not None and leg.agreed.remote_hold
    for kind in ("code", "leg", "confirm", "consent"):
        room.deadlines.cancel((kind, leg.id))
    if leg.occupies:
        leg.occupies = False
        release(room, leg.agent)
    quiet(room, leg)
    return True


def _nail_lost(room: Room, leg: Leg, now_ms: int) -> None:
    """It is over, wherever it was: its agent can't be reached, and the call that kept it ends."""
    own = room.calls.get(leg.nail)
    if own is not None and own.phase == "nailed" and own.id != leg.call:
        room.deadlines.arm(("tone", own.id), now_ms)
    row = room.agents.get(leg.agent)
    if row is not None and row.nail == leg.nail:
        nail_lost(room, row, now_ms)


def busy(room: Room) -> bool:
    """Is there any call but those that only keep an agent's line up?"""
    return any(call.phase != "nailed" for call in room.calls.values())
