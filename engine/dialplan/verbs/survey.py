"""survey: questions after the call, each answered by one key; what is answered is noted at once.

intro (play) -> speaking (play) --its end--> listening (digits) --a key of the question--> the next question
another key or silence: once more, then the next question; behind the last: thanks (play), the next step.
"""

from __future__ import annotations

from engine.dialplan.actions import Digit, Happening, Note, PlayDone, TimerFired
from engine.dialplan.program import Step
from engine.dialplan.turn import Row, Turn

AT = "survey"  # scratch: the question that is asked, -1 the intro, behind the last the thanks


def begin(turn: Turn, step: Step) -> None:
    run = turn.run
    run.scratch[AT], run.tries, run.typed_ahead = -1, 1, ""
    turn.out.append(Note("survey", step.data["name"], step.id))
    if not turn.speak(turn.spoken(step.data.get("intro"))):
        _next(turn, step)


def _next(turn: Turn, step: Step) -> None:
    """The next question; behind the last the thanks, then the step is over."""
    run, questions = turn.run, step.data["questions"]
    at = run.scratch[AT] = int(run.scratch.get(AT, -1)) + 1
    run.tries = 1
    if at < len(questions):
        _ask(turn, step)
    elif at > len(questions) or not turn.speak(turn.spoken(step.data.get("thanks"))):
        run.scratch.pop(AT, None)
        turn.go_on()


def _ask(turn: Turn, step: Step) -> None:
    question = step.data["questions"][int(turn.run.scratch[AT])]
    if turn.speak(turn.spoken(question[1])):
        turn.collect(True)
    else:
        _listen(turn, step)


def _listen(turn: Turn, step: Step) -> None:
    turn.wait("digits")
    turn.collect(True)
    turn.timer(step.data["timeout"])


def spoken(turn: Turn, step: Step, happening: Happening) -> None:
    at = int(turn.run.scratch.get(AT, -1))
    if turn.run.waiting != "play":
        return
    if 0 <= at < len(step.data["questions"]):
        _listen(turn, step)
    else:
        _next(turn, step)


def key(turn: Turn, step: Step, happening: Happening) -> None:
    """An answer may come while the question is spoken; a key during intro or thanks goes on to what follows."""
    run, questions = turn.run, step.data["questions"]
    pressed = happening.digit if isinstance(happening, Digit) else ""
    at = int(run.scratch.get(AT, -1))
    run.steps_since_input = 0
    turn.hush()
    if not 0 <= at < len(questions):
        _next(turn, step)
        return
    name, _, keys = questions[at]
    turn.collect(False)
    if pressed in keys:
        turn.out.append(Note("survey", f"{step.data['name']} {name} {pressed}", step.id))
        _next(turn, step)
    else:
        _again(turn, step)


def silence(turn: Turn, step: Step, happening: Happening) -> None:
    """Nothing was pressed, or what was spoken never reported its end."""
    if turn.run.waiting == "play":
        turn.hush()
        spoken(turn, step, happening)
    elif turn.run.waiting == "digits":
        turn.collect(False)
        _again(turn, step)


def _again(turn: Turn, step: Step) -> None:
    run = turn.run
    run.tries += 1
    if run.tries > step.data["tries"]:
        _next(turn, step)
    else:
        _ask(turn, step)


BEGIN = {"survey": begin}
ROWS: dict[tuple[str, type], Row] = {
    ("survey", PlayDone): spoken, ("survey", Digit): key, ("survey", TimerFired): silence,
}  # fmt: skip
