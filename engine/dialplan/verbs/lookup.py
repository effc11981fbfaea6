"""lookup: a server elsewhere is asked, and its answer fills variables.

asking (waiting = lookup) --answer--> out
asking --0.7 s--> the busy prompt, still waiting --answer--> the prompt is heard out, then out
asking --deadline--> failed: also when the engine's own runtime never answers (DESIGN law 6)
"""

from __future__ import annotations

from collections.abc import Callable

from engine import limits
from engine.dialplan import types
from engine.dialplan.actions import Happening, LookUp, LookupAnswered, Note, PlayDone, PlayPrompts, TimerFired
from engine.dialplan.program import Step
from engine.dialplan.turn import MASK, Row, Turn
from engine.dialplan.types import Value

ASKED, SAID, OVER = "asked", "said", "over"  # the busy prompt: not yet, begun, ended
Leave = Callable[[Turn, Step, str], None]


def ask(turn: Turn, step: Step) -> None:
    """Send the request of `step.data["lookup"]`. What an earlier answer had filled is as it was before it."""
    run, data = turn.run, step.data
    for name, _, default in data["fields"]:
        run.variables.pop(name, None)
        if default is not None:
            run.variables[name] = default
    values = {name: _sent(turn, name) for name in data["sends"]}
    ticket = turn.wait("lookup")
    run.scratch["lookup"] = ASKED
    run.scratch.pop("lookup_out", None)
    turn.out.append(LookUp(ticket, data["lookup"], values))
    deadline_ms = data["timeout"] + limits.lookup_grace_ms
    turn.timer(limits.lookup_busy_ms if data.get("busy") else deadline_ms)


def answered(turn: Turn, step: Step, happening: Happening, leave: Leave) -> None:
    """The answer: values first, then out, unless the busy prompt is still being spoken."""
    run = turn.run
    if not isinstance(happening, LookupAnswered) or run.waiting != "lookup" or "lookup_out" in run.scratch:
        return
    result, reason = happening.result, happening.reason
    if result == "ok":
        missing = [name for name, default in _needed(step) if default is None and name not in happening.values]
        if missing:
            result, reason = "failed", f"the answer has no {missing[0]}"
    told(turn, step, result, happening.ms, reason)
    if result == "ok":
        for name, sensitive, _ in step.data["fields"]:
            if name in happening.values:
                value = happening.values[name]
                run.variables[name] = value
                shown = MASK if sensitive else written(turn, name, value)
                turn.out.append(Note("set", f"{name}={shown}", step.id))
    if run.scratch.get("lookup") == SAID:
        run.scratch["lookup_out"] = result
        turn.timer(turn.length(turn.spoken(step.data["busy"])))
    else:
        over(turn, step, result, leave)


def written(turn: Turn, name: str, value: Value) -> str:
    """A value as a file would hold it: yes, 12.50 EUR."""
    declared = turn.program.variables.get(name)
    if isinstance(value, bool) or declared is None:
        return types.spelled(value) or ""
    return types.shown(value, declared.type)


def _sent(turn: Turn, name: str) -> Value:
    """What a request is made of: amounts with their currency, all else as it is."""
    run = turn.run
    if name not in run.variables:
        return run.facts.get(name, "")
    value = run.variables[name]
    return value if isinstance(value, bool) else written(turn, name, value) if _amount(turn, name) else value


def _amount(turn: Turn, name: str) -> bool:
    declared = turn.program.variables.get(name)
    return declared is not None and declared.type.startswith("money")


def _needed(step: Step) -> list[tuple[str, object]]:
    return [(name, default) for name, _, default in step.data["fields"]]


def spoken(turn: Turn, step: Step, happening: Happening, leave: Leave) -> None:
    """The busy prompt has been heard."""
    run = turn.run
    if run.waiting != "lookup" or run.scratch.get("lookup") != SAID:
        return
    if "lookup_out" in run.scratch:
        over(turn, step, str(run.scratch["lookup_out"]), leave)
    else:
        run.scratch["lookup"] = OVER


def timer(turn: Turn, step: Step, happening: Happening, leave: Leave) -> None:
    """0.7 s without an answer, or the deadline."""
    run, data = turn.run, step.data
    if run.waiting != "lookup":
        return
    left_ms = data["timeout"] + limits.lookup_grace_ms - limits.lookup_busy_ms
    if "lookup_out" in run.scratch:
        turn.hush()
        over(turn, step, str(run.scratch["lookup_out"]), leave)
    elif data.get("busy") and run.scratch.get("lookup") == ASKED and left_ms > 0:
        clips = turn.spoken(data["busy"])
        run.scratch["lookup"] = SAID if clips else OVER
        if clips:
            turn.out.append(PlayPrompts(run.ticket, clips, hidden=tuple(turn.hidden)))
        turn.timer(left_ms)
    else:
        turn.hush()
        told(turn, step, "failed", data["timeout"] + limits.lookup_grace_ms, "no answer came in time")
        over(turn, step, "failed", leave)


def over(turn: Turn, step: Step, result: str, leave: Leave) -> None:
    """Out of the wait; its timer is no longer needed."""
    run = turn.run
    run.scratch.pop("lookup", None)
    run.scratch.pop("lookup_out", None)
    turn.timer(0)
    leave(turn, step, result)


def told(turn: Turn, step: Step, result: str, ms: int, reason: str) -> None:
    name = step.data["lookup"].rpartition("/")[2]
    turn.out.append(Note("lookup", f"{name} {result} {ms} {reason}".rstrip(), step.id))


def _leave(turn: Turn, step: Step, result: str) -> None:
    if result == "ok":
        turn.go_on()
    else:
        turn.take(step, result if result in step.outs else "failed")


def rows(verb: str, leave: Leave) -> dict[tuple[str, type], Row]:
    """The rows of a verb that looks something up; `leave` gets the result (ok | not_found | failed)."""
    return {
        (verb, LookupAnswered): lambda turn, step, happening: answered(turn, step, happening, leave),
        (verb, PlayDone): lambda turn, step, happening: spoken(turn, step, happening, leave),
        (verb, TimerFired): lambda turn, step, happening: timer(turn, step, happening, leave),
    }


BEGIN = {"lookup": ask}
ROWS: dict[tuple[str, type], Row] = rows("lookup", _leave)
