"""What operators ask of the limits against toll fraud, and how they let somebody dial again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.call import fraud
from engine.call.operating import Unknown

if TYPE_CHECKING:
    from engine.call.effects import Operator
    from engine.call.room import Room


def listed(room: Room, order: Operator, now_ms: int) -> list[dict[str, object]]:
    """Whose calls to the outside are counted, by rule."""
    return fraud.rows(room)


def reset(room: Room, order: Operator, now_ms: int) -> dict[str, str]:
    """What is counted of `caller` (or `all`) is forgotten. Raises Unknown when nothing is."""
    caller = order.arguments.get("caller", "")
    done = fraud.reset(room, caller)
    if not done:
        raise Unknown(f"nothing is counted of {caller!r}; `ringdown fraud` lists whose calls are")
    return {"caller": caller, "done": f"forgot what {done} rules had counted", "undo": "none"}


VERBS: dict[str, Callable[[Room, Operator, int], object]] = {"fraud": listed, "fraud.reset": reset}
