"""queue, dial and priority: other people."""

from __future__ import annotations

from typing import Any

from engine.dialplan.actions import (
    DialEnded,
    DialOut,
    Happening,
    JoinQueue,
    QueueEnded,
    Show,
)
from engine.dialplan.model import Announcing, OverflowRule
from engine.dialplan.people_actions import RecordingTold
from engine.dialplan.program import Step
from engine.dialplan.turn import Row, Turn
from engine.dialplan.verbs import recording, tell

AT, BEST = "dial", "dial_best"  # scratch: the next of a dial's steps, and the result that says most so far
RANK = ("rejected", "busy", "no_answer", "failed")  # a person's word before a machine's
QUEUE_OUTCOMES = ("full", "no_agents", "timeout", "closed", "voicemail", "callback", "elsewhere", "over_budget")
OVERFLOW_RING_MS = 30_000
KEYS = "0123456789*#"


def begin_priority(turn: Turn, step: Step) -> None:
    turn.run.priority_ms += step.data["time"]


def begin_queue(turn: Turn, step: Step) -> None:
    model = turn.site.queues.get(step.data["name"])
    if model is None or not model.record or not recording.told_first(turn, step, step.data["name"]):
        join_queue(turn, step)


def join_queue(turn: Turn, step: Step) -> None:
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
    turn.run.scratch[AT], turn.run.scratch[BEST] = 0, ""
    if not step.data.get("record") or not recording.told_first(turn, step):
        dial_now(turn, step)


def dial_now(turn: Turn, step: Step) -> None:
    """Ring the targets, or those of the step whose turn it is."""
    data, at = step.data, int(turn.run.scratch.get(AT, 0))
    rows = data.get("steps") or [[data.get("to", ()), data["ring"], None]]
    targets: tuple[str, ...] = ()
    while not targets and at < len(rows):
        targets, ring_ms, sure = turn.targets(rows[at][0]), rows[at][1], rows[at][2]
        at += 1
    turn.run.scratch[AT] = at
    if not targets:
        best = str(turn.run.scratch.get(BEST, ""))
        turn.take(step, best if best in step.outs else "failed")
        return
    sure = data.get("confirm", False) if sure is None else sure
    turn.out.append(
        DialOut(
            turn.wait("dial"),
            targets,
            data["mode"],
            ring_ms,
            tuple(data.get("music") or ()),
            data.get("caller_id", ""),
            data.get("record", False),
            turn.spoken(data.get("whisper")),
            bool(sure),
            turn.spoken(sure) if isinstance(sure, dict) else (),
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
    else:
        told = "no_answer" if result == "unreachable" else result if result in RANK else "failed"
        scratch = turn.run.scratch
        best = str(scratch.get(BEST, ""))
        scratch[BEST] = told if not best or RANK.index(told) < RANK.index(best) else best
        scratch.setdefault(AT, len(step.data.get("steps", ())) or 1)  # begun by an engine that knew of one step
        turn.run.waiting = ""
        dial_now(turn, step)


BEGIN = {"priority": begin_priority, "queue": begin_queue, "dial": begin_dial}
ROWS: dict[tuple[str, type], Row] = {
    ("queue", RecordingTold): recording.after(join_queue),
    ("queue", QueueEnded): queue_ended,
    ("queue", DialEnded): overflow_dialled,
    ("dial", RecordingTold): recording.after(dial_now),
    ("dial", DialEnded): dial_ended,
}
