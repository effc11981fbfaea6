"""queue, dial, priority and record: other people, and what is kept of the caller."""

from __future__ import annotations

from typing import Any

from engine.dialplan.actions import (
    DialEnded,
    DialOut,
    Happening,
    JoinQueue,
    Note,
    QueueEnded,
    RecordDone,
    StartRecord,
    StopRecord,
    TimerFired,
)
from engine.dialplan.program import Step
from engine.dialplan.turn import Row, Turn

QUEUE_OUTCOMES = ("full", "no_agents", "timeout", "closed")
RECORD_GRACE_MS = 10_000


def begin_priority(turn: Turn, step: Step) -> None:
    turn.run.priority_ms += step.data["time"]


def begin_queue(turn: Turn, step: Step) -> None:
    run, data = turn.run, step.data
    priority, run.priority_ms = run.priority_ms + data.get("priority", 0), 0
    run.typed_ahead = ""
    asked = data.get("needs", ())
    steps = asked["steps"] if isinstance(asked, dict) else ()
    cycle = tuple(_wait_row(turn, row) for row in data.get("cycle", ()))
    announce = turn.spoken(data.get("announce"))
    if not announce and cycle and cycle[0][0] == "play":
        announce = cycle[0][1]
    turn.out.append(
        JoinQueue(
            turn.wait("queue"),
            data["name"],
            tuple(data["music"]),
            priority,
            data.get("max_wait", 0),
            () if steps else _needs(turn, asked),
            announce,
            data.get("position", 0),
            turn.spoken(data.get("whisper")),
            tuple(key for key in step.outs if key not in QUEUE_OUTCOMES),
            cycle,
            steps=tuple((ms, _needs(turn, wanted), ring) for ms, wanted, ring in steps),
            prefer=_preferred(turn, data.get("prefer", "")),
            prefer_ms=data.get("prefer_for", 0),
            prefer_away=data.get("even_if_away", False),
        )
    )


def _needs(turn: Turn, rows: Any) -> tuple[tuple[str, int], ...]:
    return tuple((turn.run.language if skill == "language" else skill, level) for skill, level in rows)


def _preferred(turn: Turn, wanted: Any) -> str:
    return wanted if isinstance(wanted, str) else str(turn.run.variables.get(wanted[1], ""))


def _wait_row(turn: Turn, row: list[Any]) -> tuple[str, tuple[str, ...], int]:
    kind, clips, ms = row
    return kind, turn.spoken(clips) if isinstance(clips, dict) else tuple(clips), ms


def queue_ended(turn: Turn, step: Step, happening: Happening) -> None:
    result, key = (happening.result, happening.key) if isinstance(happening, QueueEnded) else ("served", "")
    if result in ("served", "timeout", "exit"):
        turn.run.steps_since_input = 0
    if result == "transferred":
        turn.end("transferred", 16)
    elif result == "exit" and key in step.outs:
        turn.take(step, key)
    elif result == "closed" and "closed" not in step.outs:
        turn.take(step, "no_agents")
    elif result in QUEUE_OUTCOMES:
        turn.take(step, result)
    elif result == "served":
        turn.go_on()
    else:
        # a result that nobody foresaw must not leave the caller waiting
        turn.fault(f"queue ended with {result!r}")
        turn.take(step, "timeout")


def begin_dial(turn: Turn, step: Step) -> None:
    run, data = turn.run, step.data
    targets = []
    for row in data["to"]:
        if isinstance(row, str):
            targets.append(row)
        else:
            value = str(run.variables.get(row[1], ""))
            if value:
                targets.append(f"number/{value}")
    if not targets:
        turn.take(step, "failed")
        return
    turn.out.append(
        DialOut(
            turn.wait("dial"),
            tuple(targets),
            data["mode"],
            data["ring"],
            tuple(data.get("music") or ()),
            data.get("caller_id", ""),
            data.get("record", False),
        )
    )


def dial_ended(turn: Turn, step: Step, happening: Happening) -> None:
    result = happening.result if isinstance(happening, DialEnded) else "failed"
    if result == "served":
        turn.run.steps_since_input = 0
        turn.run.answered = True
        turn.go_on()
    elif result == "transferred":
        turn.end("transferred", 16)
    elif result == "unreachable":
        turn.take(step, "no_answer")
    else:
        turn.take(step, result if result in ("busy", "no_answer", "rejected") else "failed")


def begin_record(turn: Turn, step: Step) -> None:
    data = step.data
    kind = data.get("call")
    if kind == "start":
        turn.out.append(StartRecord(0, 0, beep=data.get("beep", False)))
    elif kind == "stop":
        turn.out.append(StopRecord())
    else:
        ticket = turn.wait("record")
        turn.out.append(StartRecord(ticket, data["max"], tuple(data["finish"]), data.get("beep", True)))
        turn.timer(data["max"] + RECORD_GRACE_MS)


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


BEGIN = {"priority": begin_priority, "queue": begin_queue, "dial": begin_dial, "record": begin_record}
ROWS: dict[tuple[str, type], Row] = {
    ("queue", QueueEnded): queue_ended,
    ("dial", DialEnded): dial_ended,
    ("record", RecordDone): record_done,
    ("record", TimerFired): record_stuck,
}
