"""hours, split, repeat: steps that choose a way by the clock, by chance and by counting."""

from __future__ import annotations

from hashlib import blake2b

from engine.dialplan import calendars
from engine.dialplan.actions import Note
from engine.dialplan.evaluation import evaluate
from engine.dialplan.program import Step
from engine.dialplan.turn import Turn

WHOLE = 10_000  # shares are hundredths of a percent


def begin_hours(turn: Turn, step: Step) -> None:
    """Open goes on; a holiday without a way of its own goes where closed goes."""
    now = calendar_state(turn, step.data["calendar"])
    _note(turn, step, f"{step.data['calendar']} {now}")
    turn.take(step, "closed" if now == "holiday" and "holiday" not in step.outs else now)


def calendar_state(turn: Turn, name: str) -> str:
    """open | closed | holiday, as the calendar or an operator says it now. One that a reload removed is closed."""
    calendar = turn.site.calendars.get(name)
    if calendar is None:
        return "closed"
    facts = turn.run.facts
    zone = turn.site.zones.get(calendar.zone, ())
    return calendars.state(calendar, zone, int(facts.get("system.now", "0")), facts.get(f"calendar:{name}", ""))


def begin_split(turn: Turn, step: Step) -> None:
    """A draw from the call and the step: a caller who comes here again goes the same way again."""
    run = turn.run
    drawn = draw(f"{run.facts.get('call.id', '')}|{run.scratch.get('started_ms', 0)}|{step.id}")
    out = next((out for below, out in step.data["ways"] if drawn < below), "else")
    _note(turn, step, out)
    turn.take(step, out)


def _note(turn: Turn, step: Step, text: str) -> None:
    """For the records; a wait list would say the same every half minute."""
    if not turn.program.loops:
        turn.out.append(Note(step.verb, text, step.id))


def draw(seed: str) -> int:
    """An even draw from 0 to WHOLE - 1; the same for the same seed."""
    return int.from_bytes(blake2b(seed.encode(), digest_size=8).digest()) * WHOLE >> 64


def begin_repeat(turn: Turn, step: Step) -> None:
    body = step.outs["steps"]
    turn.run.scratch[f"round {body}"] = 1
    turn.enter(body)


def begin_round(turn: Turn, step: Step) -> None:
    """The end of the list: done, exhausted, or once more."""
    run = turn.run
    body = run.stack[-1][0]
    key = f"round {body}"
    count = int(run.scratch.get(key, 1))
    until = step.data.get("until")
    done = until is not None and evaluate(until, run.variables, run.facts) is True
    if not done and count < step.data["times"]:
        run.scratch[key] = count + 1
        run.stack[-1] = (body, 0)
        return
    run.scratch.pop(key, None)
    run.stack.pop()
    if not done:
        turn.take(step, "exhausted")


BEGIN = {"hours": begin_hours, "split": begin_split, "repeat": begin_repeat, "round": begin_round}
