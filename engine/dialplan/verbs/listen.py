"""menu and gather: a prompt, then keys or words. One state chart for both, and for what `pin` gathers:

speaking (waiting = play) --key--> listening (waiting = digits) --enough--> out
speaking --end--> listening --time over--> speaking again, or failed
enough, with `confirm`: speaking what was heard --1--> out, --2--> speaking again, or failed
Where words count too, `speech` has the rows for them; a key ends listening to words.
"""

from __future__ import annotations

from engine import limits
from engine.dialplan import keyed, patterns
from engine.dialplan.actions import Digit, Happening, LookupAnswered, Note, PlayDone, TimerFired
from engine.dialplan.people_actions import RecordingTold
from engine.dialplan.program import Step
from engine.dialplan.turn import MASK, Row, Turn
from engine.dialplan.types import Type, Value
from engine.dialplan.types import shown as shown_as
from engine.dialplan.verbs import keeping, listening, lookup, open_lists, recording
from engine.dialplan.verbs.listening import BY_KEYS, CONFIRMING, TOLD, UNHEARD

YES, NO = "1", "2"  # of a confirmation
BEFORE = "before confirming"  # … and the value that the variable had


def begin(turn: Turn, step: Step) -> None:
    """A new menu or gather: keys that were pressed before count first (type-ahead)."""
    run = turn.run
    if step.data.get("missing") and step.data["into"] in run.variables:
        turn.go_on()
        return
    if open_lists.empty(turn, step):
        leave(turn, step, "empty" if "empty" in step.outs else "failed")
        return
    run.tries = 1
    run.digits = ""
    run.retry = ""
    run.readings, run.refused = [], []
    for mark in (CONFIRMING, TOLD, BY_KEYS, UNHEARD, BEFORE):
        run.scratch.pop(mark, None)
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
    while run.typed_ahead and run.waiting == "digits" and step.verb != "ask":
        pressed, run.typed_ahead = run.typed_ahead[0], run.typed_ahead[1:]
        take_digit(turn, step, pressed)


def ask(turn: Turn, step: Step) -> None:
    """Speak the prompt of this try and listen."""
    turn.run.digits = ""
    if not listening.opened(turn, step, _asked(turn, step)):
        turn.timer(step.data["timeout"])


def _asked(turn: Turn, step: Step) -> tuple[str, ...]:
    """The words of this try: why it is another one, then the question, shorter, then in other words, then for keys."""
    run, data = turn.run, step.data
    if run.scratch.get(BY_KEYS):
        return turn.spoken(data["by_keys"])
    if not run.retry:
        return greeting(turn, step) + turn.spoken(data.get("prompt"))
    why = data.get(run.retry)
    if run.retry == "no_match" and why is None:
        why = data.get("invalid")
    clips = turn.spoken(why) if run.retry != "again" else ()
    other = data.get("rephrased") if run.tries > 2 else None
    return clips + turn.spoken(other or data.get("again") or data.get("prompt"))


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
    if turn.run.waiting == "play":
        heard_out(turn, step)
        feed(turn, step)


def heard_out(turn: Turn, step: Step) -> None:
    """From now on he is waited for, and listened to where he could not interrupt."""
    run = turn.run
    run.waiting = "digits"
    turn.timer(limits.speech_told_ms if TOLD in run.scratch else step.data["timeout"])
    if listening.barge_in(step) == "off" and not run.typed_ahead:
        listening.hear(turn, step)


def digit(turn: Turn, step: Step, happening: Happening) -> None:
    run = turn.run
    pressed, early = (happening.digit, happening.early) if isinstance(happening, Digit) else ("", False)
    if run.waiting == "play":
        if early or step.data.get("barge_in") is False:
            run.typed_ahead = (run.typed_ahead + pressed)[: limits.digits_buffered_max]
            return
        turn.hush()
        run.waiting = "digits"
    take_digit(turn, step, pressed)


def take_digit(turn: Turn, step: Step, pressed: str) -> None:
    """A key ends listening to words."""
    turn.run.steps_since_input = 0
    turn.deafen()
    if TOLD in turn.run.scratch:
        turn.run.typed_ahead = (turn.run.typed_ahead + pressed)[: limits.digits_buffered_max]
        taken(turn, step)
    elif CONFIRMING in turn.run.scratch:
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
    elif away(step, digits):
        leave_by(turn, step, digits)
    else:
        retry(turn, step, "invalid")


def away(step: Step, digits: str) -> bool:
    """Do these keys lead out of the step, to what is always live, or (a 0 alone) to a person?"""
    return digits in step.data["always"] or (digits == "0" and bool(step.data.get("person")))


def leave_by(turn: Turn, step: Step, digits: str) -> None:
    if digits in step.data["always"]:
        leave_always(turn, step, digits)
    else:
        leave_for_person(turn, step)


def _gather_digit(turn: Turn, step: Step, pressed: str) -> None:
    run, data = turn.run, step.data
    if pressed == data["terminator"]:
        if len(run.digits) >= data["min"]:
            typed(turn, step)
        elif away(step, run.digits):
            leave_by(turn, step, run.digits)
        else:
            retry(turn, step, "invalid" if run.digits else "no_input")
    elif pressed not in "0123456789" and not (pressed == keyed.POINT and data.get("kind", [""])[0] == "money"):
        # star and hash are no digits: live as a choice when nothing was entered, else wrong
        if not run.digits and pressed in data["always"]:
            leave_always(turn, step, pressed)
        else:
            retry(turn, step, "invalid")
    else:
        run.digits += pressed
        places = len(str(len(open_lists.entries(turn, step)))) if data.get("lists") else data["max"]
        if len(run.digits) >= places:
            typed(turn, step)
        else:
            turn.timer(data["inter_digit"])


def timer(turn: Turn, step: Step, happening: Happening) -> None:
    run, data = turn.run, step.data
    if run.waiting == "play":
        # the prompt never reported its end: listen all the same
        turn.hush()
        spoken(turn, step, happening)
    elif run.speaking:
        unheard(turn, step)
    elif TOLD in run.scratch:
        taken(turn, step)
    elif CONFIRMING in run.scratch:
        unsure(turn, step)
    elif not run.digits:
        retry(turn, step, "no_input")
    elif step.verb != "menu" and len(run.digits) >= data["min"]:
        typed(turn, step)
    elif step.verb != "menu" and away(step, run.digits):
        leave_by(turn, step, run.digits)
    else:
        retry(turn, step, "invalid")


# --- confirming what was heard ---------------------------------------------------------------------------------
def typed(turn: Turn, step: Step) -> None:
    """Enough keys: do they fit, and are they what the caller meant?"""
    run, data = turn.run, step.data
    value = value_of(turn, step, run.digits)
    if (value is None or not fits(step, value)) and away(step, run.digits):
        leave_by(turn, step, run.digits)
    elif value is None or not fits(step, value):
        retry(turn, step, "invalid")
    elif data.get("confirm"):
        confirm(turn, step, value)
    else:
        accept(turn, step, value)


def value_of(turn: Turn, step: Step, keys: str) -> Value | None:
    """What the keys mean, by the variable's type; None when they mean nothing."""
    data = step.data
    if data.get("lists"):
        return keyed.value(Type("choice", words=open_lists.entries(turn, step)), keys)
    if data["number"]:
        return int(keys)
    kind, *words = data.get("kind", ["digits"])
    today = turn.run.facts.get("system.today", "")
    return keyed.value(Type(kind, words=tuple(words)), keys, data.get("keyed", ""), today)


def fits(step: Step, value: Value) -> bool:
    """Does it match the pattern that the step names?"""
    pattern = step.data.get("regex")
    return not pattern or patterns.matches(patterns.read(pattern), str(value))


def confirm(turn: Turn, step: Step, value: Value) -> None:
    """Say what was heard and ask; who has typed his answer ahead isn't asked."""
    run, data = turn.run, step.data
    _suppose(turn, step, CONFIRMING, value)
    clips = () if run.typed_ahead and data.get("type_ahead") is not False else turn.spoken(data["confirm"])
    if not listening.opened(turn, step, clips):
        turn.timer(data["timeout"])


def tell(turn: Turn, step: Step, value: Value) -> None:
    """Say what was understood, and go on unless the caller says otherwise."""
    _suppose(turn, step, TOLD, value)
    if not listening.opened(turn, step, turn.spoken(step.data["heard"])):
        turn.timer(limits.speech_told_ms)


def _suppose(turn: Turn, step: Step, mark: str, value: Value) -> None:
    """The value is in its variable while the caller hears of it, and what was there before is kept."""
    run = turn.run
    not_meant(turn, step)
    run.scratch[mark] = value
    run.digits = ""
    if step.verb == "menu":
        return
    name = step.data["into"]
    if name in run.variables:
        run.scratch[BEFORE] = run.variables[name]
    run.variables[name] = value


def taken(turn: Turn, step: Step) -> None:
    """He was told, or said yes: so be it."""
    scratch = turn.run.scratch
    value = scratch.pop(TOLD) if TOLD in scratch else scratch.pop(CONFIRMING)
    scratch.pop(BEFORE, None)
    if step.verb == "menu":
        leave(turn, step, str(value))
    else:
        accept(turn, step, value)


def _confirm_digit(turn: Turn, step: Step, pressed: str) -> None:
    if pressed == YES:
        taken(turn, step)
    elif pressed == NO:
        refused(turn, step)
    elif away(step, pressed):
        not_meant(turn, step)
        leave_by(turn, step, pressed)
    else:
        unsure(turn, step)


def refused(turn: Turn, step: Step) -> None:
    """It was not what he meant: what else he may have said is asked next, then the question once more."""
    run = turn.run
    run.refused.append(str(run.scratch.get(CONFIRMING, run.scratch.get(TOLD, ""))))
    not_meant(turn, step)
    while run.readings and step.data.get("confirm"):
        other = listening.value_in(step, run.readings.pop(0))
        if other is None or str(other) in run.refused:
            continue
        run.tries += 1
        if run.tries > step.data["tries"]:
            exhausted(turn, step)
        else:
            confirm(turn, step, other)
        return
    retry(turn, step, "again")


def not_meant(turn: Turn, step: Step) -> None:
    """What was heard is as if it had never been."""
    run = turn.run
    supposed = [mark for mark in (CONFIRMING, TOLD) if run.scratch.pop(mark, None) is not None]
    if supposed and step.verb != "menu":
        run.variables.pop(step.data["into"], None)
        if BEFORE in run.scratch:
            run.variables[step.data["into"]] = run.scratch.pop(BEFORE)


def unsure(turn: Turn, step: Step) -> None:
    """Neither yes nor no: the question once more, which is one of his tries."""
    run = turn.run
    value = run.scratch[CONFIRMING]
    run.tries += 1
    if run.tries > step.data["tries"]:
        not_meant(turn, step)
        exhausted(turn, step)
    else:
        confirm(turn, step, value)


def retry(turn: Turn, step: Step, why: str) -> None:
    run = turn.run
    run.tries += 1
    if run.tries > step.data["tries"]:
        exhausted(turn, step)
        return
    run.retry = why
    ask(turn, step)


def exhausted(turn: Turn, step: Step) -> None:
    """His tries are over: a round for keys alone, where the step has words for one, then it has failed."""
    run = turn.run
    if "by_keys" not in step.data or run.scratch.get(BY_KEYS):
        leave(turn, step, "failed")
        return
    run.scratch[BY_KEYS] = True
    run.tries = step.data["tries"]  # one round
    ask(turn, step)


def unheard(turn: Turn, step: Step) -> None:
    """The recogniser has failed him: he is asked once more, which is not his fault the first time."""
    run = turn.run
    failures = int(run.scratch.get(UNHEARD, 0)) + 1
    run.scratch[UNHEARD] = failures
    value = run.scratch.get(CONFIRMING, run.scratch.get(TOLD))
    if failures > 1:
        run.tries += 1
    if run.tries > step.data["tries"]:
        not_meant(turn, step)
        exhausted(turn, step)
    elif value is not None and step.data.get("confirm"):
        confirm(turn, step, value)
    else:
        not_meant(turn, step)
        run.retry = "no_match"
        ask(turn, step)


def accept(turn: Turn, step: Step, value: Value) -> None:
    run, data = turn.run, step.data
    name = data["into"]
    run.variables[name] = value
    shown = MASK if data["sensitive"] else spelled(turn, name, value)
    turn.out.append(Note("set", f"{name}={shown}", step.id))
    turn.collect(False)
    run.digits = ""
    if step.verb == "pin":
        lookup.ask(turn, step)
    else:
        turn.go_on()


def spelled(turn: Turn, name: str, value: Value) -> str:
    """A value for the records, as it is written in a file."""
    declared = turn.program.variables.get(name)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return shown_as(value, declared.type) if declared is not None else str(value)


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


def leave_for_person(turn: Turn, step: Step) -> None:
    """He wants to speak to somebody."""
    if turn.site.traced:
        turn.out.append(Note("way", step.place, step.id, "always person"))
    turn.collect(False)
    turn.run.digits = ""
    turn.run.waiting = ""
    turn.run.frames.clear()
    turn.intends(step.data["person"])
    turn.go(step.data["person"])


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
BEGIN = {"menu": keeping.telling(begin), "gather": keeping.telling(begin), "pin": begin}
ROWS: dict[tuple[str, type], Row] = {
    (verb, kind): rule
    for verb in ("menu", "gather")
    for kind, rule in (
        (PlayDone, spoken), (Digit, digit), (TimerFired, timer), (RecordingTold, recording.after(begin)),
    )
}
ROWS.update({
    ("pin", PlayDone): _pin(spoken, _VERIFYING["pin", PlayDone]),
    ("pin", Digit): _pin(digit, ahead),
    ("pin", TimerFired): _pin(timer, _VERIFYING["pin", TimerFired]),
    ("pin", LookupAnswered): _VERIFYING["pin", LookupAnswered],
})  # fmt: skip
