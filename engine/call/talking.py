"""From ringing to talking and back: answering the caller, what he hears meanwhile, and what follows a hang-up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import limits
from engine.call import (
    bridge,
    conference,
    dial,
    emergency,
    ending,
    limited,
    prelude,
    refusing,
    showing,
    supervision,
    waiting,
)
from engine.call import leg as legs
from engine.call.agents import occupy
from engine.call.call import Call, drop_leg, tread
from engine.call.leg import OUTSIDE
from engine.dialplan import actions
from engine.dialplan.people_actions import ParkEnded
from engine.dialplan.recording_model import records_calls
from engine.errors import LimitExceeded, ProtocolError
from engine.sip.causes import of_status

if TYPE_CHECKING:
    from engine.call.dial import Attempt, Outcome
    from engine.call.leg import Leg
    from engine.call.room import Room

STATUS_OF_RESULT = {
    "busy": (486, 17), "no_answer": (480, 19), "rejected": (603, 21), "unreachable": (480, 20),
    "forwarded": (480, 19), "do_not_disturb": (480, 17), "failed": (480, 41), "canceled": (480, 16),
}  # fmt: skip
CONFIRM_MS = 10_000  # to press the key by which somebody who was dialled takes the call
COUNTRY_TONES = ("ringback", "busy", "congestion")


def answer_caller(room: Room, call: Call, now_ms: int, *, prefer: int | None = None) -> bool:
    """200 to the caller with our side of the media; False when his SDP can't be served (488 has been said).

    Without an offer in his INVITE ours goes into the 200, and he counts as answered when the ACK brings his answer.
    """
    leg = room.legs.get(call.leg)
    if leg is None:
        return False
    if leg.state == "up":
        return True
    try:
        if leg.agreed is not None and (leg.their_offer is None or room.endpoint.settled(leg.session)):
            sdp = b""  # his answer came with a PRACK, or ours went before one
        elif leg.their_offer is not None:
            sdp = legs.our_answer(room, leg, leg.their_offer, now_ms, prefer=prefer)
        else:
            sdp, leg.pending_answer = legs.our_offer(room, leg, now_ms, prefer=prefer), True
    except ProtocolError as error:
        room.log("warning", f"{call.name}: {error}", "sdp")
        room.emit("call.fault", call.tenant, call.name, where="answer", detail=str(error))
        ending.hang_up(room, call, "system", "failed", 88, now_ms, status=488)
        return False
    except LimitExceeded as full:
        limited.told(room, call, full)
        ending.hang_up(room, call, "system", "failed", 34, now_ms, status=503)
        return False
    room.endpoint.answer(leg.session, sdp, now_ms)
    leg.state, leg.up_ms = "up", now_ms
    call.answered_ms = now_ms
    room.deadlines.arm(("call", call.id), now_ms + limits.call_ms_max)
    room.emit("call.answered", call.tenant, call.name, after_ms=now_ms - call.started_ms)
    return True


# --- dialling onward ---------------------------------------------------------------------------------------------
def dial_out(room: Room, call: Call, wish: actions.DialOut, now_ms: int) -> None:
    """The dialplan dials: the caller hears music, else early media, else his country's ringback."""
    call.phase, call.dial_ticket = "dial", wish.ticket
    targets, call.help_next = _before_help(room, wish)
    call.emergency = ""
    if not targets:
        dial_emergency(room, call, call.help_next, now_ms, "dial", record=wish.record)
        return
    attempt, outcome = dial.start(
        room, call, "dial", targets, now_ms, mode=wish.mode, ring_ms_max=wish.ring_ms_max,
        caller_id=wish.caller_id, headers=showing.shown_headers(call), team="*",
        confirm_ms=CONFIRM_MS if wish.confirm else 0,
    )  # fmt: skip
    site = room.site_of(call)
    attempt.confirm_clips, attempt.whisper = room.clips(site, wish.confirm_prompt), room.clips(site, wish.whisper)
    call.attempt = attempt.id
    attempt.forward_early, attempt.record = not wish.music, wish.record
    if outcome is not None:
        attempt_over(room, attempt, outcome, now_ms)
        return
    ringback(room, call, wish.music)


def _before_help(room: Room, wish: actions.DialOut) -> tuple[tuple[str, ...], str]:
    """(whom to ring first, the emergency number of the list). One among those who are rung at once is rung alone:
    nobody may take the call from it."""
    number = emergency.meant(room, wish.targets)
    if not number:
        return wish.targets, ""
    if wish.mode == "parallel":
        return (), number
    found = [bool(emergency.meant(room, (each,))) for each in wish.targets]
    return wish.targets[: found.index(True)], number


def ringback(room: Room, call: Call, music: tuple[str, ...] = ()) -> None:
    leg = room.legs[call.leg]
    if leg.state == "up":
        clips = room.clips(room.site_of(call), music or (tone(room, call, "ringback"),))
        legs.play(room, leg, "ringback", clips, loop=True)


def still_rings(room: Room, attempt: Attempt) -> None:
    """One phone less, others ring on: a caller who heard its early media hears ringback again."""
    call = room.calls.get(attempt.call)
    caller = room.legs.get(call.leg) if call is not None else None
    if call is None or caller is None or not caller.hears or caller.hears in room.legs:
        return
    legs.quiet(room, caller)
    ringback(room, call)


def dial_direct(room: Room, call: Call, target: str, team: str, now_ms: int) -> None:
    """A call without a dialplan: phone to phone, or an agent to the outside. The caller is answered when they are."""
    call.phase = "dial"
    attempt, outcome = dial.start(room, call, "direct", (target,), now_ms, ring_ms_max=60_000, team=team)
    call.attempt = attempt.id
    attempt.forward_early = True
    if outcome is not None:
        attempt_over(room, attempt, outcome, now_ms)


def dial_emergency(
    room: Room, call: Call, number: str, now_ms: int, purpose: str = "direct", *, record: bool = False
) -> None:  # fmt: skip
    """An agent, or a dialplan, calls for help."""
    call.help_next = ""
    attempt, failed = emergency.begin(room, call, number, purpose, record=record)
    if failed is None:
        ringback(room, call)
        return
    emergency.over(room, call, failed.result)
    if purpose == "direct":
        _not_reached(room, call, 503, failed.cause or 38, now_ms)
    else:
        attempt_over(room, attempt, failed, now_ms)


def tone(room: Room, call: Call, kind: str) -> str:
    """ "tone/ringback.us": the tone of the caller's country."""
    site = room.site_of(call)
    trunk, tenant = site.trunks.get(call.trunk), site.tenants.get(call.tenant)
    country = trunk.country if trunk is not None else tenant.country if tenant is not None else "us"
    name = f"tone/{kind}.{country}"
    return name if name in site.prompts else f"tone/{kind}.us"


def progressed(room: Room, leg: Leg, status: int, early: bool, now_ms: int) -> None:
    """180 or 183 from a phone that rings for a call: passed on to a caller who isn't answered yet."""
    call, attempt = room.calls.get(leg.call), room.attempts.get(leg.attempt)
    if call is None or attempt is None or not attempt.forward_early:
        return
    caller = room.legs.get(call.leg)
    if caller is None:
        return
    if early and len(attempt.legs) == 1:
        if caller.state == "offered" and caller.their_offer is not None:
            try:
                prefer = leg.agreed.codec if leg.agreed is not None else None
                sdp = legs.our_answer(room, caller, caller.their_offer, now_ms, prefer=prefer)
            except (ProtocolError, LimitExceeded):
                return
            room.endpoint.ring(caller.session, 183, now_ms, sdp=sdp, reliable=_surely(room, call))
        bridge.hear(room, caller, leg)
    elif caller.state == "offered" and status >= 180:
        room.endpoint.ring(caller.session, 180, now_ms, sdp=_first_offer(room, caller, now_ms),
                           reliable=_surely(room, call))  # fmt: skip


def _surely(room: Room, call: Call) -> bool:
    """Does his trunk ask for provisional responses that are acknowledged (RFC 3262)?"""
    trunk = room.site_of(call).trunks.get(call.trunk)
    return trunk is not None and trunk.reliable


def _first_offer(room: Room, caller: Leg, now_ms: int) -> bytes | None:
    """Ours, for a caller who requires such responses and made none: the PRACK brings his answer (RFC 3262 §5)."""
    if not room.endpoint.needs_offer(caller.session):
        return None
    try:
        sdp, caller.pending_answer = legs.our_offer(room, caller, now_ms), True
    except LimitExceeded:
        return None  # he hears nothing until he is answered, or until that fails too
    return sdp


def attempt_over(room: Room, attempt: Attempt, outcome: Outcome, now_ms: int) -> None:
    """A dial, direct call or transfer came to its end (queue offers go to `waiting.offer_over`)."""
    call = room.calls.get(attempt.call)
    if call is None:
        return
    call.attempt = 0
    if outcome.result == "answered":
        _reached(room, call, attempt, room.legs[outcome.leg], now_ms)
        return
    if attempt.purpose == "direct":
        status, cause = STATUS_OF_RESULT.get(outcome.result, (480, 41))
        if outcome.status in (403, 404, 484, 486, 603):
            status, cause = outcome.status, of_status(outcome.status)
        ours = outcome.result == "rejected" and outcome.status == 403  # the far end's is `failed`
        if not (ours and refusing.begin(room, call, status, outcome.cause or cause, now_ms)):
            _not_reached(room, call, status, outcome.cause or cause, now_ms)
    elif attempt.purpose == "dial" and call.help_next:
        dial_emergency(room, call, call.help_next, now_ms, "dial", record=attempt.record)
    else:
        call.phase = "script"
        legs.quiet(room, room.legs[call.leg])
        room.happen(call, actions.DialEnded(call.dial_ticket, _public_result(outcome.result), outcome.status))


def _public_result(result: str) -> str:
    """The dialplan's closed set: busy | no_answer | rejected | unreachable | failed."""
    if result in ("busy", "no_answer", "rejected", "unreachable"):
        return result
    return {"do_not_disturb": "busy", "forwarded": "no_answer"}.get(result, "failed")


def _not_reached(room: Room, call: Call, status: int, cause: int, now_ms: int) -> None:
    leg = room.legs.get(call.leg)
    if leg is not None and leg.state == "up":  # answered already (early media never is): a tone, then the end
        clips = room.clips(room.site_of(call), (tone(room, call, "busy" if cause == 17 else "congestion"),))
        legs.play(room, leg, "tone", clips, loop=True)
        room.deadlines.arm(("tone", call.id), now_ms + 4_000)
        call.cause = cause
        return
    ending.hang_up(room, call, "callee", "failed", cause, now_ms, status=status)


def _reached(room: Room, call: Call, attempt: Attempt, leg: Leg, now_ms: int) -> None:
    prefer = leg.agreed.codec if leg.agreed is not None else None
    caller = room.legs[call.leg]
    tread(call, leg.party)
    if caller.state == "offered" and not answer_caller(room, call, now_ms, prefer=prefer):
        return
    outward = attempt.purpose == "direct" and bool(caller.agent) and leg.kind == OUTSIDE
    record = attempt.record or (outward and records_calls(room.site_of(call), call.tenant))
    if (record or attempt.whisper) and caller.hears == leg.id:  # what is said to the far end now is for it alone
        legs.quiet(room, caller)
        ringback(room, call)
    prelude.join(room, call, leg, now_ms, whisper=attempt.whisper, record=record, dialled=True)


# --- hanging up ----------------------------------------------------------------------------------------------------
def leg_over(room: Room, leg: Leg, by: str, cause: int, now_ms: int) -> None:
    """A session ended (BYE, timer, probe, dead media): the caller's ends the call, another's frees its partner."""
    call = room.calls.get(leg.call)
    if call is None:
        drop_leg(room, leg, now_ms)
        return
    if leg.id in call.guests:
        conference.left(room, call, leg, now_ms)
        return
    if leg.id == call.leg and call.guests and leg.agent and leg.partner in room.legs:
        bridge.swap(room, call, leg)  # an agent who dialled leaves his conference: the others talk on
    if leg.id == call.leg:
        call.cause = cause or 16
        ending.caller_gone(room, call, by if by != "remote" else "caller", now_ms)
        return
    for offer, (_, answered) in room.offers.items():
        if answered == leg.id:  # died between answer and connect
            room.offers[offer] = (0, 0)
            break
    talking = leg.id == call.other
    if talking:
        conference.withdraw(room, call, now_ms)
        supervision.over(room, call, "agent left", now_ms)
        if conference.promote(room, call, leg, now_ms):
            return
        bridge.part(room, call, leg)
    drop_leg(room, leg, now_ms)
    if talking:
        partner_left(room, call, leg, now_ms, cause=cause or 16)


def partner_left(room: Room, call: Call, leg: Leg, now_ms: int, *, cause: int = 16) -> None:
    """The far end hung up first: the dialplan goes on with its next step; a direct call ends."""
    served = bool(call.served_by)
    waiting.completed(room, call, "agent", now_ms)
    call.other = 0
    if call.phase == "closing":
        return
    if call.running is not None and call.running.waiting in ("queue", "dial"):
        call.phase = "script"
        call.outcome = "served"
        if call.running.waiting == "queue":
            room.happen(call, actions.QueueEnded(call.queue_ticket, "served"))
        else:
            room.happen(call, actions.DialEnded(call.dial_ticket, "served"))
        return
    if call.running is not None and call.running.waiting == "park" and call.park_ticket:
        call.phase, call.outcome = "script", "served"
        room.happen(call, ParkEnded(call.park_ticket, "served"))
        return
    ending.hang_up(room, call, "agent" if served or leg.agent else "callee", "served", cause, now_ms)


def caller_acked(room: Room, leg: Leg, sdp: bytes | None, now_ms: int) -> None:
    """The ACK of an offerless INVITE or re-INVITE brings their answer to our offer."""
    if not leg.pending_answer:
        return
    leg.pending_answer = False
    call = room.calls.get(leg.call)
    if call is None:
        return
    if sdp is None and leg.agreed is not None:
        room.log("warning", f"{call.name}: {leg.party} asked for an offer and left it unanswered", "sdp")
        return  # what was agreed before goes on
    try:
        if sdp is None:
            raise ProtocolError("ACK without an answer to our offer", status_hint=488)
        legs.their_answer(room, leg, sdp)
    except ProtocolError as error:
        room.emit("call.fault", call.tenant, call.name, where="ack", detail=str(error))
        room.endpoint.hang_up(leg.session, now_ms, cause=47)
        leg_over(room, leg, "system", 47, now_ms)
        return
    bridge.hold_changed(room, call, leg, leg.key_hold or bridge.sdp_hold(leg), now_ms)
    if call.running is not None and call.running.waiting == "answer":
        room.happen(call, actions.AnsweredNow(call.running.ticket))


def offered(room: Room, leg: Leg, sdp: bytes | None, now_ms: int) -> None:
    """A re-INVITE: hold, resume, changed address, changed codec, or a request for our offer."""
    call = room.calls.get(leg.call)
    if call is None or leg.local is None:
        room.endpoint.refuse_offer(leg.session, 488, now_ms)
        return
    leg.digit_way = ""  # the far end may be another device now
    if sdp is None:
        legs.next_version(leg)
        leg.pending_answer = True
        room.endpoint.accept_offer(
            leg.session, legs.our_offer(room, leg, now_ms, prefer=leg.agreed.codec if leg.agreed else None), now_ms
        )
        return
    before = leg.agreed
    try:
        legs.next_version(leg)
        answer = legs.our_answer(room, leg, sdp, now_ms, prefer=before.codec if before is not None else None)
    except ProtocolError as error:
        room.log("warning", f"{call.name}: re-INVITE of {leg.party}: {error}", "sdp")
        room.endpoint.refuse_offer(leg.session, 488, now_ms)
        return
    room.endpoint.accept_offer(leg.session, answer, now_ms)
    bridge.hold_changed(room, call, leg, leg.key_hold or bridge.sdp_hold(leg), now_ms)


def mark_agent_call(room: Room, leg: Leg, kind: str) -> None:
    """An agent dialled this call himself: it occupies him for offers."""
    if leg.agent:
        leg.occupies = occupy(room, leg.agent, kind)
