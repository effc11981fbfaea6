"""An agent picks a waiting caller himself: out of the queue, past whoever is being rung for him."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.acd.events import CallLeft
from engine.call import bridge, prelude, staying
from engine.call.call import Call, tread

if TYPE_CHECKING:
    from engine.call.room import Room


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
    waited_ms = now_ms - call.joined_ms
    key = own.agent
    room.distribute(CallLeft(call.id, "moved"))
    room.parting.append((call.id, "queue.connected", {
        "queue": call.queue, "agent": key, "waited_ms": waited_ms, "rang_ms": 0,
    }))  # fmt: skip
    staying.stopped_waiting(room, call, now_ms)
    call.served_by, call.talked_before_ms = key, call.talked_ms
    own.watches = 0
    leg = bridge.adopt(room, own, call, now_ms)
    tread(call, f"{call.queue.split('/')[-1]} {waited_ms / 1000:.0f} s")
    tread(call, leg.party)
    queue = room.site_of(call).queues.get(call.queue)
    record = queue is not None and queue.record
    prelude.join(room, call, leg, now_ms, record=record, queue=call.queue)
