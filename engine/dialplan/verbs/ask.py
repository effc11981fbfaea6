"""ask: several values from one sentence; what was not said is asked by the gathers behind it, and `asked` says it all
back.

ask: speaking (waiting = play) --sentence--> the values that it held --> on. Not understood or silent for `tries` times:
on as well, since each value is asked for by itself then; a key belongs to the first of these questions.
asked: speaking --yes, 1--> on; "no, Tuesday" --> the value is put right and all is said again; no, 2 --> every value is
asked for anew, one by one, `tries` times in all.
"""

from __future__ import annotations

from engine import limits
from engine.dialplan.actions import Digit, Happening, Note, PlayDone, SpeechBegan, Spoken, TimerFired
from engine.dialplan.people_actions import RecordingTold
from engine.dialplan.program import Step
from engine.dialplan.turn import MASK, Begin, Row, Turn
from engine.dialplan.verbs import keeping, listen, listening, open_lists, recording, speech
from engine.dialplan.verbs.listening import CONFIRMING, UNHEARD
from engine.speech import universal
from engine.speech.utterance import FAILED, MATCH, Heard

SURE = "asked sure"  # in scratch: how sure the least sure value is, in percent
ROUNDS = "asked rounds"
NO = "2"


# --- the opening question -----------------------------------------------------------------------------------------
def begin(turn: Turn, step: Step) -> None:
    """What was known of these values before is forgotten: he is asked."""
    run = turn.run
    run.tries, run.retry, run.digits = 1, "", ""
    run.scratch[SURE] = 100
    for mark in (CONFIRMING, UNHEARD, ROUNDS, listening.TOLD, listening.BY_KEYS):
        run.scratch.pop(mark, None)
    for name in step.data["names"]:
        run.variables.pop(name, None)
    if run.typed_ahead or open_lists.empty(turn, step):
        turn.go_on()
    else:
        listen.ask(turn, step)


def digit(turn: Turn, step: Step, happening: Happening) -> None:
    """Keys answer the questions that follow; a 0 alone, too, is theirs to understand."""
    run = turn.run
    if not isinstance(happening, Digit):
        return
    run.typed_ahead = (run.typed_ahead + happening.digit)[: limits.digits_buffered_max]
    if run.waiting == "play":
        if happening.early or listening.barge_in(step) == "off":
            return
        turn.hush()
    on(turn)


def on(turn: Turn) -> None:
    turn.collect(False)
    turn.run.steps_since_input = 0
    turn.go_on()


def again(turn: Turn, step: Step, why: str) -> None:
    """Another try, or, after the last, value by value."""
    run = turn.run
    run.tries += 1
    if run.tries > step.data["tries"]:
        on(turn)
        return
    run.retry = why
    listen.ask(turn, step)


def timer(turn: Turn, step: Step, happening: Happening) -> None:
    run = turn.run
    if run.waiting == "play":
        turn.hush()
        listen.spoken(turn, step, happening)
    elif run.speaking:
        on(turn)  # a recogniser that never answers: the questions that follow listen anew, and take keys
    else:
        again(turn, step, "no_input")


def sentence(turn: Turn, step: Step, happening: Happening) -> None:
    said = speech.heard_out(turn, happening)
    if said is None:
        return
    best = said.best[0] if said.best else Heard("", "")
    if said.result == FAILED:
        on(turn)
    elif said.result != MATCH:
        again(turn, step, "no_match" if said.result != "no_input" else "no_input")
    elif best.intent == universal.PERSON and step.data.get("person"):
        listen.leave_for_person(turn, step)
    elif best.intent in (universal.AGAIN, universal.HELP) and not best.slots:
        turn.run.retry = "" if best.intent == universal.AGAIN else best.intent
        listen.ask(turn, step)
    elif best.slots:
        fill(turn, step, best)
        on(turn)
    else:
        again(turn, step, "no_match")


def fill(turn: Turn, step: Step, best: Heard) -> None:
    """Values of a sentence into their variables."""
    run = turn.run
    run.scratch[SURE] = min(int(run.scratch.get(SURE, 100)), round(best.confidence * 100))
    for name in step.data["names"]:
        if name not in best.slots:
            continue
        run.variables[name] = best.slots[name]
        declared = turn.program.variables.get(name)
        hidden = declared is not None and declared.sensitive
        shown = MASK if hidden else listen.spelled(turn, name, best.slots[name])
        turn.out.append(Note("set", f"{name}={shown}", step.id))


# --- is it all right? -----------------------------------------------------------------------------------------------
def begin_asked(turn: Turn, step: Step) -> None:
    run, data = turn.run, step.data
    run.tries, run.digits = 1, ""
    run.scratch.pop(UNHEARD, None)
    told = "heard" in data and ("confirm" not in data or int(run.scratch.get(SURE, 100)) >= data["sure"])
    run.scratch[listening.TOLD if told else CONFIRMING] = step.id
    say_back(turn, step)


def say_back(turn: Turn, step: Step) -> None:
    told = listening.TOLD in turn.run.scratch
    clips = turn.spoken(step.data["heard" if told else "confirm"])
    if not listening.opened(turn, step, clips):
        turn.timer(limits.speech_told_ms if told else step.data["timeout"])


def settled(turn: Turn) -> None:
    """So be it."""
    for mark in (CONFIRMING, listening.TOLD, SURE, ROUNDS):
        turn.run.scratch.pop(mark, None)
    on(turn)


def unsure(turn: Turn, step: Step) -> None:
    """Neither yes nor no: asked once more, also where he was only told."""
    run = turn.run
    run.tries += 1
    if run.tries > step.data["tries"]:
        give_up(turn, step)
        return
    if "confirm" in step.data and run.scratch.pop(listening.TOLD, None) is not None:
        run.scratch[CONFIRMING] = step.id
    say_back(turn, step)


def give_up(turn: Turn, step: Step) -> None:
    for mark in (CONFIRMING, listening.TOLD, SURE, ROUNDS):
        turn.run.scratch.pop(mark, None)
    listen.leave(turn, step, "failed")


def anew(turn: Turn, step: Step) -> None:
    """No: value by value, from the first."""
    run = turn.run
    rounds = int(run.scratch.get(ROUNDS, 1)) + 1
    if rounds > step.data["tries"]:
        give_up(turn, step)
        return
    run.scratch[ROUNDS] = rounds
    for mark in (CONFIRMING, listening.TOLD):
        run.scratch.pop(mark, None)
    for name in step.data["names"]:
        run.variables.pop(name, None)
    flow, index = run.stack[-1]
    run.stack[-1] = (flow, index - 1 - len(step.data["names"]))
    on(turn)


def digit_asked(turn: Turn, step: Step, happening: Happening) -> None:
    run = turn.run
    if not isinstance(happening, Digit):
        return
    told = listening.TOLD in run.scratch
    if run.waiting == "play":
        if happening.early or listening.barge_in(step) == "off":
            run.typed_ahead = (run.typed_ahead + happening.digit)[: limits.digits_buffered_max]
            return
        turn.hush()
        run.waiting = "digits"
    turn.deafen()
    run.steps_since_input = 0
    if told:
        run.typed_ahead = (run.typed_ahead + happening.digit)[: limits.digits_buffered_max]
        settled(turn)
    elif happening.digit == listen.YES:
        settled(turn)
    elif happening.digit == NO:
        anew(turn, step)
    elif listen.away(step, happening.digit):
        listen.leave_by(turn, step, happening.digit)
    else:
        unsure(turn, step)


def played_asked(turn: Turn, step: Step, happening: Happening) -> None:
    """He has heard it: keys that had to wait for that count now."""
    run = turn.run
    listen.heard_out(turn, step)
    ahead, run.typed_ahead = run.typed_ahead, ""
    if not ahead:
        return
    if listening.TOLD in run.scratch:
        run.typed_ahead = ahead
        settled(turn)
        return
    run.typed_ahead = ahead[1:]
    digit_asked(turn, step, Digit(ahead[0]))


def timer_asked(turn: Turn, step: Step, happening: Happening) -> None:
    run = turn.run
    if run.waiting == "play":
        turn.hush()
        played_asked(turn, step, happening)
    elif run.speaking:
        run.scratch[UNHEARD] = int(run.scratch.get(UNHEARD, 0)) + 1
        unsure(turn, step)
    elif listening.TOLD in run.scratch:
        settled(turn)
    else:
        unsure(turn, step)


def answer_asked(turn: Turn, step: Step, happening: Happening) -> None:
    run = turn.run
    said = speech.heard_out(turn, happening)
    if said is None:
        return
    best = said.best[0] if said.best else Heard("", "")
    if said.result == FAILED:
        run.scratch[UNHEARD] = int(run.scratch.get(UNHEARD, 0)) + 1
    if said.result != MATCH or best.intent in (universal.AGAIN, universal.HELP):
        unsure(turn, step)
    elif best.intent == universal.PERSON and step.data.get("person"):
        for mark in (CONFIRMING, listening.TOLD):
            run.scratch.pop(mark, None)
        listen.leave_for_person(turn, step)
    elif best.slots:
        fill(turn, step, best)
        for mark in (CONFIRMING, listening.TOLD):
            run.scratch.pop(mark, None)
        begin_asked(turn, step)
    elif best.intent == universal.YES:
        settled(turn)
    else:
        anew(turn, step)


BEGIN: dict[str, Begin] = {"ask": keeping.telling(begin), "asked": begin_asked}
ROWS: dict[tuple[str, type], Row] = {
    ("ask", PlayDone): listen.spoken, ("ask", Digit): digit, ("ask", TimerFired): timer,
    ("ask", RecordingTold): recording.after(begin),
    ("ask", SpeechBegan): speech.began, ("ask", Spoken): sentence,
    ("asked", PlayDone): played_asked, ("asked", Digit): digit_asked, ("asked", TimerFired): timer_asked,
    ("asked", SpeechBegan): speech.began, ("asked", Spoken): answer_asked,
}  # fmt: skip
