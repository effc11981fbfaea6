"""What a caller says in a menu or a gather: understood, asked about, put right, or not understood.

By how sure the reading is: below `accept` it is no match (the recogniser judges that), below `sure` the caller is asked
by `confirm`, above it he is told by `heard` and may say no. Without `heard`, `confirm` asks always.
"""

from __future__ import annotations

from engine import limits
from engine.dialplan.actions import Happening, SpeechBegan, Spoken
from engine.dialplan.program import Step
from engine.dialplan.turn import Begin, Row, Turn
from engine.dialplan.types import Value
from engine.dialplan.verbs import listen, listening, open_lists
from engine.dialplan.verbs.listening import CONFIRMING, TOLD, UNHEARD
from engine.speech import universal
from engine.speech.utterance import FAILED, MATCH, NO_INPUT, Heard, Utterance


def began(turn: Turn, step: Step, happening: Happening) -> None:
    """He speaks: the prompt stops, and his time runs no more, but the recogniser's does."""
    run = turn.run
    if not run.hearing:
        return
    run.speaking = True
    run.steps_since_input = 0
    if run.waiting == "play":
        turn.hush()
        run.waiting = "digits"
    turn.timer(limits.utterance_ms_max + limits.speech_grace_ms)


def heard_out(turn: Turn, happening: Happening) -> Utterance | None:
    """The utterance is over. None for one that a key has overtaken, and for a fault while the prompt still plays:
    nothing interrupts it then, and keys count."""
    run = turn.run
    if not isinstance(happening, Spoken) or run.hearing != happening.ticket:
        return None
    said = happening.utterance
    run.hearing, run.speaking = 0, False
    run.steps_since_input = 0
    if run.waiting == "play" and said.result in (FAILED, NO_INPUT):
        if said.result == FAILED:
            run.scratch[UNHEARD] = int(run.scratch.get(UNHEARD, 0)) + 1
        return None
    if run.waiting == "play":
        turn.hush()
        run.waiting = "digits"
    return open_lists.meant(turn, turn.current(), said)


def spoken(turn: Turn, step: Step, happening: Happening) -> None:
    said = heard_out(turn, happening)
    if said is None:
        return
    if said.result == FAILED:
        listen.unheard(turn, step)
    elif said.result == MATCH and said.best:
        understood(turn, step, said)
    elif said.result == NO_INPUT:
        listen.timer(turn, step, happening)
    else:
        not_understood(turn, step)


def not_understood(turn: Turn, step: Step) -> None:
    """No match, or a speech without an end."""
    scratch = turn.run.scratch
    if TOLD in scratch and step.data.get("confirm"):
        listen.confirm(turn, step, scratch[TOLD])
    elif CONFIRMING in scratch:
        listen.unsure(turn, step)
    else:
        listen.not_meant(turn, step)
        listen.retry(turn, step, "no_match")


def understood(turn: Turn, step: Step, said: Utterance) -> None:
    run, best = turn.run, said.best[0]
    if best.intent == universal.PERSON and step.data.get("person"):
        listen.not_meant(turn, step)
        listen.leave_for_person(turn, step)
    elif best.intent in (universal.AGAIN, universal.HELP) and best.intent not in step.data.get("intents", {}):
        once_more(turn, step, best.intent)
    elif CONFIRMING in run.scratch or TOLD in run.scratch:
        answered(turn, step, said)
    else:
        readings = [each for each in said.best if _fresh(step, each, run.refused)]
        if not readings:
            not_understood(turn, step)
            return
        run.readings = readings[1:] if step.verb != "pin" else []  # a guess at a secret is asked for, never tried
        weigh(turn, step, listening.value_in(step, readings[0]), readings[0].confidence)


def _fresh(step: Step, heard: Heard, refused: list[str]) -> bool:
    """Is this a value, and none that he has just said no to?"""
    value = listening.value_in(step, heard)
    return value is not None and str(value) not in refused and (step.verb == "menu" or listen.fits(step, value))


def weigh(turn: Turn, step: Step, value: Value | None, confidence: float) -> None:
    """How sure decides how it is confirmed."""
    data = step.data
    if value is None:
        not_understood(turn, step)
    elif step.verb == "menu" and step.outs.get(str(value)) == "again":
        listen.leave(turn, step, str(value))
    elif data.get("heard") and (confidence * 100 >= data["sure"] or not data.get("confirm")):
        listen.tell(turn, step, value)
    elif data.get("confirm"):
        listen.confirm(turn, step, value)
    elif step.verb == "menu":
        listen.leave(turn, step, str(value))
    else:
        listen.accept(turn, step, value)


def answered(turn: Turn, step: Step, said: Utterance) -> None:
    """To what he was asked, or told: yes, no, or no and what it is instead."""
    run = turn.run
    refused = str(run.scratch.get(CONFIRMING, run.scratch.get(TOLD, "")))
    best = said.best[0]
    if best.intent == universal.NO:  # "no, next Friday" to next Friday: the other one, of two that may be meant
        meant = [each for each in said.best if each.text == best.text]
        best = next((each for each in meant if _fresh(step, each, [refused])), best)
    value = listening.value_in(step, best)
    if value is not None and (step.verb == "menu" or listen.fits(step, value)):
        if str(value) != refused:
            run.refused.append(refused)
            run.readings = []
            weigh(turn, step, value, best.confidence)
            return
        listen.taken(turn, step)
    elif best.intent == universal.YES:
        listen.taken(turn, step)
    elif best.intent == universal.NO:
        listen.refused(turn, step)
    else:
        not_understood(turn, step)


def once_more(turn: Turn, step: Step, why: str) -> None:
    """He didn't hear it, or wants help: it is said again, and he may have another try."""
    run = turn.run
    if CONFIRMING in run.scratch:
        listen.confirm(turn, step, run.scratch[CONFIRMING])
        return
    listen.not_meant(turn, step)
    run.retry = "" if why == universal.AGAIN else why  # all of it
    listen.ask(turn, step)


ROWS: dict[tuple[str, type], Row] = {
    (verb, kind): rule
    for verb in ("menu", "gather", "pin")
    for kind, rule in ((SpeechBegan, began), (Spoken, spoken))
}
BEGIN: dict[str, Begin] = {}
