"""send_digits, show, metric: what the dialplan tells the far end, the agent and the operators.

send_digits: one digit (waiting = timer) --its length and a pause--> the next, until all are sent
"""

from __future__ import annotations

from typing import Any

from engine.dialplan.actions import Happening, Note, SendKey, Show, TimerFired
from engine.dialplan.evaluation import evaluate
from engine.dialplan.program import Step
from engine.dialplan.turn import Row, Turn
from engine.dialplan.verbs.lookup import written

ON_MS, GAP_MS = 100, 100
PAUSES = {"w": 500, "p": 2_000}  # between digits, as modems wrote them


def begin_send(turn: Turn, step: Step) -> None:
    run, wanted = turn.run, step.data["digits"]
    run.scratch["sending"] = wanted if isinstance(wanted, str) else str(run.variables.get(wanted[1], ""))
    send_next(turn, step)


def send_next(turn: Turn, step: Step) -> None:
    """The next digit or pause; out when none is left."""
    run, data = turn.run, step.data
    left = str(run.scratch.pop("sending", ""))
    if not left:
        turn.go_on()
        return
    sign, run.scratch["sending"] = left[0], left[1:]
    turn.wait("timer")
    if sign in PAUSES:
        turn.timer(PAUSES[sign])
        return
    on_ms = data.get("on", ON_MS)
    turn.out.append(SendKey(sign, on_ms))
    turn.timer(on_ms + data.get("gap", GAP_MS))


def sent(turn: Turn, step: Step, happening: Happening) -> None:
    send_next(turn, step)


def begin_show(turn: Turn, step: Step) -> None:
    turn.out.append(Show(shown(turn, step.data["values"])))


def shown(turn: Turn, rows: dict[str, list[Any]]) -> dict[str, str]:
    """The texts of a `show`, values filled in; what is empty isn't shown."""
    run = turn.run
    found: dict[str, str] = {}
    for label, parts in rows.items():
        words = ""
        for part in parts:
            if isinstance(part, str):
                words += part
                continue
            name = part[1]
            if part[0] != "variable":
                words += run.facts.get(name, "")
            elif name in run.variables:
                words += written(turn, name, run.variables[name])
        if words:
            found[label] = words
    return found


def begin_metric(turn: Turn, step: Step) -> None:
    by = step.data.get("by")
    value = 1 if by is None else evaluate(by, turn.run.variables, turn.run.facts)
    turn.out.append(Note("metric", f"{step.data['name']} {int(value) if isinstance(value, int) else 0}", step.id))


BEGIN = {"send_digits": begin_send, "show": begin_show, "metric": begin_metric}
ROWS: dict[tuple[str, type], Row] = {("send_digits", TimerFired): sent}
