"""Operators and callbacks: the list of those that are open, `cancel` and `now`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.acd.events import CallLeft
from engine.call import callback, callbacks, ending
from engine.call.operating import Unknown
from engine.records.kpi_callbacks import Callbacks, kept_promise

if TYPE_CHECKING:
    from engine.call.callbacks import Callback
    from engine.call.effects import Operator
    from engine.call.room import Room


def listed(room: Room, order: Operator, now_ms: int) -> dict[str, object]:
    """`callbacks`: every open one in the order of its queue; `queues`: counts since the start."""
    rows = sorted(room.callbacks.values(), key=lambda back: (back.queue, room.acd.position(back.id) or 0, back.id))
    queues = [_counts(name, counts) for name, counts in sorted(room.callback_counts.items())]
    return {"callbacks": [_row(room, back, now_ms) for back in rows], "queues": queues}


def _row(room: Room, back: Callback, now_ms: int) -> dict[str, object]:
    rules = callbacks.model(room, back)
    return {
        "callback": back.name, "tenant": back.tenant, "queue": back.queue, "number": back.number, "mode": back.mode,
        "state": callbacks.shown(back, now_ms), "seconds": (now_ms - back.since_ms) // 1000,
        "position": room.acd.position(back.id),
        "waited_s": (now_ms - back.joined_ms) // 1000, "attempts": back.attempts,
        "attempts_max": rules.attempts if rules is not None else 0,
        "next_s": max(0, back.due_ms - now_ms) // 1000 if back.state == "paused" else 0,
        "promise_s": (back.promise_ms - now_ms) // 1000, "expires_s": (back.until_ms - now_ms) // 1000,
        "agent": back.agent, "call": back.origin,
    }  # fmt: skip


def _counts(name: str, counts: Callbacks) -> dict[str, object]:
    return {
        "queue": name, "requested": counts.requested, "dialled": counts.dialled, "answered": counts.answered,
        "failed_attempts": counts.failed_attempts, "served": counts.served, "kept": counts.kept,
        "expired": counts.expired, "cancelled": counts.cancelled, "kept_promise": kept_promise(counts),
    }  # fmt: skip


def _find(room: Room, order: Operator) -> Callback:
    """By its id, or by the number that will be called."""
    wanted = order.arguments.get("callback", "")
    found = [back for back in room.callbacks.values() if wanted and wanted in (back.name, back.number)]
    if not found:
        raise Unknown(f"no callback {wanted!r} is open; `ringdown callbacks` lists them")
    if len(found) > 1:
        raise Unknown(f"{wanted!r} has several callbacks, name one by its id: {', '.join(b.name for b in found)}")
    return found[0]


def cancel(room: Room, order: Operator, now_ms: int) -> dict[str, str]:
    """Close it; a call to the customer that is under way ends."""
    back = _find(room, order)
    call = room.calls.get(back.id)
    if call is not None and back.state == "offered":
        callback.started(room, back, call)  # its end is recorded, so must its beginning be
    room.distribute(CallLeft(back.id, "closed"))
    callbacks.over(room, back, "callback.cancelled", now_ms, by=f"operator {order.author}", left=back.state != "line")
    if call is not None and call.phase != "closing":
        ending.hang_up(room, call, f"operator {order.author}", "failed", 16, now_ms)
    return {"callback": back.name, "done": "cancelled", "undo": "none: the customer has to ask again"}


def now(room: Room, order: Operator, now_ms: int) -> dict[str, str]:
    """The pause between two attempts is over: he is rung as soon as his place has its turn."""
    back = _find(room, order)
    if back.id in room.calls:
        raise Unknown(f"callback {back.name} is being carried out; nothing was changed")
    callbacks.pause(room, back, now_ms, 0)
    place = room.acd.position(back.id)
    done = f"rung as soon as his turn comes (place {place})"
    if back.due_ms > now_ms:
        done += f", but not before the queue's window begins in {(back.due_ms - now_ms) // 60_000} min"
    return {"callback": back.name, "done": done,
            "undo": f"none: `ringdown callback {back.name} cancel` closes it"}  # fmt: skip
