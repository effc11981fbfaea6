"""INVITE with Replaces (RFC 3891 §3): an agent's phone takes the place of a dialog of ours.

| the dialog | who may | what follows |
|---|---|---|
| rings (we placed it) | an agent of the call's tenant | his phone has it, the others stop ringing |
| stands | its own agent | the conversation moves to this phone, the old one gets BYE |
| stands, and `early-only` was said | | 486 |
| is a call that rings us, or unknown | | 481 |
| has just ended | | 603 |
| is somebody else's | | 403 |
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.call import bridge, dial, outcomes, picking, recording, talking, watching
from engine.call.call import Call, end_leg, tread
from engine.call.leg import AGENT, PHONE

if TYPE_CHECKING:
    from engine.call.leg import Leg
    from engine.call.room import Room
    from engine.dialplan.model import AgentModel
    from engine.sip.events import Replaces

PICKED_UP = ("offer", "dial", "direct", "transfer", "return", "handover", "park")  # ringing for these


def look(room: Room, what: Replaces, agent: AgentModel) -> Leg | int:
    """The leg whose place he may take, else the status that says why not."""
    found = room.endpoint.dialog(what)
    if found is None or found.state == "theirs":
        return 481
    if found.state == "over":
        return 603
    if found.state == "up" and what.early_only:
        return 486
    leg = room.legs.get(room.session_legs.get(found.session, 0))
    call = room.calls.get(leg.call) if leg is not None else None
    if leg is None or call is None:
        return 481
    if leg.attempt in room.attempts and leg.state in ("calling", "ringing"):
        if not _ringing(room, call, leg):
            return 481
        return leg if rings(room, leg, agent) else 403
    if leg.agent != f"{agent.tenant}/{agent.number}":
        return 403
    standing = call.phase == "talking" and leg.partner in room.legs and leg.id not in call.guests
    return leg if standing and not leg.nail else 481


def _ringing(room: Room, call: Call, leg: Leg) -> bool:
    """Does it ring for something that somebody else can take?"""
    attempt = room.attempts.get(leg.attempt)
    if attempt is None or attempt.purpose not in PICKED_UP or leg.state not in ("calling", "ringing"):
        return False
    return attempt.purpose != "offer" or picking.waits(call)


def rings(room: Room, leg: Leg, agent: AgentModel) -> bool:
    """Does this leg ring, and is the call this agent's to take? A phone of nobody is everybody's of the tenant."""
    call = room.calls.get(leg.call)
    if call is None or not _ringing(room, call, leg):
        return False
    inside = call.tenant == agent.tenant and leg.kind in (AGENT, PHONE)
    key = f"{agent.tenant}/{agent.number}"
    return inside and (not leg.agent or watching.may(room.sites[room.site], key, leg.agent))


def take(room: Room, own: Call, leg: Leg, now_ms: int) -> None:
    """His own call is answered, and his leg goes where `leg` was."""
    call = room.calls[leg.call]
    attempt = room.attempts.get(leg.attempt)
    if not talking.answer_caller(room, own, now_ms, prefer=leg.agreed.codec if leg.agreed is not None else None):
        return
    mine = room.legs[own.leg]
    if attempt is None or leg.state == "up":
        _move(room, own, call, leg, now_ms)
        return
    if attempt.purpose == "offer":
        picking.take(room, own, call, now_ms)
        return
    talking.mark_agent_call(room, mine, "internal")
    bridge.adopt(room, own, call, now_ms)
    room.emit("dial.started", call.tenant, call.name, target=mine.party, kind=AGENT, trunk="")
    mine.attempt = attempt.id
    attempt.legs.append(mine.id)
    outcomes.over(room, attempt, dial.taken(room, attempt, mine, now_ms), now_ms)


def _move(room: Room, own: Call, call: Call, old: Leg, now_ms: int) -> None:
    """A conversation goes from one phone of its agent to another."""
    new = bridge.adopt(room, own, call, now_ms)
    new.kind, new.occupies, old.occupies = old.kind, old.occupies, False
    stays = room.legs[old.partner]
    leads = old.id == call.leg
    bridge.part(room, call, old, quiet=False)
    if leads:
        call.leg = new.id
        call.legs.sort(key=lambda number: number != new.id)
        recording.follow(room, call, old)
    tread(call, f"{new.party} by another phone")
    room.emit("call.transferred", call.tenant, call.name, by=old.party, to=new.party, way="replaces", result="done")
    end_leg(room, old, now_ms)
    bridge.join(room, call, *((new, stays) if leads else (stays, new)), now_ms)
