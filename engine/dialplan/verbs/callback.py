"""callback: the caller is asked to confirm, hangs up later, and is rung back when his turn comes.

asking the engine (waiting = callback) --allowed--> speaking (play) --> listening (digits) --1--> booking (callback)
any other answer, another key or silence leaves by its outcome; booked goes on to the next step.
"""

from __future__ import annotations

from engine.dialplan.actions import AskCallback, CallbackAnswer, Digit, Happening, Note, PlayDone, TimerFired
from engine.dialplan.program import Step
from engine.dialplan.speaking import clips_for
from engine.dialplan.turn import Row, Turn

CONFIRM_KEY = "1"
STOCK_PROMPT = "callback_offer"


def begin(turn: Turn, step: Step) -> None:
    """Ask first whether this number may be called, so that nobody confirms what is then refused."""
    run = turn.run
    run.tries, run.retry, run.typed_ahead = 1, "", ""
    run.scratch["callback"] = "asked"
    turn.out.append(_ask(turn, step, book=False))


def _ask(turn: Turn, step: Step, *, book: bool) -> AskCallback:
    name = step.data.get("number", "")
    number = str(turn.run.variables.get(name, "")) if name else ""
    priority = turn.run.priority_ms + step.data.get("priority", 0)
    if book:
        turn.run.priority_ms = 0
    needs = [(turn.run.language if skill == "language" else skill, level) for skill, level in step.data["needs"]]
    return AskCallback(
        turn.wait("callback"), step.data["queue"], number, bool(name), step.data["replace"], book, priority,
        tuple(needs),
    )  # fmt: skip


def answered(turn: Turn, step: Step, happening: Happening) -> None:
    run = turn.run
    result = happening.result if isinstance(happening, CallbackAnswer) else "failed"
    if result == "allowed" and step.data["confirm_by_key"]:
        number = happening.number if isinstance(happening, CallbackAnswer) else ""
        run.scratch["callback"] = number
        speak(turn, step)
    elif result == "allowed":
        turn.out.append(_ask(turn, step, book=True))
    elif result == "accepted":
        run.steps_since_input = 0
        run.scratch.pop("callback", None)
        turn.out.append(Note("tag", f"callback at place {happening.position}", step.id))  # type: ignore[union-attr]
        turn.go_on()
    else:
        leave(turn, step, result)


def speak(turn: Turn, step: Step) -> None:
    """The prompt of the step, or the stock one followed by the number, digit by digit."""
    clips = turn.spoken(step.data.get("confirm"))
    if not clips:
        number = str(turn.run.scratch.get("callback", ""))
        language = turn.run.language
        stock = f"{language}/{STOCK_PROMPT}"
        clips = (stock,) if stock in turn.site.prompts else ()
        clips += clips_for("digits", number, language, turn.site, turn.tenant)
    if turn.speak(clips):
        turn.collect(True)
        return
    listen(turn, step)


def listen(turn: Turn, step: Step) -> None:
    turn.wait("digits")
    turn.collect(True)
    turn.timer(step.data["timeout"])


def spoken(turn: Turn, step: Step, happening: Happening) -> None:
    if turn.run.waiting == "play":
        listen(turn, step)


def key(turn: Turn, step: Step, happening: Happening) -> None:
    """1 books it; any other key is a no."""
    if turn.run.waiting not in ("play", "digits"):
        return
    turn.run.steps_since_input = 0
    pressed = happening.digit if isinstance(happening, Digit) else ""
    turn.hush()
    turn.collect(False)
    if pressed == CONFIRM_KEY:
        turn.out.append(_ask(turn, step, book=True))
    else:
        leave(turn, step, "declined")


def silence(turn: Turn, step: Step, happening: Happening) -> None:
    """Nothing was pressed, or the prompt never reported its end: once more, then it is a no."""
    run = turn.run
    if run.waiting == "play":
        turn.hush()
        listen(turn, step)
        return
    if run.waiting != "digits":
        return
    run.tries += 1
    if run.tries > step.data["tries"]:
        turn.collect(False)
        leave(turn, step, "declined")
    else:
        speak(turn, step)


def leave(turn: Turn, step: Step, result: str) -> None:
    turn.run.scratch.pop("callback", None)
    turn.take(step, result if result in step.outs else "failed")


BEGIN = {"callback": begin}
ROWS: dict[tuple[str, type], Row] = {
    ("callback", CallbackAnswer): answered,
    ("callback", PlayDone): spoken,
    ("callback", Digit): key,
    ("callback", TimerFired): silence,
}
