"""The verb `transfer`: the caller goes on to somebody for good.

| the caller's trunk | what we do | what ends it |
|---|---|---|
| `refer: yes` | REFER (RFC 3515): his carrier calls the target itself | NOTIFY 2xx: our BYE; a refusal: as below |
| and `replaces: yes` | ring the target; when it is on that trunk too, REFER with Replaces: joined there | both BYE |
| any | ring the target, as `dial` does | the conversation's end ends the call; nobody there: the step's outcome |
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.call import dial, emergency, ending, talking
from engine.call.call import Call, tread
from engine.sip.uri import escape_user

if TYPE_CHECKING:
    from engine.call.dial import Attempt, Outcome
    from engine.call.leg import Leg
    from engine.call.room import Room
    from engine.dialplan.people_actions import HandOver
    from engine.sip.events import ReferProgress

REFER_MS_MAX = 40_000


def begin(room: Room, call: Call, wish: HandOver, now_ms: int) -> None:
    """Hand the caller over; the dialplan hears DialEnded unless we leave the call."""
    to = ", ".join(target.partition("/")[2] or target for target in wish.targets)
    call.handing, call.handing_to, call.transferred_ms = wish, to, now_ms
    tread(call, f"transfer to {to}")
    _told(room, call, "refer" if wish.refer else "dialplan", "started")
    uri = _refer_uri(room, call, wish)
    trunk = room.site_of(call).trunks.get(call.trunk)
    if not uri or (trunk is not None and trunk.replaces):
        _dial(room, call, now_ms)
        return
    call.phase, call.dial_ticket = "dial", wish.ticket
    room.deadlines.arm(("tone", call.id), now_ms + REFER_MS_MAX)  # the last net: then nothing is left to wait for
    call.cause, call.refer_uri = 102, uri  # Q.850: recovery on timer expiry
    acked(room, room.legs[call.leg], now_ms)


def acked(room: Room, leg: Leg, now_ms: int) -> None:
    """The caller's session is confirmed, perhaps only now: REFER may be sent."""
    call = room.calls.get(leg.call)
    if call is not None and call.refer_uri and leg.id == call.leg and room.endpoint.confirmed(leg.session):
        uri, call.refer_uri = call.refer_uri, ""
        room.endpoint.refer(leg.session, uri, now_ms)


def _refer_uri(room: Room, call: Call, wish: HandOver) -> str:
    """Where the caller's trunk shall send him; '' when it can't, or when the target is one of our own phones."""
    leg = room.legs.get(call.leg)
    trunk = room.site_of(call).trunks.get(call.trunk)
    if not wish.refer or trunk is None or not trunk.refer or leg is None or leg.state != "up":
        return ""
    kind, _, number = wish.targets[0].partition("/")
    if len(wish.targets) != 1:
        return ""
    if emergency.meant(room, wish.targets):
        return ""  # we say where he is, and try one trunk after the other
    if kind == "number" and room.index(call.site).agent(call.tenant, number) is None:
        found = room.index(call.site).outbound(call.tenant, "*", number)
        known = found is not None and trunk.host  # a box that registers has no address of its own to be sent to
        return f"sip:{escape_user(found[1])}@{trunk.host}:{trunk.port}" if found is not None and known else ""
    return wish.targets[0] if wish.targets[0].startswith("sip:") else ""


def _dial(room: Room, call: Call, now_ms: int) -> None:
    wish = call.handing
    assert wish is not None
    call.phase, call.dial_ticket = "dial", wish.ticket
    number, call.emergency = emergency.meant(room, wish.targets), ""
    if number:
        attempt, outcome = emergency.begin(room, call, number, "handover")
    else:
        attempt, outcome = dial.start(
            room, call, "handover", wish.targets, now_ms, ring_ms_max=wish.ring_ms_max, caller_id=wish.caller_id,
            team="*",
        )  # fmt: skip
        attempt.forward_early = not wish.music
    call.attempt = attempt.id
    if outcome is not None:
        if number:
            emergency.over(room, call, outcome.result)
        attempt_over(room, attempt, outcome, now_ms)
    else:
        talking.ringback(room, call, wish.music)


def attempt_over(room: Room, attempt: Attempt, outcome: Outcome, now_ms: int) -> None:
    """The ringing has ended; what follows is as after every dial."""
    call = room.calls.get(attempt.call)
    asked = call is not None and call.handing is not None and call.handing.refer
    if call is not None and call.handing is not None:
        call.handing = None
        call.transfers += outcome.result == "answered"
        _told(room, call, "dialplan", "done" if outcome.result == "answered" else outcome.result)
    talking.attempt_over(room, attempt, outcome, now_ms)
    if call is not None and asked and outcome.result == "answered":
        _leave(room, call, room.legs.get(outcome.leg), now_ms)


def _leave(room: Room, call: Call, other: Leg | None, now_ms: int) -> None:
    """Both sides run through a trunk that can join them: it is asked to, and we are out of the way."""
    caller, trunk = room.legs.get(call.leg), room.site_of(call).trunks.get(call.trunk)
    if other is None or caller is None or trunk is None or not (trunk.refer and trunk.replaces):
        return
    if other.trunk == trunk.name and room.endpoint.confirmed(caller.session) and room.endpoint.confirmed(other.session):
        call.joins = other.id
        target = room.endpoint.far_target(other.session)
        room.endpoint.refer(caller.session, target, now_ms, replaces_session=other.session)


def joined(room: Room, call: Call, now_ms: int) -> None:
    """They talk without us: by the NOTIFY, or by the BYE for the leg whose place was taken."""
    call.joins = 0
    _told(room, call, "refer", "done")
    ending.hang_up(room, call, "dialplan", "transferred", 16, now_ms)


def dropped(room: Room, call: Call) -> None:
    """The caller is taken out of it, by an operator or as a fax: nothing that comes of it later may lead him."""
    if call.handing is None:
        return
    way = "dialplan" if call.attempt in room.attempts else "refer"
    call.handing, call.refer_uri, call.cause = None, "", 16
    _told(room, call, way, "canceled")


def progressed(room: Room, call: Call, leg: Leg, event: ReferProgress, now_ms: int) -> None:
    """What became of our REFER."""
    if call.joins and leg.id == call.leg and event.final:
        if 200 <= event.status < 300:
            joined(room, call, now_ms)
        else:
            call.joins = 0
            room.log("info", f"{call.name}: the trunk joins nobody ({event.status}); they talk through us", "refer")
        return
    done = event.final and leg.id == call.leg and 200 <= event.status < 300
    if call.handing is None and done:  # he was taken out of it meanwhile, and his carrier has moved him all the same
        ending.hang_up(room, call, "dialplan", "transferred", 16, now_ms)
        return
    if call.handing is None or leg.id != call.leg or not event.final or call.attempt in room.attempts:
        return
    room.deadlines.cancel(("tone", call.id))
    if done:
        _told(room, call, "refer", "done")
        call.transfers += 1
        call.handing = None
        ending.hang_up(room, call, "dialplan", "transferred", 16, now_ms)
        return
    room.log("info", f"{call.name}: the trunk refused to transfer ({event.status}); we ring {call.handing_to}", "refer")
    call.cause = 16
    _dial(room, call, now_ms)


def _told(room: Room, call: Call, way: str, result: str) -> None:
    room.emit("call.transferred", call.tenant, call.name, by="dialplan", to=call.handing_to, way=way, result=result)
