"""stream: a bot elsewhere has the caller until it is done with him; or one listens beside the call (fork).

with the bot (waiting = stream) --it is done--> the next step, or `person` when it wishes that
with the bot --0, where the step names `person`--> person; any other key is the bot's
with the bot --it is gone, or never was there--> failed
with the bot --its time is over--> timeout (failed, where that isn't named)
with the bot --the deadline--> failed: also when the engine's own runtime never answers (DESIGN law 6)
"""

from __future__ import annotations

from engine import limits
from engine.dialplan import types
from engine.dialplan.actions import Digit, Happening, Note, TimerFired
from engine.dialplan.program import Step
from engine.dialplan.stream_actions import StartStream, StopStream, StreamKey, StreamOver
from engine.dialplan.turn import MASK, Row, Turn
from engine.dialplan.verbs.lookup import written
from engine.dialplan.verbs.tell import shown

PERSON_KEY = "0"


def begin(turn: Turn, step: Step) -> None:
    run, data = turn.run, step.data
    forks = data.get("fork", "")
    connect_ms = int(data.get("connect", limits.stream_connect_ms_default))
    # a fork lasts as long as its call, which has a limit of its own
    ms_max = int(data.get("max", limits.stream_ms_max if forks else limits.stream_ms_default))
    ticket = turn.wait("stream")
    turn.out.append(
        StartStream(
            ticket, data["url"], data["secret"], data.get("auth", "bearer"), connect_ms, ms_max, forks,
            shown(turn, data.get("send", {})),
        )
    )  # fmt: skip
    if forks:
        turn.go_on()
        return
    run.typed_ahead = ""  # what was pressed before was not meant for the bot
    turn.timer(connect_ms + ms_max + limits.stream_drain_ms_max + limits.lookup_grace_ms)


def over(turn: Turn, step: Step, happening: Happening) -> None:
    """The bot is done, or gone. What it has found out counts in either case, where it fits its variable."""
    if not isinstance(happening, StreamOver) or turn.run.waiting != "stream":
        return
    turn.timer(0)
    turn.run.steps_since_input = 0
    _take(turn, step, happening.values)
    if happening.result == "timeout":
        turn.take(step, "timeout" if "timeout" in step.outs else "failed")
    elif happening.result != "done":
        turn.take(step, "failed")
    elif happening.next == "person" and "person" in step.outs:
        turn.take(step, "person")
    else:
        if happening.next:
            turn.fault(f"the bot wishes to go on with {happening.next[:32]!r}, which this step does not name")
        turn.go_on()


def _take(turn: Turn, step: Step, values: dict[str, str]) -> None:
    allowed = step.data.get("sets", ())
    for name, text in values.items():
        if name not in allowed:
            turn.fault(f"the bot says {name[:32]!r}, which is not among sets: of this step")
            continue
        variable = turn.program.variables[name]
        try:
            value = types.literal(text, types.declare(variable.type).type)
        except types.TypeProblem:
            turn.fault(f"what the bot says of {name} is no {variable.type}")
            continue
        turn.run.variables[name] = value
        told = MASK if variable.sensitive else written(turn, name, value)
        turn.out.append(Note("set", f"{name}={told}", step.id))


def key(turn: Turn, step: Step, happening: Happening) -> None:
    if not isinstance(happening, Digit) or turn.run.waiting != "stream":
        return
    ticket = turn.run.ticket
    if happening.digit == PERSON_KEY and "person" in step.outs:
        turn.out.append(StopStream(ticket, "done", "the caller pressed 0"))
        turn.timer(0)
        turn.run.steps_since_input = 0
        turn.take(step, "person")
    else:
        turn.out.append(StreamKey(ticket, happening.digit))


def timer(turn: Turn, step: Step, happening: Happening) -> None:
    if turn.run.waiting == "stream":
        turn.out.append(StopStream(turn.run.ticket, "failed", "nobody said how it ended"))
        turn.take(step, "failed")


BEGIN = {"stream": begin}
ROWS: dict[tuple[str, type], Row] = {
    ("stream", StreamOver): over,
    ("stream", Digit): key,
    ("stream", TimerFired): timer,
}
