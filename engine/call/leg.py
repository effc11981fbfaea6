"""A leg: one party's SIP session and its media row. What a leg can do to itself: agree, play, send digits, close."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.call import sound
from engine.call.effects import Media
from engine.errors import ProtocolError
from engine.media.commands import TONE_DIGITS, TONE_FAX, CloseLeg, Echo, OpenLeg, Play, SendDigits, SetLeg, Stop
from engine.sdp.negotiation import BY_NAME, Agreed, Local, answer_offer, make_offer, read_answer
from engine.sip.events import Path

if TYPE_CHECKING:
    from engine.call.room import Room

CALLER, AGENT, OUTSIDE, PHONE = "caller", "agent", "outside", "phone"


class Leg(msgspec.Struct):
    """One party. `state`: offered (their INVITE is unanswered), calling, ringing, confirming (picked up, and asked
    for a key), signalled (a nailed-up one: it hears the beep), up, closing.

    `party` names it for people and records ("agent 201", "+4420…"); `agent` is the agent's key or ''.
    `playing` says for what the current Play runs, so that its end finds the right owner.
    """

    id: int
    call: int
    kind: str
    session: int
    outgoing: bool
    state: str
    party: str
    path: Path
    tenant: str = "default"
    agent: str = ""
    trunk: str = ""
    attempt: int = 0
    offer: int = -1
    row: int = -1
    generation: int = 0
    port: int = 0
    local: Local | None = None
    agreed: Agreed | None = None
    their_offer: bytes | None = None
    our_offer: bytes = b""
    early: bool = False  # media was set up before the answer
    remote_hold: bool = False  # by SDP or by key: its partner hears music
    key_hold: bool = False  # by feature code: a session refresh with sendrecv doesn't end it
    hold_from_ms: int = 0
    held_ms: int = 0
    partner: int = 0
    hears: int = 0  # leg whose early media is passed on
    playing: str = ""
    play_ticket: int = 0
    codes: str = ""  # feature code typed so far
    dtmf: str = "auto"
    accept: str = "any"
    up_ms: int = 0
    created_ms: int = 0
    missing: bool = False
    occupies: bool = False  # counts as a call of another kind for its agent
    tap: int = 0
    digit_way: str = ""  # rfc4733 | info | inband: a phone that sends a press in two ways is heard in one only
    moved: bool = False  # its port changed in an outage: the far end has to be told by a re-INVITE
    pending_answer: bool = False  # our 2xx carried the offer, their answer comes with the ACK
    nail: int = 0  # the call that keeps this agent's leg up between conversations, 0 none
    released: bool = False  # he has left the conversation by a key: the leg goes home
    confirm_ms: int = 0  # picked up, he has so long for the key that counts as his answer; 0: picking up counts
    secure: str = "off"  # SRTP: off | optional | required
    tone: str = ""  # the key that was last heard in the sound, …
    tone_ms: int = 0  # … and when
    fax: tuple[str, str] | None = None  # where a fax that calls on it goes: (dialplan, flow)
    digits: str = ""  # what its trunk was told to dial, where it goes outside …
    payer: str = ""  # … and the agent whose phone has sent the call on there: it is on his account


def open_media(room: Room, leg: Leg, now_ms: int, *, trunk: str = "") -> Local:
    """Take a row and a port that is bound; returns what our SDP says. Raises LimitExceeded when nothing is free.

    `trunk`: by which it will go out.
    """
    if leg.local is not None:
        return leg.local
    bind_host = room.bind_host(leg.path)
    leg.row, leg.generation, leg.port = room.rows.take(bind_host)
    room.row_legs[leg.row] = leg.id
    tokens = room.tokens
    leg.local = Local(
        host=room.endpoint.contact_host(leg.path),
        port=leg.port,
        session_id=tokens.number(1 << 31),
        version=1,
        secure=leg.secure,
        key=format(tokens.number(1 << 60), "015x") if leg.secure != "off" else "",
    )
    named = codecs_of(room, leg, trunk or leg.trunk)
    if named:
        leg.local.codecs, leg.local.ranked = named, True
    room.out.append(
        Media(
            OpenLeg(
                leg.row,
                leg.generation,
                bind_host,
                leg.port,
                tokens.number(1 << 32),
                tokens.number(1 << 15),
                tokens.number(1 << 31),
            )
        )
    )
    return leg.local


def codecs_of(room: Room, leg: Leg, trunk: str) -> tuple[int, ...]:
    """What its trunk, or the office where the far end is, or else the site says that may be spoken with this leg, the
    preferred first; () nothing."""
    call = room.calls.get(leg.call)
    site = room.site_of(call) if call is not None else room.sites.get(room.site)
    if site is None:
        return ()
    carrier = site.trunks.get(trunk) if trunk else None
    number = leg.agent or (call.agent if call is not None and call.leg == leg.id else "")
    agent = site.agents.get(number) if carrier is None else None
    office = site.offices.get(agent.office if agent is not None else carrier.office if carrier is not None else "")
    names = (carrier.codecs if carrier is not None else ()) or (office.codecs if office is not None else ())
    names = names or site.codecs
    return tuple([BY_NAME[name] for name in names if name in BY_NAME])


def set_media(room: Room, leg: Leg, agreed: Agreed) -> None:
    """Tell the plane what was agreed."""
    leg.agreed = agreed
    sending = agreed.direction in ("sendrecv", "sendonly")
    accept, network = leg.accept, ""
    if "/" in accept:
        accept, network = "network", accept
    room.out.append(
        Media(
            SetLeg(
                leg.row,
                leg.generation,
                agreed.host,
                agreed.port,
                agreed.codec,
                agreed.payload_type_out,
                agreed.codecs_in,
                agreed.events_in,
                agreed.events_out,
                agreed.frame_ms_out,
                sending and agreed.port > 0,
                agreed.direction in ("sendrecv", "recvonly"),
                accept,
                network,
                agreed.suite,
                agreed.key_in,
                agreed.key_out,
                agreed.events_rate_out,
                listened_for(leg),
                agreed.report_port,
                agreed.report_mux,
            )
        )
    )


def listened_for(leg: Leg) -> int:
    """What the plane listens for in this leg's sound: keys where the far end has, or is said to have, no other way."""
    alone = leg.dtmf == "auto" and leg.agreed is not None and leg.agreed.events_in < 0
    keys = TONE_DIGITS if leg.dtmf == "inband" or alone else 0
    return keys | (TONE_FAX if leg.fax else 0)


def our_offer(room: Room, leg: Leg, now_ms: int, *, prefer: int | None = None) -> bytes:
    """An offer of ours for this leg, remembered until its answer comes."""
    leg.our_offer = make_offer(open_media(room, leg, now_ms), prefer=prefer)
    return leg.our_offer


def their_answer(room: Room, leg: Leg, sdp: bytes) -> None:
    """The answer to our offer. Raises ProtocolError when it can't be served."""
    set_media(room, leg, read_answer(leg.our_offer, sdp, leg.local))


def our_answer(room: Room, leg: Leg, offer: bytes, now_ms: int, *, prefer: int | None = None) -> bytes:
    """Answer their offer and set the media. Raises ProtocolError(488) when nothing fits."""
    first = leg.local is None
    local = open_media(room, leg, now_ms)
    try:
        sdp, agreed = answer_offer(offer, local, prefer=prefer)
    except ProtocolError:
        if first:
            close_media(room, leg, now_ms)
        raise
    set_media(room, leg, agreed)
    return sdp


def next_version(leg: Leg) -> None:
    """A changed description follows: o= version + 1 (RFC 3264 §8)."""
    assert leg.local is not None
    leg.local = msgspec.structs.replace(leg.local, version=leg.local.version + 1)


def play(room: Room, leg: Leg, purpose: str, clips: tuple[int, ...], *, loop: bool = False, start_ms: int = 0) -> int:
    """Play clips on this leg for `purpose`; returns the play's ticket. Replaces what it sent before."""
    if leg.row < 0:
        return 0
    room.play_serial += 1
    leg.playing, leg.play_ticket = purpose, room.play_serial
    room.out.append(Media(Play(leg.row, leg.generation, leg.play_ticket, clips, loop, start_ms)))
    return leg.play_ticket


def quiet(room: Room, leg: Leg) -> None:
    """Silence from now on."""
    leg.playing, leg.play_ticket, leg.hears = "", 0, 0
    if leg.row >= 0:
        room.out.append(Media(Stop(leg.row, leg.generation)))


def echo(room: Room, leg: Leg) -> None:
    leg.playing, leg.play_ticket = "", 0
    if leg.row >= 0:
        room.out.append(Media(Echo(leg.row, leg.generation)))


def send_digit(room: Room, leg: Leg, digit: str, duration_ms: int, now_ms: int) -> None:
    """A digit to this leg's far end in its own way: by INFO or as tones where that is declared, else by RFC 4733 when
    it was agreed, and as tones when it wasn't: every far end of G.711 hears those.
    """
    if leg.state != "up":
        return
    duration_ms = min(max(duration_ms, 60), 1_000)
    if leg.dtmf == "info" or leg.agreed is None:
        room.endpoint.info_digit(leg.session, digit, duration_ms, now_ms)
    else:
        tones = leg.dtmf == "inband" or leg.agreed.events_out < 0
        room.out.append(Media(SendDigits(leg.row, leg.generation, digit, duration_ms, tones=tones)))


def close_media(room: Room, leg: Leg, now_ms: int) -> None:
    """Ask for the end of the row; it is free when the plane answers with LegClosed (the leg's quality)."""
    if leg.row < 0:
        return
    room.out.append(Media(CloseLeg(leg.row, leg.generation)))
    room.row_legs.pop(leg.row, None)
    name = leg.kind if leg.kind == CALLER else leg.party
    room.closing[(leg.row, leg.generation)] = (leg.call, name, leg.trunk)
    room.parted[leg.row] = sound.parting(leg, now_ms)
    leg.row = -1
