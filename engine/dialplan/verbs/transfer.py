"""transfer: the caller goes on to somebody else for good; the step ends the dialplan, or fails.

A queue takes him as the step `queue` does; anybody else is rung, or, where the caller's trunk can, the far side is
asked to call the target itself (REFER) and we leave the call.
"""

from __future__ import annotations

from engine.dialplan.actions import DialEnded, Happening, JoinQueue, QueueEnded
from engine.dialplan.people_actions import HandOver, RecordingTold
from engine.dialplan.program import Step
from engine.dialplan.turn import Row, Turn
from engine.dialplan.verbs import recording

CAUSE = 16  # Q.850: normal clearing


def begin(turn: Turn, step: Step) -> None:
    data, queue = step.data, step.data.get("queue", "")
    if queue:
        model = turn.site.queues.get(queue)
        if model is None or not model.record or not recording.told_first(turn, step, queue):
            join(turn, step)
        return
    targets = turn.targets(data.get("to", ()))
    if not targets:
        turn.take(step, "failed")
        return
    turn.out.append(
        HandOver(
            turn.wait("dial"), targets, data["ring"], tuple(data.get("music") or ()), data.get("caller_id", ""),
            data.get("refer", False),
        )
    )  # fmt: skip


def join(turn: Turn, step: Step) -> None:
    """Into the queue, where he hears what the queue itself says."""
    run, queue = turn.run, step.data["queue"]
    model = turn.site.queues.get(queue)
    priority, run.priority_ms = run.priority_ms, 0
    announce = model.announce.get(run.language, ()) if model is not None else ()
    music = tuple(step.data.get("music") or ())
    turn.out.append(JoinQueue(turn.wait("queue"), queue, music, priority, announce=announce))


def ended(turn: Turn, step: Step, happening: Happening) -> None:
    """Served, or handed over: the call is over. Else the outcome that fits."""
    result = happening.result if isinstance(happening, DialEnded | QueueEnded) else "failed"
    if result in ("served", "transferred"):
        turn.end("transferred", CAUSE)
    else:
        turn.take(step, result if result in step.outs else "failed")


BEGIN = {"transfer": begin}
ROWS: dict[tuple[str, type], Row] = {
    ("transfer", RecordingTold): recording.after(join), ("transfer", DialEnded): ended, ("transfer", QueueEnded): ended,
}  # fmt: skip
