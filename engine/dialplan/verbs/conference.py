"""conference: a room in which all callers hear each other; the next step: he has left it by its key."""

from __future__ import annotations

from engine.dialplan.actions import Happening
from engine.dialplan.people_actions import EnterRoom, RoomEnded
from engine.dialplan.program import Step
from engine.dialplan.turn import Row, Turn


def begin(turn: Turn, step: Step) -> None:
    data = step.data
    turn.out.append(
        EnterRoom(
            turn.wait("room"), data["room"], data["max"], data.get("exit", ""), data.get("beep", False),
            data.get("muted", False), tuple(data.get("music") or ()),
        )
    )  # fmt: skip


def ended(turn: Turn, step: Step, happening: Happening) -> None:
    result = happening.result if isinstance(happening, RoomEnded) else "full"
    if result == "left":
        turn.run.steps_since_input = 0
        turn.go_on()
    else:
        turn.take(step, "full")


BEGIN = {"conference": begin}
ROWS: dict[tuple[str, type], Row] = {("conference", RoomEnded): ended}
