"""when, switch, set, tag, goto, subflow, return, hangup, reject: steps that take no time."""

from __future__ import annotations

from typing import Any

from engine.dialplan import types
from engine.dialplan.actions import Note, Reject
from engine.dialplan.evaluation import evaluate
from engine.dialplan.program import Step
from engine.dialplan.turn import MASK, Turn
from engine.dialplan.types import Value


def begin_when(turn: Turn, step: Step) -> None:
    run = turn.run
    for tree, out in step.data["branches"]:
        if evaluate(tree, run.variables, run.facts) is True:
            turn.take(step, out)
            return


def begin_switch(turn: Turn, step: Step) -> None:
    run = turn.run
    value = evaluate(step.data["value"], run.variables, run.facts)
    for wanted, out in step.data["cases"]:
        if wanted == value:
            turn.take(step, out)
            return
    turn.take(step, "else")


def assign(turn: Turn, step: Step, rows: list[Any]) -> None:
    run = turn.run
    for name, tree, sensitive in rows:
        value = evaluate(tree, run.variables, run.facts)
        run.variables[name] = value
        shown = MASK if sensitive else show(turn, name, value)
        turn.out.append(Note("set", f"{name}={shown}", step.id))


def show(turn: Turn, name: str, value: Value) -> str:
    """A value for the records, as its variable's type writes it."""
    declared = turn.program.variables.get(name)
    return str(value) if declared is None else types.shown(value, declared.type)


def begin_set(turn: Turn, step: Step) -> None:
    assign(turn, step, step.data["values"])


def begin_tag(turn: Turn, step: Step) -> None:
    run = turn.run
    words = []
    for part in step.data["text"]:
        if isinstance(part, str):
            words.append(part)
        else:
            name = part[1]
            fact = part[0] != "variable"
            words.append(run.facts.get(name, "") if fact else show(turn, name, run.variables.get(name, "")))
    turn.out.append(Note("tag", " ".join(words), step.id))


def begin_goto(turn: Turn, step: Step) -> None:
    turn.take(step, "flow")


def begin_subflow(turn: Turn, step: Step) -> None:
    run = turn.run
    assign(turn, step, step.data.get("with", []))
    depth = len(run.stack)
    turn.enter(step.outs["flow"])
    if len(run.stack) > depth:
        run.frames.append(depth)


def begin_return(turn: Turn, step: Step) -> None:
    run = turn.run
    tree = step.data.get("value")
    value = None if tree is None else evaluate(tree, run.variables, run.facts)
    leave_subflow(turn, value, tree[2] if tree is not None and tree[0] == "literal" and len(tree) > 2 else "")


def leave_subflow(turn: Turn, value: Value | None = None, written: str = "") -> None:
    """Back behind the `subflow` step; its `into` takes the value, digits as they were `written` (0042 is not 42)."""
    run = turn.run
    if not run.frames:
        turn.rescue("return outside a subflow")
        return
    del run.stack[run.frames.pop() :]
    caller = turn.current()
    if caller is not None and value is not None and "into" in caller.data:
        name = str(caller.data["into"])
        declared = turn.program.variables.get(name)
        if written and declared is not None and declared.type.partition(" ")[0] in types.WRITTEN:
            value = written
        run.variables[name] = value
        shown = MASK if declared is not None and declared.sensitive else show(turn, name, value)
        turn.out.append(Note("set", f"{name}={shown}", caller.id))


def begin_hangup(turn: Turn, step: Step) -> None:
    turn.end(step.data.get("outcome", "served"), step.data.get("cause", 16))


def begin_reject(turn: Turn, step: Step) -> None:
    turn.end("rejected", step.data.get("cause", 0) or 21)
    if not turn.run.answered:
        turn.out.append(Reject(step.data["code"], step.data.get("cause", 0)))
        turn.run.scratch["gone"] = True


BEGIN = {
    "when": begin_when,
    "switch": begin_switch,
    "set": begin_set,
    "tag": begin_tag,
    "goto": begin_goto,
    "subflow": begin_subflow,
    "return": begin_return,
    "hangup": begin_hangup,
    "reject": begin_reject,
}
