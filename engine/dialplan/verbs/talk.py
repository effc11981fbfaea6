"""answer, play, say, music, silence, echo, language: what the caller hears."""

from __future__ import annotations

from engine.dialplan.actions import (
    Answer,
    AnsweredNow,
    EchoBack,
    Happening,
    Note,
    PlayDone,
    PlayPrompts,
    StopPlay,
    TimerFired,
)
from engine.dialplan.program import Step
from engine.dialplan.speaking import clips_for
from engine.dialplan.turn import Row, Turn
from engine.dialplan.wait_words import range_clips


def begin_answer(turn: Turn, step: Step) -> None:
    if turn.run.answered:
        return
    turn.out.append(Answer(turn.wait("answer")))


def answered(turn: Turn, step: Step, happening: Happening) -> None:
    turn.run.answered = True
    turn.go_on()


def begin_play(turn: Turn, step: Step) -> None:
    turn.speak(turn.spoken(step.data["prompt"]), loop_ms=step.data.get("for", 0))


def begin_say(turn: Turn, step: Step) -> None:
    turn.speak(turn.spoken(step.data["text"]))


def play_done(turn: Turn, step: Step, happening: Happening) -> None:
    turn.go_on()


def time_over(turn: Turn, step: Step, happening: Happening) -> None:
    """The time of a looped play is over, or a play never reported its end."""
    turn.hush()
    turn.go_on()


def begin_music(turn: Turn, step: Step) -> None:
    clips = tuple(step.data.get("name") or ())
    if not clips and not turn.program.loops:  # who waits in a queue hears the queue's
        tenant = turn.site.tenants.get(turn.tenant)
        clips = tenant.music if tenant is not None else ("music/default",)
    ticket = turn.wait("play")
    turn.out.append(PlayPrompts(ticket, clips, True))
    turn.timer(step.data.get("for") or turn.forever())


def music_over(turn: Turn, step: Step, happening: Happening) -> None:
    turn.hush()
    _on_or_out(turn, step)


def begin_silence(turn: Turn, step: Step) -> None:
    turn.wait("timer")
    turn.timer(step.data.get("for") or turn.forever())


def silence_over(turn: Turn, step: Step, happening: Happening) -> None:
    _on_or_out(turn, step)


def _on_or_out(turn: Turn, step: Step) -> None:
    """Go on when the step had a time; without one only the longest call ends it."""
    if step.data.get("for"):
        turn.go_on()
    else:
        turn.end("served", 16)


def begin_echo(turn: Turn, step: Step) -> None:
    turn.wait("echo")
    turn.out.append(EchoBack())
    turn.timer(turn.forever())


def echo_over(turn: Turn, step: Step, happening: Happening) -> None:
    turn.out.append(StopPlay())
    turn.end("served", 16)


def begin_language(turn: Turn, step: Step) -> None:
    turn.run.language = step.data["name"]
    turn.run.facts["call.language"] = turn.run.language
    turn.out.append(Note("set", f"call.language={turn.run.language}", step.id))


def begin_position(turn: Turn, step: Step) -> None:
    """His place in the queue, as the facts say it now; nothing when he is being offered to an agent."""
    place = turn.run.facts.get("queue.position", "0")
    if turn.speak(clips_for("position", place, turn.run.language, turn.site, turn.tenant)):
        turn.out.append(Note("position", place, step.id))


def begin_estimate(turn: Turn, step: Step) -> None:
    """How long he will probably wait: "LOW HIGH" minutes in the facts, when an honest range can be said."""
    words = turn.run.facts.get("queue.range", "")
    if words and turn.speak(range_clips(words, turn.run.language, turn.site, turn.tenant)):
        turn.out.append(Note("estimate", words, step.id))


BEGIN = {
    "position": begin_position,
    "estimate": begin_estimate,
    "answer": begin_answer,
    "play": begin_play,
    "say": begin_say,
    "music": begin_music,
    "silence": begin_silence,
    "echo": begin_echo,
    "language": begin_language,
}
ROWS: dict[tuple[str, type], Row] = {
    ("answer", AnsweredNow): answered,
    ("play", PlayDone): play_done,
    ("play", TimerFired): time_over,
    ("say", PlayDone): play_done,
    ("say", TimerFired): time_over,
    ("music", TimerFired): music_over,
    ("silence", TimerFired): silence_over,
    ("position", PlayDone): play_done,
    ("position", TimerFired): time_over,
    ("estimate", PlayDone): play_done,
    ("estimate", TimerFired): time_over,
    ("echo", TimerFired): echo_over,
}
