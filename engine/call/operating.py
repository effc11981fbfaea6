"""What an operator does to one call: find it by what he knows of it, hang it up, send the caller elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.call import (
    bridge,
    dial,
    emergency,
    ending,
    handover,
    hearing,
    parking,
    queue_facts,
    rooms,
    script,
    staying,
    transfer,
    urgent,
)
from engine.call import leg as legs
from engine.call.call import Call, tread
from engine.call.showing import display_name
from engine.errors import RingdownError

if TYPE_CHECKING:
    from engine.call.room import Room

CANDIDATES_MAX = 8
_CANNOT = {
    "arriving": "has only just arrived: try again", "whisper": "is being put through: try again",
    "supervising": "is a supervisor's own", "picking": "is that of an agent who picks a caller",
    "transfer": "is being transferred already", "code": "is an agent's feature code",
    "refused": "is being told that it can't be dialled",
    "nailed": "only keeps an agent's line up", "closing": "is over",
    "callback": "is a callback whose customer is being rung: cancel it by `ringdown callback`",
}  # fmt: skip


class Unknown(RingdownError):
    """The operator named somebody or something that isn't there, or can't be acted on: a clear answer, no effect."""


# --- which call? ------------------------------------------------------------------------------------------------
def find(room: Room, wanted: str) -> Call:
    """The living call of that id, of that caller, of that agent ("201", "tenant/201"), or the `last` one to begin.

    Raises Unknown when there is none, or several: then with the candidates.
    """
    living = [call for call in room.calls.values() if call.phase != "closing"]
    if wanted == "last" and living:
        return max(living, key=lambda call: call.id)
    for call in living:
        if call.name == wanted:
            return call
    found = [call for call in living if wanted and (call.caller == wanted or _of_agent(room, call, wanted))]
    if len(found) == 1:
        return found[0]
    if found:
        names = "; ".join(_line(room, call) for call in found[:CANDIDATES_MAX])
        more = f"; and {len(found) - CANDIDATES_MAX} more" if len(found) > CANDIDATES_MAX else ""
        raise Unknown(f"{wanted!r} has {len(found)} calls, name one by its id: {names}{more}")
    if wanted == "last":
        raise Unknown("no call is up")
    raise Unknown(f"no call {wanted!r} is up; `ringdown calls --live` lists them")


def _of_agent(room: Room, call: Call, wanted: str) -> bool:
    keys = [call.served_by, call.agent, *(room.legs[number].agent for number in call.legs)]
    return any(key and (key == wanted or key.split("/", 1)[1] == wanted) for key in keys)


def _line(room: Room, call: Call) -> str:
    seconds = (room.now_ms - call.started_ms) // 1000
    return f"{call.name} ({call.caller or 'anonymous'} → {call.dialled}, {call.phase}, {seconds} s)"


def parties(room: Room, call: Call) -> list[str]:
    """With whom the caller talks, for people."""
    return [room.legs[number].party for number in (call.other, *call.guests) if number in room.legs]


# --- acts -----------------------------------------------------------------------------------------------------------
def hang_up(room: Room, wanted: str, author: str, now_ms: int) -> dict[str, str]:
    """End a call on every side."""
    call = find(room, wanted)
    ending.hang_up(room, call, f"operator {author}", call.outcome or "failed", 16, now_ms)
    return {"call": call.name, "done": "hung up", "undo": "none: the caller has to ring again"}


def send(room: Room, wanted: str, to: str, author: str, now_ms: int) -> dict[str, str]:
    """Transfer: in a conversation the one who is no agent goes on to `to`, elsewhere the caller does.

    `to`: a number of the site, an agent, or a number that the tenant's outbound rules let through.
    Raises Unknown when the call or the target isn't there, or the call can't be moved at this moment.
    """
    call = find(room, wanted)
    target = resolve(room, call, to)
    if call.phase in _CANNOT:
        raise Unknown(f"call {call.name} {_CANNOT[call.phase]}; nothing was changed")
    if room.legs[call.leg].state != "up":
        raise Unknown(f"call {call.name} isn't answered yet: only answered calls can be transferred")
    place = _place(room, call)
    if call.phase == "talking" and call.other in room.legs:
        caller, other = room.legs[call.leg], room.legs[call.other]
        leaves = caller if caller.agent and not other.agent else other
        leaver = leaves.agent.partition("/")[2]
        if transfer.blind(room, call, leaves, to, now_ms, by_key=True, operator=author):
            raise Unknown(f"call {call.name} can't be transferred to {to!r} now; nothing was changed")
        undo = f"ringdown call {call.name} transfer {leaver}" if leaver else "none: the other side was let go"
    else:
        take_out(room, call, now_ms)
        _onward(room, call, target, to, author, now_ms)
        undo = "none: " + ("his place in the queue is given up" if place else "the dialplan has let him go")
    return {"call": call.name, "done": f"transferred to {to}" + (f" (was {place})" if place else ""), "undo": undo}


def resolve(room: Room, call: Call, to: str) -> str:
    """ "number" (of the site) | "agent" | "outside". Raises Unknown for what nobody answers to."""
    index = room.index(call.site)
    if index.number(to, call.tenant) is not None:
        return "number"
    if index.agent(call.tenant, to) is not None:
        return "agent"
    if index.outbound(call.tenant, "*", to) is not None or urgent.meant(index, to):
        return "outside"
    raise Unknown(f"nobody answers to {to!r}: no number, agent or outbound rule of tenant {call.tenant}")


def _place(room: Room, call: Call) -> str:
    if call.waiting is None:
        return ""
    return f"number {max(1, room.acd.position(call.id))} in {call.queue}"


def take_out(room: Room, call: Call, now_ms: int) -> None:
    """Out of the queue, out of the ringing, out of the menu: the caller hears silence until it goes on."""
    if call.waiting is not None:
        staying.leave(room, call, "moved", now_ms)
    parking.out(room, call, "moved")
    rooms.leave(room, call)
    handover.dropped(room, call)
    attempt = room.attempts.get(call.attempt)
    if attempt is not None:
        dial.cancel(room, attempt, now_ms)
        call.attempt = 0
    for kind in ("script", "tone"):
        room.deadlines.cancel((kind, call.id))
    hearing.stop(room, call)
    call.collecting = call.sensitive = call.barge_in = call.stays = False
    legs.quiet(room, room.legs[call.leg])


def _onward(room: Room, call: Call, target: str, to: str, author: str, now_ms: int) -> None:
    by = f"operator {author}"
    tread(call, f"transfer to {to}")
    room.emit("call.transferred", call.tenant, call.name, by=by, to=to, way="operator", result="started")
    call.transfer_by, call.transfer_leg, call.transfer_to, call.refer_leg = "", 0, to, 0
    call.transferred_ms = now_ms
    # Should the target not answer, a dialplan that waited for a queue or a dial goes on by its way for that.
    if call.running is not None and (target == "number" or call.running.waiting not in ("queue", "dial")):
        call.running.waiting = "ended"
    number = room.index(call.site).number(to, call.tenant)
    if target == "number" and number is not None:
        call.queue = ""
        room.emit("call.transferred", call.tenant, call.name, by=by, to=to, way="operator", result="done")
        if not script.begin(room, call, *script.way(room, call, number, now_ms), now_ms):
            ending.hang_up(room, call, "system", "failed", 41, now_ms)
        return
    call.phase = "transfer"
    bridge.hold_music(room, call, room.legs[call.leg])
    queue = queue_facts.model(room, call, call.queue)
    whom = f"agent/{call.tenant}/{to}" if target == "agent" else f"number/{to}"
    emergency.make_way(room, call, whom)
    attempt, outcome = dial.start(
        room, call, "transfer", (whom,), now_ms,
        ring_ms_max=transfer.RING_MS_MAX, team="*", display=display_name(call, queue) if queue else "",
    )  # fmt: skip
    call.attempt = attempt.id
    if outcome is not None:
        transfer.attempt_over(room, attempt, outcome, now_ms)
