"""Operators and boxes: what lies in them, and acts on one message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.call import boxes, places
from engine.call.operating import Unknown

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.call.effects import Operator
    from engine.call.messages import Message
    from engine.call.room import Room


def _box(room: Room, order: Operator) -> str:
    """A box by "tenant/name", or by a name that only one tenant has; also one that no site has any more."""
    wanted = order.arguments.get("box", "")
    site = boxes.site_now(room)
    models = site.boxes if site is not None else {}
    known: dict[str, None] = dict.fromkeys([*models, *(message.box for message in room.messages.values())])
    found = [box for box in known if wanted in (box, box.partition("/")[2])]
    if not found or not wanted:
        raise Unknown(f"no box {wanted!r}; `ringdown voicemail` lists them")
    if len(found) > 1:
        raise Unknown(f"several tenants have a box {wanted!r}: say {' or '.join(found)}")
    return found[0]


def _message(room: Room, order: Operator) -> Message:
    """By its place in the box (1 is the oldest), or by its file's name."""
    box, wanted = _box(room, order), order.arguments.get("message", "")
    found = boxes.of_box(room, box)
    if wanted.isascii() and wanted.isdigit() and 0 < int(wanted[:9]) <= len(found):
        return found[int(wanted[:9]) - 1]
    for message in found:
        if wanted and wanted in (message.name, message.name.rpartition("/")[2]):
            return message
    raise Unknown(f"no message {wanted!r} in {box}, which holds {len(found)}; nothing was changed")


def listed(room: Room, order: Operator, now_ms: int) -> list[dict[str, object]]:
    """Every box with what lies in it."""
    site = boxes.site_now(room)
    models = site.boxes if site is not None else {}
    rows = []
    for box in dict.fromkeys([*models, *(message.box for message in room.messages.values())]):
        found, model = boxes.of_box(room, box), models.get(box)
        new = [message for message in found if message.state == boxes.NEW]
        rows.append({
            "box": box, "new": len(new), "old": len(found) - len(new),
            "messages_max": model.messages_max if model is not None else 0,
            "queue": model.queue if model is not None else "", "agent": model.agent if model is not None else "",
            "hears": list(model.hearers) if model is not None else [], "mail": bool(model is not None and model.mail),
            "bytes": sum(message.duration_ms for message in found) * boxes.BYTES_PER_MS,
            "oldest_new_ms": new[0].left_ms if new else 0,
        })  # fmt: skip
    return rows


def messages(room: Room, order: Operator, now_ms: int) -> list[dict[str, object]]:
    """What lies in one box, the oldest first; `n` is what acts take."""
    return [
        {
            "n": n, "message": each.name, "box": each.box, "caller": each.caller, "name": each.caller_name,
            "dialled": each.dialled, "call": each.call, "left_ms": each.left_ms, "duration_ms": each.duration_ms,
            "state": each.state, "warned": each.warned,
        }
        for n, each in enumerate(boxes.of_box(room, _box(room, order)), 1)
    ]  # fmt: skip


def _heard(room: Room, order: Operator, now_ms: int) -> dict[str, str]:
    message = _message(room, order)
    boxes.mark(room, message, boxes.HEARD, f"operator {order.author}")
    return {"box": message.box, "message": message.name, "done": "heard", "undo": "none"}


def _saved(room: Room, order: Operator, now_ms: int) -> dict[str, str]:
    message = _message(room, order)
    boxes.mark(room, message, boxes.SAVED, f"operator {order.author}")
    return {"box": message.box, "message": message.name, "done": "saved", "undo": "none"}


def _delete(room: Room, order: Operator, now_ms: int) -> dict[str, str]:
    message = _message(room, order)
    boxes.delete(room, message, f"operator {order.author}")
    return {"box": message.box, "message": message.name, "done": "deleted, its file too", "undo": "none"}


def _sweep(room: Room, order: Operator, now_ms: int) -> dict[str, int]:
    return {"deleted": boxes.sweep(room, now_ms)}


def _gone(room: Room, order: Operator, now_ms: int) -> dict[str, int]:
    """Files of an erased caller that the eraser has removed: `messages`, one name a line."""
    return {"deleted": boxes.gone(room, order.arguments.get("messages", "").split("\n"))}


def _mailed(room: Room, order: Operator, now_ms: int) -> dict[str, str]:
    """The mail spool is done with a letter: sent, failed, or gone with its message."""
    told = {name: order.arguments.get(name, "") for name in ("box", "message", "result")}
    attempts = int(order.arguments.get("attempts", "0") or 0)
    room.emit("voicemail.mailed", told["box"].partition("/")[0], "", **told, attempts=attempts)
    return told


def let_go(room: Room, order: Operator, now_ms: int) -> dict[str, int]:
    """For `ringdown forget`: nothing in memory names him any more."""
    number, country = order.arguments.get("number", ""), order.arguments.get("country", "")
    return {**places.let_go(room, order, now_ms), "messages": boxes.let_go(room, number, country)}


VERBS: dict[str, Callable[[Room, Operator, int], object]] = {
    "boxes": listed, "messages": messages, "voicemail.heard": _heard, "voicemail.save": _saved,
    "voicemail.delete": _delete, "voicemail_sweep": _sweep, "voicemail_gone": _gone, "voicemail_mailed": _mailed,
}
