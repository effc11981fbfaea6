"""voicemail: the greeting, the beep, and the caller's message.

asking the engine (waiting = box) --open--> greeting (play) --end or #--> message (record) --> the next step
asking the engine --full, failed--> that outcome; where it isn't named he is told (play), and the next step follows
"""

from __future__ import annotations

from engine.dialplan.actions import (
    AskBox,
    BoxAnswer,
    Digit,
    Happening,
    LeaveMessage,
    Note,
    PlayDone,
    RecordDone,
    StopRecord,
    TimerFired,
)
from engine.dialplan.box_model import BoxModel
from engine.dialplan.program import Step
from engine.dialplan.turn import Row, Turn

KEY = "#"
GREETING, FULL = "leave_message", "box_full"  # stock prompts
RECORD_GRACE_MS = 15_000  # for the beep, and for the disk's answer
_GREETED, _TOLD = "greeting", "told"


def begin(turn: Turn, step: Step) -> None:
    """Ask first: nobody speaks into a box that is full."""
    turn.run.typed_ahead = ""
    turn.out.append(AskBox(turn.wait("box"), step.data["box"]))


def answered(turn: Turn, step: Step, happening: Happening) -> None:
    result = happening.result if isinstance(happening, BoxAnswer) else "failed"
    if result == "open":
        turn.run.scratch["voicemail"] = _GREETED
        if turn.speak(_greeting(turn, step)):
            turn.collect(True)
        else:
            record(turn, step)
        return
    turn.out.append(Note("tag", f"voicemail {result}", step.id))
    if result in step.outs:
        turn.take(step, result)
        return
    turn.run.scratch["voicemail"] = _TOLD
    if not turn.speak(_stock(turn, FULL)):
        turn.go_on()


def _box(turn: Turn, step: Step) -> BoxModel | None:
    return turn.site.boxes.get(step.data["box"])


def _greeting(turn: Turn, step: Step) -> tuple[str, ...]:
    """The step's own prompt, the box's greeting in the caller's language, or the stock one."""
    if step.data.get("prompt"):
        return turn.spoken(step.data["prompt"])
    box = _box(turn, step)
    own = box.greeting if box is not None else {}
    return own.get(turn.run.language) or own.get(turn.program.languages[0]) or _stock(turn, GREETING)


def _stock(turn: Turn, name: str) -> tuple[str, ...]:
    for full in (f"{turn.tenant}:{turn.run.language}/{name}", f"{turn.run.language}/{name}"):
        if full in turn.site.prompts:
            return (full,)
    return ()


def spoken(turn: Turn, step: Step, happening: Happening) -> None:
    """What he was told is over, or never reported its end."""
    if turn.run.waiting != "play":
        return
    if isinstance(happening, TimerFired):
        turn.hush()
    if turn.run.scratch.pop("voicemail", "") == _GREETED:
        record(turn, step)
    else:
        turn.go_on()


def key(turn: Turn, step: Step, happening: Happening) -> None:
    """`#` while the greeting is heard: straight to the beep."""
    run = turn.run
    pressed = isinstance(happening, Digit) and happening.digit == KEY
    if pressed and run.waiting == "play" and run.scratch.get("voicemail") == _GREETED:
        run.steps_since_input = 0
        run.scratch.pop("voicemail")
        turn.hush()
        record(turn, step)


def record(turn: Turn, step: Step) -> None:
    turn.collect(False)
    box = _box(turn, step)
    longest_ms = step.data.get("max") or (box.longest_ms if box is not None else 0)
    ticket = turn.wait("record")
    turn.out.append(LeaveMessage(ticket, step.data["box"], longest_ms))
    turn.timer(longest_ms + RECORD_GRACE_MS)


def taken(turn: Turn, step: Step, happening: Happening) -> None:
    """The recording is over; whether it was long enough the engine has judged by the same rule."""
    run, box = turn.run, _box(turn, step)
    run.steps_since_input = 0
    ms = happening.duration_ms if isinstance(happening, RecordDone) else -1
    shortest_ms = box.shortest_ms if box is not None else 0
    result = "failed" if ms < 0 else "too_short" if ms < shortest_ms else "left"
    turn.out.append(Note("tag", f"voicemail {result}", step.id))
    turn.take(step, result)  # "left" is no outcome: the next step


def timer(turn: Turn, step: Step, happening: Happening) -> None:
    if turn.run.waiting == "play":
        spoken(turn, step, happening)
    elif turn.run.waiting == "record":
        turn.out.append(StopRecord())
        turn.fault("the recording of a message did not end")
        turn.take(step, "failed")


BEGIN = {"voicemail": begin}
ROWS: dict[tuple[str, type], Row] = {
    ("voicemail", BoxAnswer): answered,
    ("voicemail", PlayDone): spoken,
    ("voicemail", Digit): key,
    ("voicemail", RecordDone): taken,
    ("voicemail", TimerFired): timer,
}
