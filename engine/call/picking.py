"""An agent picks a waiting caller himself: out of the queue, past whoever is being rung for him.

To the distributor he is the one who answered: he is talking, and the queue's wrap-up follows, whether he is of that
queue or not. An agent who is logged out, or has a caller of a queue already, answers outside it: his state stays what
it is, and the record says `outside`. The caller counts as answered either way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.acd.events import CallPicked
from engine.call import bridge, budget, prelude, queue_facts, routing, staying, talking, wrapping
from engine.call.agents import release
from engine.call.call import Call, tread

if TYPE_CHECKING:
    from engine.call.agents import AgentRow
    from engine.call.leg import Leg
    from engine.call.room import Room

PICKED_UP, OUTSIDE = "picked_up", "outside"  # of queue.connected, beside "offered"


def longest(room: Room, agent: str) -> Call | None:
    """Of those who wait in this agent's queues, the one who has waited longest."""
    model = room.sites[room.site].agents.get(agent)
    queues = [queue for queue, _, _ in model.queues] if model is not None else []
    found = [call for call in room.calls.values() if waits(call) and call.queue in queues]
    return min(found, key=lambda call: (call.joined_ms, call.id), default=None)


def waits(call: Call) -> bool:
    """Can he be picked? Who is just being put through can't."""
    return call.waiting is not None and call.phase == "queue"


def take(room: Room, own: Call, call: Call, now_ms: int) -> None:
    """The agent's leg is up and the caller still waits: they talk, and the record says who served him."""
    key, row = own.agent, room.agents[own.agent]
    room.distribute(CallPicked(call.id, row.id))
    inside = room.acd.entry_state(call.id) == "connected"
    room.parting.append((call.id, "queue.connected", {
        "queue": call.queue, "agent": key, "waited_ms": now_ms - call.joined_ms, "rang_ms": 0,
        "way": PICKED_UP if inside else OUTSIDE,
    }))  # fmt: skip
    whisper, caller = call.waiting.whisper if call.waiting is not None else (), room.legs[call.leg]
    if whisper and caller.playing != "music":  # no announcement goes on while the agent is told who waits
        staying.music(room, call, caller, now_ms)
    staying.stopped_waiting(room, call, now_ms)
    call.served_by, call.talked_before_ms = key, call.talked_ms
    own.watches = 0
    leg = bridge.adopt(room, own, call, now_ms)
    _occupied(room, leg, row, call, inside=inside)
    routing.served(room, call, key, now_ms)
    budget.met(call, key)
    tread(call, f"{call.queue.split('/')[-1]} {call.queue_waited_ms / 1000:.0f} s")
    tread(call, leg.party)
    queue = queue_facts.model(room, call, call.queue)
    record = queue is not None and queue.record
    prelude.join(room, call, leg, now_ms, whisper=whisper, record=record, queue=call.queue)


def _occupied(room: Room, leg: Leg, row: AgentRow, call: Call, *, inside: bool) -> None:
    """The queue's conversation holds him, in place of the call by which he came; outside it is like any other call."""
    if not inside:
        if not leg.occupies:
            talking.mark_agent_call(room, leg, "internal")
        return
    if leg.occupies:
        leg.occupies = False
        release(room, row.key)
    if row.state == "wrap_up":  # his call before this one is over, with or without its code
        wrapping.ended(room, row)
    wrapping.begins(row, call.name, call.queue)
