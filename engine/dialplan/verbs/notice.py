"""notice: silent while it is off; else its own prompt, or the words that were given when it was switched on."""

from __future__ import annotations

from engine.dialplan.actions import Note, PlayDone, PlayPrompts, TimerFired
from engine.dialplan.program import Step
from engine.dialplan.turn import PLAY_GRACE_MS, Row, Turn
from engine.dialplan.verbs.talk import play_done, time_over


def begin_notice(turn: Turn, step: Step) -> None:
    """The fact `notice:tenant/name` is "on", or "on 5200": with a recording of its own of so many ms."""
    name = step.data["name"]
    said = turn.run.facts.get(f"notice:{name}", "")
    if not said:
        return
    turn.out.append(Note("notice", name, step.id))
    length = said.partition(" ")[2]
    if length:
        ticket = turn.wait("play")
        turn.out.append(PlayPrompts(ticket, (f"notice/{name}",), False))
        turn.timer(int(length) + PLAY_GRACE_MS)
        return
    turn.speak(turn.spoken(step.data.get("prompt")))


BEGIN = {"notice": begin_notice}
ROWS: dict[tuple[str, type], Row] = {("notice", PlayDone): play_done, ("notice", TimerFired): time_over}
