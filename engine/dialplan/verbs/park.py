"""park: the caller waits in a slot until an agent picks him up by its code; the next step: that agent hung up first."""

from __future__ import annotations

from engine.dialplan.actions import Happening
from engine.dialplan.people_actions import ParkCaller, ParkEnded
from engine.dialplan.program import Step
from engine.dialplan.turn import Row, Turn

CAUSE = 16  # Q.850: normal clearing


def begin(turn: Turn, step: Step) -> None:
    data = step.data
    turn.out.append(
        ParkCaller(turn.wait("park"), data.get("slot", ""), data.get("for", 0), tuple(data.get("music") or ()))
    )


def ended(turn: Turn, step: Step, happening: Happening) -> None:
    result = happening.result if isinstance(happening, ParkEnded) else "timeout"
    turn.run.steps_since_input = 0
    if result == "served":
        turn.go_on()
    elif result == "transferred":
        turn.end("transferred", CAUSE)
    else:
        turn.take(step, result if result in step.outs else "timeout")


BEGIN = {"park": begin}
ROWS: dict[tuple[str, type], Row] = {("park", ParkEnded): ended}
