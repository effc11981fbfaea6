"""record: a message, or the call beside everything else; and what callers are told before they are recorded.

telling (waiting = consent) --told, none--> what the step is for; --declined--> the same, but nothing is recorded.
"""

from __future__ import annotations

from collections.abc import Callable

from engine.dialplan.actions import Happening, Note, RecordDone, StartRecord, StopRecord, TimerFired
from engine.dialplan.people_actions import PauseRecord, RecordingTold, TellRecording
from engine.dialplan.program import Step
from engine.dialplan.recording_model import rule_of
from engine.dialplan.turn import Row, Turn

RECORD_GRACE_MS = 10_000
CONSENT = "consent"


def told_first(turn: Turn, step: Step, queue: str = "") -> bool:
    """Has the caller to be told that he will be recorded before the step goes on? Then that has begun."""
    run = turn.run
    if run.scratch.get(CONSENT):
        return False
    clips, opt_out = turn.spoken(step.data.get("announce_recording")), str(step.data.get("opt_out", ""))
    rule = rule_of(turn.site, turn.tenant, queue)
    if not clips and rule is not None:
        clips, opt_out = rule.spoken(run.language), rule.opt_out
    if not clips:
        return False
    turn.out.append(TellRecording(turn.wait(CONSENT), clips, opt_out))
    return True


def told(turn: Turn, happening: Happening) -> None:
    """He has been told; it isn't said to him again in this dialplan."""
    result = happening.result if isinstance(happening, RecordingTold) else "none"
    if result != "none":
        turn.run.scratch[CONSENT] = result


def begin_record(turn: Turn, step: Step) -> None:
    data = step.data
    kind = data.get("call")
    if kind == "start":
        if not told_first(turn, step):
            _start(turn, step)
    elif kind == "stop":
        turn.out.append(StopRecord())
    elif kind in ("pause", "resume"):
        turn.out.append(PauseRecord(kind == "pause"))
    else:
        ticket = turn.wait("record")
        turn.out.append(StartRecord(ticket, data["max"], tuple(data["finish"]), data.get("beep", True)))
        turn.timer(data["max"] + RECORD_GRACE_MS)


def _start(turn: Turn, step: Step) -> None:
    rule = rule_of(turn.site, turn.tenant)
    beep = step.data.get("beep", rule is not None and rule.beep)
    turn.out.append(StartRecord(0, 0, beep=beep))


def start_told(turn: Turn, step: Step, happening: Happening) -> None:
    told(turn, happening)
    if turn.run.scratch.get(CONSENT) != "declined":
        _start(turn, step)
    turn.go_on()


def record_done(turn: Turn, step: Step, happening: Happening) -> None:
    name = happening.name if isinstance(happening, RecordDone) else ""
    into = step.data.get("into")
    turn.run.steps_since_input = 0
    if into:
        turn.run.variables[into] = name
        turn.out.append(Note("set", f"{into}={name}", step.id))
    turn.go_on()


def record_stuck(turn: Turn, step: Step, happening: Happening) -> None:
    """The recording never reported its end."""
    turn.out.append(StopRecord())
    if step.data.get("into"):
        turn.run.variables[step.data["into"]] = ""
    turn.fault("the recording did not end")
    turn.go_on()


def after(begin: Callable[[Turn, Step], None]) -> Row:
    """The row of a verb that tells first: `begin` is what it does then."""

    def row(turn: Turn, step: Step, happening: Happening) -> None:
        told(turn, happening)
        turn.run.waiting = ""
        begin(turn, step)

    return row


BEGIN = {"record": begin_record}
ROWS: dict[tuple[str, type], Row] = {
    ("record", RecordingTold): start_told,
    ("record", RecordDone): record_done,
    ("record", TimerFired): record_stuck,
}
