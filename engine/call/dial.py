"""Ringing somebody: targets to INVITEs, first answer wins, every attempt ends by its deadline.

This module never looks upward: it returns what became of an attempt, and its owner (queue offer, dialplan dial,
direct call, transfer) goes on from there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.call import leg as legs
from engine.call.agents import occupy
from engine.call.call import Call, drop_leg, end_leg, lend
from engine.call.leg import AGENT, OUTSIDE, PHONE, Leg
from engine.call.showing import answer_headers
from engine.errors import LimitExceeded, ProtocolError
from engine.sip.events import Path, Progress, Rejected
from engine.sip.uri import escape_user, parse_uri

if TYPE_CHECKING:
    from engine.call.room import Room
    from engine.call.site_index import SiteIndex
    from engine.dialplan.model import AgentModel, Reach, TrunkModel

DO_NOT_DISTURB_STATUS = (480, 486, 600, 603)
RESULT_OF_STATUS = {
    404: "unreachable", 408: "no_answer", 410: "unreachable", 480: "no_answer", 484: "unreachable", 486: "busy",
    487: "no_answer", 600: "busy", 603: "rejected", 604: "unreachable", 503: "unreachable",
}  # fmt: skip
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


class Outcome(msgspec.Struct, frozen=True):
    """How an attempt ended.

    `result`: answered (then `leg`) | busy | no_answer | rejected | unreachable | failed | forwarded | do_not_disturb.
    """

    result: str
    leg: int = 0
    status: int = 0
    cause: int = 0


class Target(msgspec.Struct, frozen=True):
    """One phone to ring."""

    uri: str
    path: Path
    kind: str
    party: str
    agent: str = ""
    trunk: str = ""
    secret: tuple[str, str] | None = None
    user: str = ""
    auto_answer: str = ""
    dtmf: str = "auto"
    accept: str = "any"
    session_timer_s: int = 1_800
    confirm_ms: int = 0  # only his key within this time counts as an answer
    nail: int = 0  # not rung: the call that keeps his nailed-up leg


def resolve(room: Room, call: Call, target: str, team: str = "") -> list[Target] | str:
    """The phones behind "agent/201", "number/0044…" or "sip:…"; a word (the result) when there are none."""
    kind, _, name = target.partition("/")
    if kind == "agent":
        tenant, _, number = name.rpartition("/")
        return _agent_targets(room, tenant or call.tenant, number)
    if kind == "number":
        return _number_targets(room, call, name, team)
    path, uri = static_path(room, target)
    return [Target(uri, path, PHONE, uri)] if path else "unreachable"


def _agent_targets(room: Room, tenant: str, number: str) -> list[Target] | str:
    index = room.index()
    model = index.agent(tenant, number)
    if model is None:
        return "unreachable"
    key, party = f"{tenant}/{number}", f"agent {number}"
    reach, found, why = model.reach, list[Target](), "unreachable"
    if reach is not None and reach.nailed_up:
        return _nailed(room, key, party, reach)
    if reach is not None and reach.number:
        outside = _outside(room, index, tenant, model.team, reach.number)
        if isinstance(outside, str):
            why = outside
        else:
            confirm_ms = reach.confirm_ms if reach.confirm else 0
            found.append(
                msgspec.structs.replace(outside, kind=AGENT, party=party, agent=key, confirm_ms=confirm_ms)
            )  # fmt: skip
        if not reach.registered:
            return found or why
    if model.contact:
        path, uri = static_path(room, model.contact)
        found += [_phone(uri, path, party, key, model)] if path else []
    else:
        realm = index.site.tenants[tenant].realm
        bindings = [b for b in room.endpoint.bindings(realm, number) if b.reachable]
        found += [_phone(b.contact, b.path, party, key, model) for b in bindings]
    return found or why


def _nailed(room: Room, key: str, party: str, reach: Reach) -> list[Target] | str:
    row = room.agents.get(key)
    own = room.calls.get(row.nail) if row is not None else None
    if own is None or own.phase != "nailed":
        return "unreachable"
    if own.leg not in room.legs:
        return "busy"  # somebody has it already
    confirm_ms = reach.confirm_ms if reach.confirm else 0
    return [Target("", room.legs[own.leg].path, AGENT, party, agent=key, confirm_ms=confirm_ms, nail=own.id)]


def _phone(uri: str, path: Path, party: str, key: str, model: AgentModel) -> Target:
    return Target(uri, path, AGENT, party, agent=key, auto_answer=model.auto_answer, dtmf=model.dtmf)


def _number_targets(room: Room, call: Call, number: str, team: str) -> list[Target] | str:
    index = room.index(call.site)
    if index.agent(call.tenant, number) is not None:
        return _agent_targets(room, call.tenant, number)
    found = _outside(room, index, call.tenant, team, number)
    return found if isinstance(found, str) else [found]


def _outside(room: Room, index: SiteIndex, tenant: str, team: str, number: str) -> Target | str:
    """A number behind a trunk, by the tenant's outbound rules."""
    found = index.outbound(tenant, team, number)
    if found is None:
        return "unreachable"
    rule, digits = found
    trunk = index.site.trunks.get(rule.trunk)
    if trunk is None or not trunk.host:
        return "unreachable"
    if trunk.calls_max and room.trunk_calls.get(trunk.name, 0) >= trunk.calls_max:
        room.log("warning", f"trunk {trunk.name} is full: {trunk.calls_max} calls", f"trunk.{trunk.name}")
        return "trunk_full"
    return _trunk_target(room, trunk, digits, rule.caller_id)


def _trunk_target(room: Room, trunk: TrunkModel, digits: str, caller_id: str) -> Target:
    path = Path(_flow(room, trunk.transport), trunk.host, trunk.port, trunk.transport)
    uri = f"sip:{escape_user(digits)}@{trunk.host}:{trunk.port}"
    uri += ";transport=tcp" if trunk.transport == "tcp" else ""
    return Target(
        uri, path, OUTSIDE, digits, trunk=trunk.name, secret=room.trunk_secrets.get(trunk.name), user=caller_id,
        dtmf=trunk.dtmf, accept=trunk.media_from, session_timer_s=trunk.session_timer_s,
    )  # fmt: skip


def _flow(room: Room, transport: str) -> int:
    """The listening UDP flow; stream flows are chosen by the endpoint (0)."""
    if transport == "udp":
        for listener in room.listeners:
            if listener.transport == "udp":
                return listener.flow
    return 0


def static_path(room: Room, text: str) -> tuple[Path | None, str]:
    """Where a literal SIP URI leads. Only addresses: names are resolved when the site is loaded."""
    try:
        uri = parse_uri(text if text.startswith(("sip:", "sips:")) else f"sip:{text}")
    except ProtocolError:
        return None, text
    transport = uri.params.get("transport", "udp").lower() if uri.params else "udp"
    if transport not in ("udp", "tcp"):
        return None, text
    return Path(_flow(room, transport), uri.host, uri.port or 5060, transport), text


ELSEWHERE = 'SIP;cause=200;text="Call completed elsewhere"'  # RFC 3326 §2: no missed call at the phones that lost
_NOBODY = {"trunk_full": ("busy", 486, NO_CIRCUIT), "too_many_hops": ("failed", 483, 25)}  # result, status, cause


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
            room.emit("dial.ended", call.tenant, call.name, target=target, result=phones, status=status, rang_ms=0)
        return
    for phone in phones:
        try:
            _ring_phone(room, call, attempt, phone, now_ms)
        except LimitExceeded as full:
            room.emit("engine.limit", "", call.name, name=full.name, value=full.value)
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
        room.emit("dial.started", call.tenant, call.name, target=leg.party, kind=leg.kind)


def _ring_phone(room: Room, call: Call, attempt: Attempt, phone: Target, now_ms: int) -> None:
    if phone.nail:
        _signal(room, call, attempt, phone, now_ms)
        return
    leg = room.new_leg(call, phone.kind, -1, phone.path, phone.party, outgoing=True)
    room.session_legs.pop(-1, None)
    leg.agent, leg.dtmf, leg.accept, leg.attempt = phone.agent, phone.dtmf, phone.accept, attempt.id
    leg.confirm_ms = phone.confirm_ms or attempt.confirm_ms
    leg.offer = attempt.offer if attempt.purpose == "offer" else -1
    caller_leg = room.legs.get(call.leg)
    prefer = caller_leg.agreed.codec if caller_leg is not None and caller_leg.agreed is not None else None
    try:
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
    caller = (attempt.display or call.caller_name, number or "anonymous", leg.local.host if leg.local else "")
    leg.session = room.endpoint.invite(
        phone.uri, phone.path, now_ms, caller=caller, sdp=sdp, headers=tuple(headers),
        secret=phone.secret, session_timer_s=phone.session_timer_s,
        ring_ms_max=attempt.ring_ms_max + 5_000,
    )  # fmt: skip
    room.session_legs[leg.session] = leg.id
    attempt.legs.append(leg.id)
    if phone.trunk:
        leg.trunk = phone.trunk
        room.trunk_calls[phone.trunk] = room.trunk_calls.get(phone.trunk, 0) + 1
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
    """A final failure of one leg; the attempt's Outcome when it was the last. A 3xx is never followed."""
    attempt = room.attempts.get(leg.attempt)
    if attempt is None:
        drop_leg(room, leg, now_ms)
        return None
    result = "forwarded" if 300 <= event.status < 400 else RESULT_OF_STATUS.get(event.status, "failed")
    if event.status in DO_NOT_DISTURB_STATUS and "disturb" in event.phrase.lower():
        result = "do_not_disturb"  # phones have no status of their own for it, only words
    if event.status >= 600 and leg.agent:  # 6xx: the person's word, on whichever of his phones (RFC 3261 §16.7)
        for number in [n for n in attempt.legs if n != leg.id and room.legs[n].agent == leg.agent]:
            attempt.legs.remove(number)
            _cancel_leg(room, attempt, number, now_ms, "")
    return _leg_failed(room, attempt, leg, result, event.status, now_ms)


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


def _leg_failed(room: Room, attempt: Attempt, leg: Leg, result: str, status: int, now_ms: int) -> Outcome | None:
    _tell_end(room, attempt, leg, result, status, now_ms)
    if leg.id in attempt.legs:
        attempt.legs.remove(leg.id)
    if leg.call == attempt.call:  # else it has gone home
        drop_leg(room, leg, now_ms)
    _worse(attempt, result, status)
    return None if attempt.legs else _ring_later(room, room.calls[attempt.call], attempt, now_ms)


def _tell_end(room: Room, attempt: Attempt, leg: Leg, result: str, status: int, now_ms: int) -> None:
    """For records: every dial.started has its dial.ended (offers are told by the distributor)."""
    call = room.calls.get(attempt.call)
    if attempt.purpose != "offer" and call is not None:
        room.emit(
            "dial.ended", call.tenant, call.name, target=leg.party, result=result, status=status,
            rang_ms=now_ms - leg.created_ms,
        )  # fmt: skip


def _worse(attempt: Attempt, result: str, status: int) -> None:
    """Of several failures the one that says most is told: a person's word before a machine's."""
    order = {word: place for place, word in enumerate(RANK)}
    if not attempt.result or order.get(result, 0) < order.get(attempt.result, 0):
        attempt.result, attempt.status = result, status


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
    room.endpoint.cancel(leg.session, now_ms, reason=reason)
    drop_leg(room, leg, now_ms)


def close(room: Room, attempt: Attempt, result: str, now_ms: int) -> Outcome:
    room.attempts.pop(attempt.id, None)
    room.deadlines.cancel(("ring", attempt.id))
    return Outcome(result, attempt.won, attempt.status, attempt.cause)
