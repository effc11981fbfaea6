"""The interpreter: (Running, happening) -> actions. Pure; one state chart per caller; a step waits for one thing.

`BEGIN` says how each verb starts, `ROWS` what it does with each happening while it waits. A pair that is not in
`ROWS` is dropped on purpose: it belongs to a wait that is over (late), or, for a digit, is kept as type-ahead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from engine import limits
from engine.dialplan.actions import Action, Answer, AnsweredNow, CallerGone, Digit, Happening, Note, Started
from engine.dialplan.model import Site
from engine.dialplan.program import Program, Running
from engine.dialplan.turn import Begin, Row, Turn
from engine.dialplan.types import declare
from engine.dialplan.verbs import (
    callback,
    choose,
    conference,
    decide,
    listen,
    lookup,
    notice,
    park,
    people,
    play_url,
    recording,
    speech,
    stream,
    survey,
    talk,
    tell,
    transfer,
    voicemail,
)

_GROUPS = (
    talk,
    listen,
    speech,
    decide,
    choose,
    people,
    callback,
    lookup,
    play_url,
    notice,
    tell,
    recording,
    transfer,
    park,
    conference,
    survey,
    voicemail,
    stream,
)
BEGIN: dict[str, Begin] = {verb: rule for group in _GROUPS for verb, rule in group.BEGIN.items()}
ROWS: dict[tuple[str, type], Row] = {
    key: row for group in _GROUPS for key, row in getattr(group, "ROWS", {}).items()
}


def start(
    program: Program,
    facts: dict[str, str],
    language: str,
    site: Site,
    now_ms: int,
    *,
    entry: str = "",
    carried: Mapping[str, str | int | bool] = MappingProxyType({}),
) -> tuple[Running, list[Action]]:
    """A call arrives: `facts` as in actions.Started. Returns its state and the first actions.

    `language` is used when the dialplan speaks it, else the dialplan's first. `entry` names another flow to begin
    with (NumberModel.entry). `now_ms` is the arrival, kept as a fact of its own. `carried`: variables of this program
    that are known already, from another dialplan of the same call.
    """
    spoken = language if language in program.languages else program.languages[0]
    run = Running(
        program.name,
        program.version,
        spoken,
        [(entry if entry in program.flows else program.entry, 0)],
        {**_defaults(program), **carried},
        {**facts, "call.language": spoken},
    )
    run.scratch["started_ms"] = now_ms
    turn = Turn(run, program, site)
    advance(turn)
    return run, turn.out


def step(running: Running, happening: Happening, program: Program, site: Site) -> list[Action]:
    """Tell a running call what happened. Late and unfitting happenings give no action."""
    turn = Turn(running, program, site)
    kind = type(happening)
    if running.waiting == "ended" or kind is Started:
        return turn.out
    if kind is CallerGone:
        running.scratch["gone"] = True
        turn.end("abandoned", 16)
        advance(turn)
        return turn.out
    ticket = getattr(happening, "ticket", running.ticket)
    if ticket != running.ticket:
        return turn.out
    current = turn.current()
    if running.waiting == "rescue":
        # the rescue flow of a call that had not been answered yet
        if kind is AnsweredNow:
            running.answered = True
            running.waiting = ""
            advance(turn)
        return turn.out
    row = ROWS.get((current.verb, kind)) if current is not None else None
    if row is None or current is None:
        if kind is Digit and running.waiting in ("answer", "play", "timer", "lookup", "fetch"):
            typed = running.typed_ahead + happening.digit  # type: ignore[union-attr]
            running.typed_ahead = typed[: limits.digits_buffered_max]
        return turn.out
    row(turn, current, happening)
    advance(turn)
    return turn.out


def start_wait(program: Program, main: Running, facts: dict[str, str], site: Site) -> tuple[Running, list[Action]]:
    """A wait list (`Program.waits`) begins beside the call's dialplan, which waits in its queue step.

    `facts`: the queue's, see facts.WAIT_FACTS. Variables, language and answered state are the dialplan's.
    """
    run = Running(main.program, main.version, main.language, [(program.entry, 0)], {}, {}, answered=True)
    return run, _beside(run, main, facts, lambda: _begin(run, program, site))


def step_wait(
    run: Running, main: Running, happening: Happening, program: Program, facts: dict[str, str], site: Site
) -> list[Action]:
    """Tell a wait list what happened; its variables are the dialplan's own."""
    return _beside(run, main, facts, lambda: step(run, happening, program, site))


def _begin(run: Running, program: Program, site: Site) -> list[Action]:
    turn = Turn(run, program, site)
    advance(turn)
    return turn.out


def _beside(run: Running, main: Running, facts: dict[str, str], act: Callable[[], list[Action]]) -> list[Action]:
    """One scope per call: what the wait list reads and sets are the dialplan's values, kept there alone."""
    run.variables, run.language = main.variables, main.language
    run.facts = {**main.facts, **facts}
    out = act()
    main.variables = run.variables
    if run.language != main.language:
        main.language = main.facts["call.language"] = run.language
    run.variables, run.facts = {}, {}
    return out


def advance(turn: Turn) -> None:
    """Run steps until one waits or the call is over."""
    run, flows, out = turn.run, turn.program.flows, turn.out
    while not run.waiting:
        if not run.stack:
            if turn.program.loops and not run.finishing:
                run.stack.append((turn.program.entry, 0))
                run.steps_since_input = 0  # the linker saw to it that each round takes time
                continue
            if not run.finishing:
                turn.rescue("the dialplan ended without hanging up")
                continue
            turn.over()
            return
        flow, index = run.stack[-1]
        steps = flows.get(flow)
        if steps is None:
            turn.rescue(f"no flow {flow!r}")
            continue
        if index >= len(steps):
            _end_of_flow(turn)
            continue
        current = steps[index]
        run.stack[-1] = (flow, index + 1)
        run.steps_since_input += 1
        if run.steps_since_input > limits.steps_without_input_max:
            turn.rescue(f"{limits.steps_without_input_max} steps without input")
            continue
        if run.rescued and not run.answered and not run.finishing and current.verb not in ("answer", "reject"):
            run.stack[-1] = (flow, index)
            out.append(Answer(turn.wait("rescue")))
            return
        out.append(Note("step", current.place, current.id))
        BEGIN[current.verb](turn, current)


def _end_of_flow(turn: Turn) -> None:
    """A hoisted list comes back to its step, a subflow to its caller; another flow's end is a fault."""
    run = turn.run
    if run.frames and len(run.stack) == run.frames[-1] + 1 and "#" not in run.stack[-1][0]:
        decide.leave_subflow(turn)
        return
    run.stack.pop()


def _defaults(program: Program) -> dict[str, Any]:
    """Variables with a default are set from the start."""
    values: dict[str, Any] = {}
    for name, variable in program.variables.items():
        if variable.default is not None:
            declared = declare(f"{variable.type} = {variable.default}")
            values[name] = declared.default
    return values
