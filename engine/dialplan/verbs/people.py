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
    Show,
    StartRecord,
    StopRecord,
    TimerFired,
)
from engine.dialplan.model import Announcing, OverflowRule
from engine.dialplan.program import Step
from engine.dialplan.turn import Row, Turn
from engine.dialplan.verbs import tell

QUEUE_OUTCOMES = ("full", "no_agents", "timeout", "closed", "voicemail", "callback", "elsewhere", "over_budget")
RECORD_GRACE_MS = 10_000
OVERFLOW_RING_MS = 30_000
KEYS = "0123456789*#"


def begin_priority(turn: Turn, step: Step) -> None:
    turn.run.priority_ms += step.data["time"]


def begin_queue(turn: Turn, step: Step) -> None:
    run, data = turn.run, step.data
    priority, run.priority_ms = run.priority_ms + data.get("priority", 0), 0
    run.typed_ahead = ""
    asked = data.get("needs", ())
    steps = asked["steps"] if isinstance(asked, dict) else ()
    rules = data.get("overflow")
    if "show" in data:
        turn.out.append(Show(tell.shown(turn, data["show"])))
    turn.out.append(
        JoinQueue(
            turn.wait("queue"),
            data["name"],
            tuple(data["music"]),
            priority,
            data.get("max_wait", 0),
            () if steps else _needs(turn, asked),
            turn.spoken(data.get("announce")),
            data.get("position", 0),
            turn.spoken(data.get("whisper")),
            tuple(key for key in step.outs if key in KEYS),
            steps=tuple((ms, _needs(turn, wanted), ring) for ms, wanted, ring in steps),
            prefer=_preferred(turn, data.get("prefer", "")),
            prefer_ms=data.get("prefer_for", 0),
            prefer_away=data.get("even_if_away", False),
            wait=data.get("wait", ""),
            announcing=_announcing(data.get("announcing")),
            join_absent=_states(data.get("join_empty")),
            leave_absent=_states(data.get("leave_when_empty")),
            estimated_wait_ms_max=data.get("estimated_wait_max", 0),
            overflow=None if rules is None else tuple(OverflowRule(*rule) for rule in rules),
            group=data.get("class", ""),
            hard=data.get("hard", False),
        )
    )


def _needs(turn: Turn, rows: Any) -> tuple[tuple[str, int], ...]:
    return tuple((turn.run.language if skill == "language" else skill, level) for skill, level in rows)


def _preferred(turn: Turn, wanted: Any) -> str:
    return wanted if isinstance(wanted, str) else str(turn.run.variables.get(wanted[1], ""))


def _states(words: list[str] | tuple[str, ...] | None) -> tuple[str, ...] | None:
    return None if words is None else tuple(words)


def _announcing(row: list[Any] | None) -> Announcing | None:
    if row is None:
        return None
    position_ms, estimate_ms, periodic_ms, periodic = row
    heard = {language: tuple(tuple(clips) for clips in each) for language, each in periodic.items()}
    return Announcing(position_ms, estimate_ms, periodic_ms, heard)


def queue_ended(turn: Turn, step: Step, happening: Happening) -> None:
    result, key = (happening.result, happening.key) if isinstance(happening, QueueEnded) else ("served", "")
    if result in ("served", "timeout", "exit"):
        turn.run.steps_since_input = 0
    if result == "transferred":
        turn.end("transferred", 16)
    elif result in ("exit", "left") and key in step.outs:
        turn.take(step, key)
    elif result == "overflow":
        turn.take(step, key if key in step.outs else "timeout")
    elif result == "number":
        turn.out.append(DialOut(turn.wait("dial"), (key,), ring_ms_max=OVERFLOW_RING_MS))
    elif result in ("closed", "over_budget") and result not in step.outs:
        turn.take(step, "no_agents")
    elif result in QUEUE_OUTCOMES:
        turn.take(step, result)
    elif result == "served":
        turn.go_on()
    else:
        # a result that nobody foresaw must not leave the caller waiting
        turn.fault(f"queue ended with {result!r}")
        turn.take(step, "timeout")


def overflow_dialled(turn: Turn, step: Step, happening: Happening) -> None:
    """The number that a rule of the queue leads to: served there, or the step ends as if the wait had been too long."""
    result = happening.result if isinstance(happening, DialEnded) else "failed"
    if result in ("served", "transferred"):
        dial_ended(turn, step, happening)
    else:
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
    ("queue", DialEnded): overflow_dialled,
    ("dial", DialEnded): dial_ended,
    ("record", RecordDone): record_done,
    ("record", TimerFired): record_stuck,
}
