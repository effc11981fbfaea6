"""menu and gather: a prompt, then keys. One state chart for both:

speaking (waiting = play) --key--> listening (waiting = digits) --enough--> out
speaking --end--> listening --time over--> speaking again, or failed
"""

from __future__ import annotations

from engine import limits
from engine.dialplan.actions import Digit, Happening, Note, PlayDone, TimerFired
from engine.dialplan.program import Step
from engine.dialplan.turn import MASK, Row, Turn


def begin(turn: Turn, step: Step) -> None:
    """A new menu or gather: keys that were pressed before count first (type-ahead)."""
    run = turn.run
    run.tries = 1
    run.digits = ""
    run.retry = ""
    typed, run.typed_ahead = run.typed_ahead, ""
    if not typed or step.data.get("type_ahead") is False:
        ask(turn, step)
        return
    turn.wait("digits")
    turn.collect(True, step.data.get("sensitive", False))
    turn.timer(step.data["inter_digit"])
    ticket = run.ticket
    for place, digit in enumerate(typed):
        take_digit(turn, step, digit)
        if run.waiting != "digits" or run.ticket != ticket:
            # decided: what is left was meant for the steps after this one
            run.typed_ahead = typed[place + 1 :] + run.typed_ahead
            return


def ask(turn: Turn, step: Step) -> None:
    """Speak the prompt of this try and listen."""
    run, data = turn.run, step.data
    run.digits = ""
    clips: tuple[str, ...] = ()
    if run.retry == "invalid":
        clips = turn.spoken(data.get("invalid"))
    elif run.retry == "no_input":
        clips = turn.spoken(data.get("no_input"))
    again = data.get("again") if run.retry else None
    clips += turn.spoken(again or data.get("prompt"))
    if turn.speak(clips):
        turn.collect(True, data.get("sensitive", False))
        return
    turn.wait("digits")
    turn.collect(True, data.get("sensitive", False))
    turn.timer(data["timeout"])


def spoken(turn: Turn, step: Step, happening: Happening) -> None:
    """The prompt is over: the caller's time runs, and keys that had to wait for its end count now."""
    if turn.run.waiting != "play":
        return
    turn.run.waiting = "digits"
    turn.timer(step.data["timeout"])
    typed, turn.run.typed_ahead = turn.run.typed_ahead, ""
    ticket = turn.run.ticket
    for place, digit in enumerate(typed):
        take_digit(turn, step, digit)
        if turn.run.waiting != "digits" or turn.run.ticket != ticket:
            turn.run.typed_ahead = typed[place + 1 :] + turn.run.typed_ahead
            return


def digit(turn: Turn, step: Step, happening: Happening) -> None:
    run = turn.run
    pressed = happening.digit if isinstance(happening, Digit) else ""
    if run.waiting == "play":
        if step.data.get("barge_in") is False:
            run.typed_ahead = (run.typed_ahead + pressed)[: limits.digits_buffered_max]
            return
        turn.hush()
        run.waiting = "digits"
    take_digit(turn, step, pressed)


def take_digit(turn: Turn, step: Step, pressed: str) -> None:
    turn.run.steps_since_input = 0
    if step.verb == "menu":
        _menu_digit(turn, step, pressed)
    else:
        _gather_digit(turn, step, pressed)


def _menu_digit(turn: Turn, step: Step, pressed: str) -> None:
    run = turn.run
    digits = run.digits + pressed
    if digits in step.data["prefixes"]:
        run.digits = digits
        turn.timer(step.data["inter_digit"])
    elif digits in step.outs:
        leave(turn, step, digits)
    elif digits in step.data["always"]:
        leave_always(turn, digits)
    else:
        retry(turn, step, "invalid")


def _gather_digit(turn: Turn, step: Step, pressed: str) -> None:
    run, data = turn.run, step.data
    if pressed == data["terminator"]:
        if len(run.digits) >= data["min"]:
            accept(turn, step)
        elif run.digits in data["always"]:
            leave_always(turn, run.digits)
        else:
            retry(turn, step, "invalid" if run.digits else "no_input")
    elif pressed not in "0123456789":
        # star and hash are no digits: live as a choice when nothing was entered, else wrong
        if not run.digits and pressed in data["always"]:
            leave_always(turn, pressed)
        else:
            retry(turn, step, "invalid")
    else:
        run.digits += pressed
        if len(run.digits) >= data["max"]:
            accept(turn, step)
        else:
            turn.timer(data["inter_digit"])


def timer(turn: Turn, step: Step, happening: Happening) -> None:
    run, data = turn.run, step.data
    if run.waiting == "play":
        # the prompt never reported its end: listen all the same
        turn.hush()
        spoken(turn, step, happening)
    elif not run.digits:
        retry(turn, step, "no_input")
    elif step.verb == "gather" and len(run.digits) >= data["min"]:
        accept(turn, step)
    elif step.verb == "gather" and run.digits in data["always"]:
        leave_always(turn, run.digits)
    else:
        retry(turn, step, "invalid")


def retry(turn: Turn, step: Step, why: str) -> None:
    run = turn.run
    run.tries += 1
    if run.tries > step.data["tries"]:
        leave(turn, step, "failed")
        return
    run.retry = why
    ask(turn, step)


def accept(turn: Turn, step: Step) -> None:
    run, data = turn.run, step.data
    name = data["into"]
    run.variables[name] = int(run.digits) if data["number"] else run.digits
    shown = MASK if data["sensitive"] else run.digits
    turn.out.append(Note("set", f"{name}={shown}", step.id))
    turn.collect(False)
    run.digits = ""
    turn.go_on()


def leave(turn: Turn, step: Step, out: str) -> None:
    turn.collect(False)
    turn.run.digits = ""
    turn.take(step, out)


def leave_always(turn: Turn, key: str) -> None:
    turn.collect(False)
    turn.run.digits = ""
    turn.run.waiting = ""
    turn.run.frames.clear()
    turn.go(turn.program.always[key])


BEGIN = {"menu": begin, "gather": begin}
ROWS: dict[tuple[str, type], Row] = {
    (verb, kind): rule
    for verb in ("menu", "gather")
    for kind, rule in ((PlayDone, spoken), (Digit, digit), (TimerFired, timer))
}
