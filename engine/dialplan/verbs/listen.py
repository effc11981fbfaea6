"""menu and gather: a prompt, then keys. One state chart for both, and for what `pin` gathers:

speaking (waiting = play) --key--> listening (waiting = digits) --enough--> out
speaking --end--> listening --time over--> speaking again, or failed
enough, with `confirm`: speaking what was heard --1--> out, --2--> speaking again, or failed
"""

from __future__ import annotations

from engine import limits
from engine.dialplan import patterns
from engine.dialplan.actions import Digit, Happening, LookupAnswered, Note, PlayDone, TimerFired
from engine.dialplan.program import Step
from engine.dialplan.turn import MASK, Row, Turn
from engine.dialplan.verbs import lookup

YES, NO = "1", "2"  # of a confirmation
CONFIRMING = "confirming"  # in scratch: the digits that the caller is asked about
BEFORE = "before confirming"  # … and the value that the variable had


def begin(turn: Turn, step: Step) -> None:
    """A new menu or gather: keys that were pressed before count first (type-ahead)."""
    run = turn.run
    run.tries = 1
    run.digits = ""
    run.retry = ""
    run.scratch.pop(CONFIRMING, None)
    if step.data.get("type_ahead") is False:
        run.typed_ahead = ""
    if not run.typed_ahead:
        ask(turn, step)
        return
    run.scratch[f"greeted {step.id}"] = True  # who types ahead knows his way
    turn.wait("digits")
    turn.collect(True, step.data.get("sensitive", False))
    turn.timer(step.data["inter_digit"])
    feed(turn, step)


def feed(turn: Turn, step: Step) -> None:
    """Keys that wait, one by one, until the step speaks again or is over; the rest was meant for what follows."""
    run = turn.run
    while run.typed_ahead and run.waiting == "digits":
        pressed, run.typed_ahead = run.typed_ahead[0], run.typed_ahead[1:]
        take_digit(turn, step, pressed)


def ask(turn: Turn, step: Step) -> None:
    """Speak the prompt of this try and listen."""
    run, data = turn.run, step.data
    run.digits = ""
    clips: tuple[str, ...] = ()
    if run.retry == "invalid":
        clips = turn.spoken(data.get("invalid"))
    elif run.retry == "no_input":
        clips = turn.spoken(data.get("no_input"))
    elif run.retry == "wrong":
        clips = turn.spoken(data["wrong"])
    elif not run.retry:
        clips = greeting(turn, step)
    again = data.get("again") if run.retry else None
    clips += turn.spoken(again or data.get("prompt"))
    if turn.speak(clips):
        turn.collect(True, data.get("sensitive", False))
        return
    turn.wait("digits")
    turn.collect(True, data.get("sensitive", False))
    turn.timer(data["timeout"])


def greeting(turn: Turn, step: Step) -> tuple[str, ...]:
    """What a menu says before its prompt: the long one the first time in this call, then the short one, if any."""
    greet, scratch = step.data.get("greet"), turn.run.scratch
    if not greet:
        return ()
    known = scratch.get(f"greeted {step.id}") is True
    scratch[f"greeted {step.id}"] = True
    return turn.spoken(greet[1] if known else greet[0])


def spoken(turn: Turn, step: Step, happening: Happening) -> None:
    """The prompt is over: the caller's time runs, and keys that had to wait for its end count now."""
    if turn.run.waiting != "play":
        return
    turn.run.waiting = "digits"
    turn.timer(step.data["timeout"])
    feed(turn, step)


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
    if CONFIRMING in turn.run.scratch:
        _confirm_digit(turn, step, pressed)
    elif step.verb == "menu":
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
        if step.data.get("confirm") and step.outs[digits] != "again":
            confirm(turn, step, digits)
        else:
            leave(turn, step, digits)
    elif digits in step.data["always"]:
        leave_always(turn, step, digits)
    else:
        retry(turn, step, "invalid")


def _gather_digit(turn: Turn, step: Step, pressed: str) -> None:
    run, data = turn.run, step.data
    if pressed == data["terminator"]:
        if len(run.digits) >= data["min"]:
            typed(turn, step)
        elif run.digits in data["always"]:
            leave_always(turn, step, run.digits)
        else:
            retry(turn, step, "invalid" if run.digits else "no_input")
    elif pressed not in "0123456789":
        # star and hash are no digits: live as a choice when nothing was entered, else wrong
        if not run.digits and pressed in data["always"]:
            leave_always(turn, step, pressed)
        else:
            retry(turn, step, "invalid")
    else:
        run.digits += pressed
        if len(run.digits) >= data["max"]:
            typed(turn, step)
        else:
            turn.timer(data["inter_digit"])


def timer(turn: Turn, step: Step, happening: Happening) -> None:
    run, data = turn.run, step.data
    if run.waiting == "play":
        # the prompt never reported its end: listen all the same
        turn.hush()
        spoken(turn, step, happening)
    elif CONFIRMING in run.scratch:
        unsure(turn, step)
    elif not run.digits:
        retry(turn, step, "no_input")
    elif step.verb != "menu" and len(run.digits) >= data["min"]:
        typed(turn, step)
    elif step.verb != "menu" and run.digits in data["always"]:
        leave_always(turn, step, run.digits)
    else:
        retry(turn, step, "invalid")


# --- confirming what was heard ---------------------------------------------------------------------------------
def typed(turn: Turn, step: Step) -> None:
    """Enough digits: do they fit, and are they what the caller meant?"""
    run, data = turn.run, step.data
    pattern = data.get("regex")
    if pattern and not patterns.matches(patterns.read(pattern), run.digits):
        retry(turn, step, "invalid")
    elif data.get("confirm"):
        name = data["into"]
        run.scratch.pop(BEFORE, None)
        if name in run.variables:
            run.scratch[BEFORE] = run.variables[name]
        run.variables[name] = int(run.digits) if data["number"] else run.digits
        confirm(turn, step, run.digits)
    else:
        accept(turn, step)


def confirm(turn: Turn, step: Step, digits: str) -> None:
    """Say what was heard and ask; who has typed his answer ahead isn't asked."""
    run, data = turn.run, step.data
    run.scratch[CONFIRMING] = digits
    run.digits = ""
    clips = () if run.typed_ahead and data.get("type_ahead") is not False else turn.spoken(data["confirm"])
    if turn.speak(clips):
        turn.collect(True, data.get("sensitive", False))
        return
    turn.wait("digits")
    turn.collect(True, data.get("sensitive", False))
    turn.timer(data["timeout"])


def _confirm_digit(turn: Turn, step: Step, pressed: str) -> None:
    run = turn.run
    if pressed == YES:
        digits = str(run.scratch.pop(CONFIRMING))
        if step.verb == "menu":
            leave(turn, step, digits)
        else:
            run.digits = digits
            accept(turn, step)
    elif pressed == NO:
        not_meant(turn, step)
        retry(turn, step, "again")
    elif pressed in step.data["always"]:
        not_meant(turn, step)
        leave_always(turn, step, pressed)
    else:
        unsure(turn, step)


def not_meant(turn: Turn, step: Step) -> None:
    """What was heard is as if it had never been."""
    run = turn.run
    if run.scratch.pop(CONFIRMING, None) is not None and step.verb != "menu":
        run.variables.pop(step.data["into"], None)
        if BEFORE in run.scratch:
            run.variables[step.data["into"]] = run.scratch.pop(BEFORE)


def unsure(turn: Turn, step: Step) -> None:
    """Neither yes nor no: the question once more, which is one of his tries."""
    run = turn.run
    digits = str(run.scratch[CONFIRMING])
    run.tries += 1
    if run.tries > step.data["tries"]:
        not_meant(turn, step)
        leave(turn, step, "failed")
    else:
        confirm(turn, step, digits)


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
    if step.verb == "pin":
        lookup.ask(turn, step)
    else:
        turn.go_on()


def leave(turn: Turn, step: Step, out: str) -> None:
    turn.collect(False)
    turn.run.digits = ""
    turn.take(step, out)


def leave_always(turn: Turn, step: Step, key: str) -> None:
    if turn.site.traced:
        turn.out.append(Note("way", step.place, step.id, f"always {key}"))
    turn.collect(False)
    turn.run.digits = ""
    turn.run.waiting = ""
    turn.run.frames.clear()
    turn.intends(turn.program.always[key])
    turn.go(turn.program.always[key])


# --- pin: gathered, then verified by a lookup ------------------------------------------------------------------
def verified(turn: Turn, step: Step, result: str) -> None:
    """The lookup says whether it is right; a wrong one is forgotten at once."""
    run, data = turn.run, step.data
    if result == "ok" and run.variables.get(data["verdict"]) is True:
        turn.go_on()
        return
    run.variables.pop(data["into"], None)
    if result == "failed":
        leave(turn, step, "unavailable" if "unavailable" in step.outs else "failed")
    else:
        retry(turn, step, "wrong")


def _pin(listening: Row, asking: Row) -> Row:
    """A rule for each half of the step."""
    return lambda turn, step, happening: (asking if turn.run.waiting == "lookup" else listening)(turn, step, happening)


def ahead(turn: Turn, step: Step, happening: Happening) -> None:
    """A key while the PIN is being verified belongs to what follows."""
    if isinstance(happening, Digit):
        turn.run.typed_ahead = (turn.run.typed_ahead + happening.digit)[: limits.digits_buffered_max]


_VERIFYING = lookup.rows("pin", verified)
BEGIN = {"menu": begin, "gather": begin, "pin": begin}
ROWS: dict[tuple[str, type], Row] = {
    (verb, kind): rule
    for verb in ("menu", "gather")
    for kind, rule in ((PlayDone, spoken), (Digit, digit), (TimerFired, timer))
}
ROWS.update({
    ("pin", PlayDone): _pin(spoken, _VERIFYING["pin", PlayDone]),
    ("pin", Digit): _pin(digit, ahead),
    ("pin", TimerFired): _pin(timer, _VERIFYING["pin", TimerFired]),
    ("pin", LookupAnswered): _VERIFYING["pin", LookupAnswered],
})  # fmt: skip
