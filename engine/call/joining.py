"""Attended transfer: a phone holds one call, consults in a second, and asks by REFER with Replaces to join the two.

Both dialogs end here, so nobody is called: the far ends of his two legs are joined, and he is out (RFC 5589 §7).

| his second leg | what follows |
|---|---|
| talks to somebody | the two talk; NOTIFY 200; his second leg gets BYE at once, his first by his phone, or by us |
| rings, or is in a dialplan or queue | that ends, and the first call goes on to the Refer-To as in a blind transfer |
| none of his, or none at all | NOTIFY 481 or 403; nothing has changed |
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.call import bridge, budget, conference, ending, recording, supervision, transfer, waiting
from engine.call.call import Call, end_leg, tread
from engine.call.leg import AGENT, CALLER, OUTSIDE
from engine.errors import ProtocolError
from engine.sip.replaces import read

if TYPE_CHECKING:
    from engine.call.leg import Leg
    from engine.call.room import Room

_GONE = (481, "No Such Dialog")
_FORBIDDEN = (403, "Not Your Call")


def referred(room: Room, leg: Leg, refer: int, replaces: str, user: str, now_ms: int) -> None:
    """REFER with Replaces in `leg`; 202 has been said, the NOTIFYs tell him how it goes."""
    found = _consulted(room, leg, replaces)
    if isinstance(found, tuple):
        room.endpoint.notify_refer(refer, *found, now_ms)
        return
    call, second = room.calls.get(leg.call), room.calls[found.call]
    if call is None or call is second or call.phase != "talking" or call.guests or leg.partner not in room.legs:
        room.endpoint.notify_refer(refer, 481, "No Conversation To Transfer", now_ms)
        return
    other = room.legs.get(found.partner)
    if second.phase != "talking" or second.guests or other is None:
        _give_up(room, second, found, now_ms)
        transfer.referred(room, leg, refer, user, now_ms)
        return
    budget.met(call, leg.agent)
    if budget.spent(room, call, other.agent):
        _told(room, call, leg, user, "over_budget")
        room.endpoint.notify_refer(refer, *transfer.REFUSALS["over_budget"], now_ms)
        return
    call.transfer_by, call.transfer_leg, call.transfer_to = leg.agent, leg.id, other.agent or user
    call.refer, call.refer_leg, call.transferred_ms = refer, leg.id, now_ms
    _join(room, call, leg, second, found, other, user, now_ms)


def _consulted(room: Room, leg: Leg, replaces: str) -> Leg | tuple[int, str]:
    """His other leg, by its dialog; else the status and words of a refusal."""
    try:
        found = room.endpoint.dialog(read(replaces))
    except ProtocolError:
        return 400, "Bad Replaces"
    second = room.legs.get(room.session_legs.get(found.session, 0)) if found is not None else None
    if second is None or second.call not in room.calls:
        return _GONE
    his = bool(leg.agent) and second.agent == leg.agent
    theirs = bool(leg.trunk) and second.trunk == leg.trunk  # a gateway, or another exchange, joins two of its own
    return second if his or theirs else _FORBIDDEN


def _join(
    room: Room, call: Call, leg: Leg, second: Call, found: Leg, other: Leg, user: str, now_ms: int
) -> None:  # fmt: skip
    """The caller of `call` goes on; who was consulted comes over from `second`, which ends."""
    recording.stop(room, second, now_ms)
    for each, his in ((call, leg), (second, found)):
        conference.withdraw(room, each, now_ms)
        supervision.over(room, each, "transfer", now_ms)
        _unhold(his, now_ms)
        if his.id == each.leg:
            bridge.swap(room, each, his)
        bridge.part(room, each, his, quiet=False)
    stays = room.legs[call.leg]
    if other.kind == CALLER:
        other.kind = AGENT if other.agent else OUTSIDE
    tread(call, f"transfer to {user}")
    tread(second, f"joined with {call.name}")
    _told(room, call, leg, user, "done")
    waiting.completed(room, second, "transfer", now_ms)
    second.legs.remove(other.id)
    second.leg, second.outcome = 0, "transferred"
    other.call = call.id
    call.legs.append(other.id)
    room.endpoint.notify_refer(call.refer, 200, "OK", now_ms)
    call.refer = 0
    end_leg(room, found, now_ms)
    transfer.release_transferor(room, call, now_ms)
    ending.hang_up(room, second, "agent", "transferred", 16, now_ms)
    call.transfers += 1
    budget.met(call, other.agent)
    tread(call, other.party)
    bridge.join(room, call, stays, other, now_ms)


def _unhold(leg: Leg, now_ms: int) -> None:
    """He held both while he asked for this: his hold ends with his part."""
    if leg.remote_hold:
        leg.held_ms += now_ms - leg.hold_from_ms
        leg.remote_hold = leg.key_hold = False


def _give_up(room: Room, second: Call, leg: Leg, now_ms: int) -> None:
    """Nobody talks to him there: what rings or waits on that side ends."""
    if leg.id == second.leg:
        ending.hang_up(room, second, "agent", "transferred", 16, now_ms)
    else:
        end_leg(room, leg, now_ms)


def _told(room: Room, call: Call, leg: Leg, to: str, result: str) -> None:
    room.emit("call.transferred", call.tenant, call.name, by=leg.party, to=to, way="attended", result=result)
