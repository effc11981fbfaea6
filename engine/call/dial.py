"""Ringing somebody: targets to INVITEs, first answer wins, every attempt ends by its deadline.

This module never looks upward: it returns what became of an attempt, and its owner (queue offer, dialplan dial,
direct call, transfer) goes on from there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.call import failover, forwarding, fraud, identity, limited, securing, trunks, urgent
from engine.call import leg as legs
from engine.call.agents import occupy
from engine.call.call import Call, drop_leg, end_leg, lend
from engine.call.leg import AGENT, Leg
from engine.call.outside import Target
from engine.call.showing import answer_headers
from engine.call.targets import resolve
from engine.dialplan.model import TrunkModel
from engine.errors import LimitExceeded, ProtocolError
from engine.sip.causes import of_status
from engine.sip.events import Progress, Rejected
from engine.sip.multipart import Part
from engine.sip.session_end import reason_headers

if TYPE_CHECKING:
    from engine.call.room import Room

DO_NOT_DISTURB_STATUS = (480, 486, 600, 603)
RESULT_OF_STATUS = {
    404: "unreachable", 408: "no_answer", 410: "unreachable", 480: "no_answer", 484: "unreachable", 486: "busy",
    487: "no_answer", 600: "busy", 603: "rejected", 604: "unreachable", 503: "unreachable",
}  # fmt: skip
ANOTHER_FLOW = (430, 503)  # of one of a phone's flows (RFC 5626 §5.3.1), said by a proxy or by our own transport
NO_CIRCUIT = 34  # Q.850: every line of the trunk is in use
BEEP, BEEP_MS = "tone/beep", 250  # and so long until what follows it
ASKED = ("signalled", "confirming")  # states of a leg whose session is up, and whose owner hasn't taken the call
RANK = ("rejected", "busy", "no_answer", "failed", "unreachable")  # which reason is told when several legs failed


class Attempt(msgspec.Struct):
    """One effort to reach somebody for a call. `purpose`: offer | dial | direct | transfer. `legs` still ring."""

    id: int
    call: int
    purpose: str
    started_ms: int
    ring_ms_max: int
    offer: int = 0
    legs: list[int] = []
    later: list[str] = []  # targets still to try, in serial mode
    result: str = ""
    status: int = 0
    display: str = ""
    caller_id: str = ""
    headers: list[tuple[str, str]] = []
    queue: str = ""
    forward_early: bool = False
    record: bool = False
    ringing: bool = False
    won: int = 0
    team: str = ""  # whose way out it may use
    cause: int = 0  # Q.850, where it says more than the result
    auto_answer: str = ""  # for agents' phones that have no way of their own
    confirm_ms: int = 0  # everybody's key within this time is his answer, 0: as his own phone says …
    confirm_clips: tuple[int, ...] = ()  # … and is asked for by this
    whisper: tuple[int, ...] = ()  # to whoever answers
    followed: list[str] = []  # numbers to which somebody has forwarded it
    ways: dict[int, list[Target]] = {}  # leg behind a trunk -> by what else it may be tried


class Outcome(msgspec.Struct, frozen=True):
    """How an attempt ended.

    `result`: answered (then `leg`) | busy | no_answer | rejected | unreachable | failed | forwarded | do_not_disturb.
    """

    result: str
    leg: int = 0
    status: int = 0
    cause: int = 0


ELSEWHERE = 'SIP;cause=200;text="Call completed elsewhere"'  # RFC 3326 §2: no missed call at the phones that lost
_NOBODY = {"trunk_full": ("busy", 486, NO_CIRCUIT), "too_many_hops": ("failed", 483, 25),
    "not_allowed": ("rejected", 403, 21),
}  # result, status, cause


# --- an attempt's life -----------------------------------------------------------------------------------------
def start(
    room: Room, call: Call, purpose: str, targets: tuple[str, ...], now_ms: int, *, mode: str = "parallel",
    ring_ms_max: int = 30_000, offer: int = 0, queue: str = "", display: str = "", caller_id: str = "",
    headers: tuple[tuple[str, str], ...] = (), team: str = "", auto_answer: str = "", confirm_ms: int = 0,
) -> tuple[Attempt, Outcome | None]:  # fmt: skip
    """Ring targets for a call; an Outcome comes at once when nobody could be rung."""
    room.attempt_serial += 1
    attempt = Attempt(
        room.attempt_serial, call.id, purpose, now_ms, ring_ms_max, offer=offer, queue=queue, display=display,
        caller_id=caller_id, headers=list(headers), team=team, auto_answer=auto_answer, confirm_ms=confirm_ms,
    )  # fmt: skip
    room.attempts[attempt.id] = attempt
    attempt.later = list(targets)
    if mode == "parallel":
        for target in targets:
            _ring_target(room, call, attempt, target, now_ms)
        attempt.later = []
    outcome = None if attempt.legs else _ring_later(room, call, attempt, now_ms)
    if outcome is None:
        room.deadlines.arm(("ring", attempt.id), now_ms + ring_ms_max)
    return attempt, outcome


def _ring_later(room: Room, call: Call, attempt: Attempt, now_ms: int) -> Outcome | None:
    """Serial: the next target that can be rung; the attempt's outcome when none is left."""
    while attempt.later and not attempt.legs:
        _ring_target(room, call, attempt, attempt.later.pop(0), now_ms)
    if attempt.legs:
        room.deadlines.arm(("ring", attempt.id), now_ms + attempt.ring_ms_max)
        return None
    return close(room, attempt, attempt.result or "unreachable", now_ms)


def _ring_target(room: Room, call: Call, attempt: Attempt, target: str, now_ms: int) -> None:
    # a call that has passed through too many servers goes in a circle (RFC 7332)
    phones = resolve(room, call, target, attempt.team) if call.hops > 1 else "too_many_hops"
    if isinstance(phones, str):
        phones, status, attempt.cause = _NOBODY.get(phones, (phones, 0, attempt.cause))
        _worse(attempt, phones, status)
        if attempt.purpose != "offer":
            room.emit("dial.ended", call.tenant, call.name, target=target, result=phones, status=status, rang_ms=0,
                      cause=attempt.cause or of_status(status))  # fmt: skip
        return
    for phone in phones:
        try:
            _ring_phone(room, call, attempt, phone, now_ms)
        except LimitExceeded as full:
            limited.told(room, call, full)
            _worse(attempt, "failed", 0)


def _signal(room: Room, call: Call, attempt: Attempt, phone: Target, now_ms: int) -> None:
    """A beep in his ear instead of a ringing phone; what follows it is `confirming`'s."""
    leg = lend(room, room.calls[phone.nail], call)
    leg.state, leg.kind, leg.created_ms = "signalled", AGENT, now_ms
    leg.confirm_ms = phone.confirm_ms or attempt.confirm_ms
    leg.attempt, leg.offer = attempt.id, attempt.offer if attempt.purpose == "offer" else -1
    attempt.legs.append(leg.id)
    legs.play(room, leg, "signal", room.clips(room.site_of(call), (BEEP,)))
    room.deadlines.arm(("confirm", leg.id), now_ms + BEEP_MS)
    _tell_start(room, call, attempt, leg)


def _tell_start(room: Room, call: Call, attempt: Attempt, leg: Leg) -> None:
    sip_call_id = room.endpoint.session_call_id(leg.session)
    room.emit("call.leg", call.tenant, call.name, leg=leg.party, sip=sip_call_id)
    if attempt.purpose != "offer":
        leg.occupies = bool(leg.agent) and occupy(room, leg.agent, "direct")
        room.emit("dial.started", call.tenant, call.name, target=leg.party, kind=leg.kind, trunk=leg.trunk)


def _ring_phone(room: Room, call: Call, attempt: Attempt, phone: Target, now_ms: int) -> None:
    if phone.nail:
        _signal(room, call, attempt, phone, now_ms)
        return
    leg = room.new_leg(call, phone.kind, -1, phone.path, phone.party, outgoing=True)
    room.session_legs.pop(-1, None)
    leg.agent, leg.dtmf, leg.accept, leg.attempt = phone.agent, phone.dtmf, phone.accept, attempt.id
    leg.digits, leg.payer = phone.digits, phone.payer
    leg.confirm_ms = phone.confirm_ms or attempt.confirm_ms
    leg.secure = securing.policy_of(room, phone.trunk, phone.agent)
    leg.offer = attempt.offer if attempt.purpose == "offer" else -1
    caller_leg = room.legs.get(call.leg)
    prefer = caller_leg.agreed.codec if caller_leg is not None and caller_leg.agreed is not None else None
    try:
        legs.open_media(room, leg, now_ms, trunk=phone.trunk)
        sdp = legs.our_offer(room, leg, now_ms, prefer=prefer)
    except LimitExceeded:
        drop_leg(room, leg, now_ms)
        raise
    number = attempt.caller_id or phone.user or call.caller
    own = answer_headers(phone.auto_answer or (attempt.auto_answer if phone.agent and not phone.trunk else ""))
    replaced = {name for name, _ in own}  # of two Alert-Info a phone reads the first
    told = attempt.headers if not phone.trunk else ()  # of the house: a carrier has no use for them
    headers = [("Max-Forwards", str(call.hops - 1)), *(each for each in told if each[0] not in replaced)]
    headers += own
    own_host = leg.local.host if leg.local else ""
    caller = (attempt.display or call.caller_name, number or "anonymous", own_host)
    if phone.trunk:
        queue = attempt.queue if attempt.purpose != "offer" else ""
        caller, known = identity.towards(
            room, call, phone, attempt.purpose, caller[0], attempt.caller_id, queue, own_host
        )  # fmt: skip
        headers += known
    parts: tuple[Part, ...] = ()
    if call.emergency and phone.trunk:
        caller, urgent_headers, parts = urgent.told(room, call, _trunk(room, phone.trunk), own_host)
        headers = [headers[0], *urgent_headers]
    leg.session = room.endpoint.invite(
        phone.uri, phone.path, now_ms, caller=caller, sdp=sdp, headers=tuple(headers),
        secret=phone.secret, session_timer_s=phone.session_timer_s,
        ring_ms_max=attempt.ring_ms_max + 5_000, parts=parts,
    )  # fmt: skip
    room.session_legs[leg.session] = leg.id
    attempt.legs.append(leg.id)
    if phone.trunk:
        leg.trunk = phone.trunk
        room.trunk_calls[phone.trunk] = room.trunk_calls.get(phone.trunk, 0) + 1
        trunks.spend(room, phone.trunk)
        if (leg.kind == legs.OUTSIDE or leg.payer) and not call.emergency:
            fraud.began(room, call, leg, now_ms)
        attempt.ways[leg.id] = [_like(phone, other) for other in phone.others]
        room.deadlines.arm(("setup", leg.id), now_ms + _trunk(room, phone.trunk).silent_ms)
    elif phone.others:
        attempt.ways[leg.id] = list(phone.others)  # flows of the same phone
    _tell_start(room, call, attempt, leg)


def progress(room: Room, leg: Leg, event: Progress, now_ms: int) -> bool:
    """180, 183 …; True when the leg now has early media that the caller may hear."""
    attempt = room.attempts.get(leg.attempt)
    if attempt is None or leg.state not in ("calling", "ringing"):
        return False
    leg.state = "ringing"
    attempt.ringing = True
    if event.sdp is None or not event.sdp:
        return False
    try:
        legs.their_answer(room, leg, event.sdp)
    except ProtocolError as error:
        room.log("warning", f"early SDP from {leg.party}: {error}", "sdp")
        return False
    leg.early = True
    return True


def answered(room: Room, leg: Leg, sdp: bytes | None, now_ms: int) -> Outcome | None:
    """2xx on one of the legs: the others are cancelled. None when nobody waits for it any more, and while his key must
    tell whether a person has answered (`leg.state` is confirming then)."""
    attempt = room.attempts.get(leg.attempt)
    if attempt is None or leg.id not in attempt.legs:
        room.endpoint.hang_up(leg.session, now_ms)
        drop_leg(room, leg, now_ms)
        return None
    try:
        if sdp:
            legs.their_answer(room, leg, sdp)
        elif leg.agreed is None:
            raise ProtocolError("200 without an answer to our offer", status_hint=488)
    except ProtocolError as error:
        room.log("warning", f"SDP of {leg.party}: {error}", "sdp")
        room.endpoint.hang_up(leg.session, now_ms, cause=47)
        return _leg_failed(room, attempt, leg, "failed", 488, now_ms)
    leg.up_ms = now_ms
    if leg.confirm_ms:
        leg.state = "confirming"
        return None
    return taken(room, attempt, leg, now_ms)


def taken(room: Room, attempt: Attempt, leg: Leg, now_ms: int) -> Outcome:
    """He is there, and wants it: the first of all who were rung."""
    leg.state = "up"
    room.deadlines.cancel(("confirm", leg.id))
    _tell_end(room, attempt, leg, "answered", 200, now_ms)
    attempt.legs.remove(leg.id)
    attempt.won = leg.id
    _cancel_legs(room, attempt, now_ms, reason=ELSEWHERE)
    close(room, attempt, "answered", now_ms)
    return Outcome("answered", leg.id, 200)


def rejected(room: Room, leg: Leg, event: Rejected, now_ms: int) -> Outcome | None:
    """A final failure of one leg; the attempt's Outcome when it was the last. A 3xx may ring others in its place."""
    attempt = room.attempts.get(leg.attempt)
    if attempt is None:
        drop_leg(room, leg, now_ms)
        return None
    for phone in forwarding.targets(room, room.calls[attempt.call], attempt, leg, event.contacts):
        try:
            _ring_phone(room, room.calls[attempt.call], attempt, phone, now_ms)
        except LimitExceeded as full:
            limited.told(room, room.calls[attempt.call], full)
    result = "forwarded" if 300 <= event.status < 400 else RESULT_OF_STATUS.get(event.status, "failed")
    if event.status in DO_NOT_DISTURB_STATUS and "disturb" in event.phrase.lower():
        result = "do_not_disturb"  # phones have no status of their own for it, only words
    if event.status >= 600 and leg.agent:  # 6xx: the person's word, on whichever of his phones (RFC 3261 §16.7)
        for number in [n for n in attempt.legs if n != leg.id and room.legs[n].agent == leg.agent]:
            attempt.legs.remove(number)
            _cancel_leg(room, attempt, number, now_ms, "")
    flow_failed = not leg.trunk and event.status in ANOTHER_FLOW and leg.id in attempt.legs
    if flow_failed or (leg.trunk and leg.id in attempt.legs and failover.moves(
        event.status, event.cause, rang=leg.state == "ringing", also=_trunk(room, leg.trunk).next_on
    )):
        other = _next_phone(room, attempt, leg)
        if other is not None:
            return _move(room, attempt, leg, other, result, event, now_ms)
    return _leg_failed(room, attempt, leg, result, event.status, now_ms, cause=event.cause)


def silent(room: Room, leg: Leg, now_ms: int) -> Outcome | None:
    """A trunk has had its time and not even said 100: the next one's turn. The last of all is waited for."""
    if leg.state != "calling" or room.endpoint.heard(leg.session):
        return None
    why = f"{leg.trunk} left an INVITE without a word for {_trunk(room, leg.trunk).silent_ms} ms"
    trunks.silent(room, leg.trunk, leg.path.host, leg.path.port, why, now_ms)
    return abandoned(room, leg, now_ms)


def abandoned(room: Room, leg: Leg, now_ms: int) -> Outcome | None:
    """A trunk is dead under a call that hasn't rung: by its next way, if it has one; else it is waited for."""
    attempt = room.attempts.get(leg.attempt)
    phone = _next_phone(room, attempt, leg) if attempt is not None and leg.id in attempt.legs else None
    if attempt is None or phone is None:
        return None
    room.endpoint.cancel(leg.session, now_ms)
    return _move(room, attempt, leg, phone, "unreachable", Rejected(leg.session, 0, "no answer", 0), now_ms)


def _trunk(room: Room, name: str) -> TrunkModel:
    """The trunk as the site has it now; one that has left the site behaves like any other."""
    return room.sites[room.site].trunks.get(name) or TrunkModel(name)


def _like(phone: Target, other: Target) -> Target:
    """The other way to the same person."""
    return msgspec.structs.replace(
        other, kind=phone.kind, party=phone.party, agent=phone.agent, confirm_ms=phone.confirm_ms, payer=phone.payer
    )


def _next_phone(room: Room, attempt: Attempt, leg: Leg) -> Target | None:
    """The next trunk or address for a leg that came to nothing, with all that come after it; None: there is none."""
    ways = attempt.ways.pop(leg.id, [])
    for place, phone in enumerate(ways):
        trunk = _trunk(room, phone.trunk)
        full = trunks.refusal(room, trunk, room.now_ms) if phone.trunk != leg.trunk else ""
        if not full:
            return msgspec.structs.replace(phone, others=tuple(ways[place + 1 :]))
        trunks.limited(room, trunk, full)
    return None


def _move(
    room: Room, attempt: Attempt, leg: Leg, phone: Target, result: str, said: Rejected, now_ms: int
) -> Outcome | None:
    """The leg is over, and the same person is rung by another way. An outcome: that couldn't even begin."""
    call = room.calls[attempt.call]
    _tell_end(room, attempt, leg, result, said.status, now_ms, cause=said.cause)
    attempt.legs.remove(leg.id)
    drop_leg(room, leg, now_ms)
    trunks.left(room, leg.trunk)
    room.emit(
        "dial.moved", call.tenant, call.name, target=leg.party, trunk=leg.trunk, to=phone.trunk,
        why=f"{said.status or ''} {said.phrase}".strip(), status=said.status, cause=said.cause,
        after_ms=now_ms - leg.created_ms,
    )  # fmt: skip
    try:
        _ring_phone(room, call, attempt, phone, now_ms)
    except LimitExceeded as full:
        limited.told(room, call, full)
        _worse(attempt, "failed", 0)
    return None if attempt.legs else _ring_later(room, call, attempt, now_ms)


def declined(room: Room, leg: Leg, result: str, now_ms: int, *, gone: bool = False) -> Outcome | None:
    """Who has picked up doesn't take it: by his key, by his silence, or (`gone`) by hanging up."""
    attempt = room.attempts.get(leg.attempt)
    if attempt is None or leg.id not in attempt.legs:
        end_leg(room, leg, now_ms)
        return None
    if not gone:
        end_leg(room, leg, now_ms)
    return _leg_failed(room, attempt, leg, result, 0, now_ms)


def lost(room: Room, leg: Leg, now_ms: int) -> Outcome | None:
    """A leg that still rang is over for a reason of our own (its media port failed); its INVITE has been cancelled."""
    attempt = room.attempts.get(leg.attempt)
    if attempt is None or leg.id not in attempt.legs:
        return None
    return _leg_failed(room, attempt, leg, "failed", 500, now_ms)


def _leg_failed(
    room: Room, attempt: Attempt, leg: Leg, result: str, status: int, now_ms: int, *, cause: int = 0
) -> Outcome | None:  # fmt: skip
    _tell_end(room, attempt, leg, result, status, now_ms, cause=cause)
    if leg.id in attempt.legs:
        attempt.legs.remove(leg.id)
    if leg.call == attempt.call:  # else it has gone home
        drop_leg(room, leg, now_ms)
    _worse(attempt, result, status, cause)
    return None if attempt.legs else _ring_later(room, room.calls[attempt.call], attempt, now_ms)


def _tell_end(
    room: Room, attempt: Attempt, leg: Leg, result: str, status: int, now_ms: int, *, cause: int = 0
) -> None:  # fmt: skip
    """For records: every dial.started has its dial.ended (offers are told by the distributor)."""
    call = room.calls.get(attempt.call)
    if attempt.purpose != "offer" and call is not None:
        room.emit(
            "dial.ended", call.tenant, call.name, target=leg.party, result=result, status=status,
            rang_ms=now_ms - leg.created_ms, cause=cause or of_status(status),
        )  # fmt: skip


def _worse(attempt: Attempt, result: str, status: int, cause: int = 0) -> None:
    """Of several failures the one that says most is told: a person's word before a machine's. `cause`: theirs, or 0."""
    order = {word: place for place, word in enumerate(RANK)}
    if not attempt.result or order.get(result, 0) < order.get(attempt.result, 0):
        attempt.result, attempt.status = result, status
        attempt.cause = cause or attempt.cause


def timed_out(room: Room, attempt: Attempt, now_ms: int) -> Outcome | None:
    """Nobody answered in ring_ms_max: cancel; in serial mode the next target's turn."""
    _cancel_legs(room, attempt, now_ms, result="no_answer")
    _worse(attempt, "no_answer", 0)
    return _ring_later(room, room.calls[attempt.call], attempt, now_ms)


def cancel(room: Room, attempt: Attempt, now_ms: int, *, reason: str = "") -> None:
    """The owner no longer wants it."""
    _cancel_legs(room, attempt, now_ms, reason=reason)
    close(room, attempt, "canceled", now_ms)


def _cancel_legs(room: Room, attempt: Attempt, now_ms: int, *, reason: str = "", result: str = "canceled") -> None:
    for number in attempt.legs:
        _cancel_leg(room, attempt, number, now_ms, reason, result)
    attempt.legs = []


def _cancel_leg(
    room: Room, attempt: Attempt, number: int, now_ms: int, reason: str, result: str = "canceled"
) -> None:  # fmt: skip
    leg = room.legs[number]
    _tell_end(room, attempt, leg, result, 0, now_ms)
    if leg.state in ASKED:
        end_leg(room, leg, now_ms, reason=reason)
        return
    why = reason or reason_headers(19 if result == "no_answer" else 16)[0][1]  # RFC 3398 §8.2.7: we, or our timer
    room.endpoint.cancel(leg.session, now_ms, reason=why)
    drop_leg(room, leg, now_ms)


def close(room: Room, attempt: Attempt, result: str, now_ms: int) -> Outcome:
    room.attempts.pop(attempt.id, None)
    room.deadlines.cancel(("ring", attempt.id))
    return Outcome(result, attempt.won, attempt.status, attempt.cause)
