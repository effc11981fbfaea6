"""Conference: a third party beside caller and agent, everyone hears everyone, and who leaves disturbs nobody.

The two talk on while the third is rung. When one of three leaves, the two who are left are a plain bridge again; only
the caller's own hanging up ends the call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.call import bridge, dial, emergency, mixing, urgent, waiting
from engine.call.call import Call, drop_leg, tread

if TYPE_CHECKING:
    from engine.call.dial import Attempt, Outcome
    from engine.call.leg import Leg
    from engine.call.room import Room

RING_MS_MAX = 30_000


def invite(room: Room, call: Call, leg: Leg, user: str, now_ms: int, *, operator: str = "") -> str:
    """Ring `user` (an agent, or an outside number that the team of `leg` may dial) for this conversation.

    Returns '' when it rings, else why it doesn't: a word for people. An `operator` may use every way out.
    """
    tenant = leg.agent.split("/")[0] if leg.agent else call.tenant
    index = room.index(call.site)
    model = index.site.agents.get(leg.agent)
    team = "*" if operator else model.team if model is not None else ""
    agent = index.agent(tenant, user)
    outside = index.outbound(tenant, team, user) if team or model is not None else None
    why = _refusal(room, call, f"{tenant}/{user}" if agent is not None else "")
    if not why and agent is None and outside is None and not urgent.meant(index, user):
        why = f"nobody answers to {user!r}: no agent, and no outbound rule of tenant {tenant} lets it through"
    by = f"operator {operator}" if operator else leg.party
    if why and operator:
        return why
    if why:
        room.emit("call.conference", call.tenant, call.name, by=by, who=user, result="refused")
        return why
    tread(call, f"conference with {user}")
    target = f"agent/{tenant}/{user}" if agent is not None else f"number/{user}"
    emergency.make_way(room, call, target)
    attempt, outcome = dial.start(
        room, call, "conference", (target,), now_ms, ring_ms_max=RING_MS_MAX, team=team,
        display=call.caller_name or call.caller,
    )  # fmt: skip
    call.attempt = attempt.id
    room.emit("call.conference", call.tenant, call.name, by=by, who=user, result="ringing")
    if outcome is not None:
        attempt_over(room, attempt, outcome, now_ms)
        return f"{user} can't be rung now: {outcome.result.replace('_', ' ')}"
    return ""


def _refusal(room: Room, call: Call, agent: str) -> str:
    if call.phase != "talking" or call.other not in room.legs:
        return f"call {call.name} is no conversation: nobody can be added to it"
    if call.attempt in room.attempts:
        return f"call {call.name} rings somebody already: one at a time"
    if agent and any(room.legs[number].agent == agent for number in call.legs):
        return f"agent {agent} is on the call already"
    if mixing.seats_free(call) < 1:
        return f"call {call.name} is full"
    if call.mix < 0 and mixing.free_number(room) < 0:
        return "too many conferences and supervisors at once"
    return ""


def attempt_over(room: Room, attempt: Attempt, outcome: Outcome, now_ms: int) -> None:
    """The third answered: all hear each other. Or he didn't: the two have talked on."""
    call = room.calls.get(attempt.call)
    if call is None:
        return
    call.attempt = 0
    if outcome.result != "answered":
        room.emit("call.conference", call.tenant, call.name, by="", who="", result=outcome.result)
        return
    leg = room.legs[outcome.leg]
    call.guests.append(leg.id)
    tread(call, leg.party)
    room.emit("call.conference", call.tenant, call.name, by="", who=leg.party, result="joined")
    _refresh(room, call)


def left(room: Room, call: Call, leg: Leg, now_ms: int) -> None:
    """A guest's session is over."""
    call.guests.remove(leg.id)
    room.emit("call.conference", call.tenant, call.name, by="", who=leg.party, result="left")
    drop_leg(room, leg, now_ms)
    _refresh(room, call)


def promote(room: Room, call: Call, leg: Leg, now_ms: int) -> bool:
    """The caller's partner `leg` leaves a conference: the first guest takes his place. False when there is none."""
    if not call.guests:
        return False
    guest = room.legs[call.guests.pop(0)]
    room.emit("call.conference", call.tenant, call.name, by="", who=leg.party, result="left")
    bridge.part(room, call, leg, quiet=False)
    drop_leg(room, leg, now_ms)
    waiting.completed(room, call, "agent", now_ms)
    bridge.join(room, call, room.legs[call.leg], guest, now_ms)
    return True


def withdraw(room: Room, call: Call, now_ms: int) -> None:
    """Nobody waits any more for the third who is being rung."""
    attempt = room.attempts.get(call.attempt)
    if attempt is not None and attempt.purpose == "conference":
        dial.cancel(room, attempt, now_ms)
        call.attempt = 0


def _refresh(room: Room, call: Call) -> None:
    bridge.rejoin(room, call, room.legs[call.leg])
