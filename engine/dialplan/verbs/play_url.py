"""play_url: a recording that lies on a server elsewhere is fetched and heard.

fetching (waiting = fetch) --it is here--> playing (waiting = play) --heard--> the next step
fetching --0.7 s--> the busy prompt, still fetching --it is here--> the prompt is heard out, then playing
fetching --no sound came of it, or the deadline--> failed: also when the engine's own runtime never answers (law 6)
"""

from __future__ import annotations

from engine import limits
from engine.dialplan.actions import (
    DropFetched,
    FetchSound,
    Happening,
    Note,
    PlayDone,
    PlayFetched,
    PlayPrompts,
    SoundFetched,
    TimerFired,
)
from engine.dialplan.program import Step
from engine.dialplan.turn import PLAY_GRACE_MS, Row, Turn

ASKED, SAID, OVER = "asked", "said", "over"  # the busy prompt: not yet, begun, ended
NOTHING = -1  # instead of a length: no sound came


def begin(turn: Turn, step: Step) -> None:
    """Ask for the recording at the literal address of the step."""
    run, data = turn.run, step.data
    ticket = turn.wait("fetch")
    run.scratch["fetch"] = ASKED
    run.scratch.pop("fetched", None)
    turn.out.append(FetchSound(ticket, data["url"], timeout_ms(step), data.get("cache", 0)))
    turn.timer(limits.lookup_busy_ms if data.get("busy") else deadline_ms(step))


def timeout_ms(step: Step) -> int:
    return int(step.data.get("timeout", limits.fetch_ms_default))


def deadline_ms(step: Step) -> int:
    return timeout_ms(step) + limits.lookup_grace_ms


def fetched(turn: Turn, step: Step, happening: Happening) -> None:
    """It is here, or it isn't; a busy prompt that is being spoken is heard out."""
    run = turn.run
    if not isinstance(happening, SoundFetched) or run.waiting != "fetch" or "fetched" in run.scratch:
        return
    told(turn, step, happening.ms, happening.reason)
    run.scratch["fetched"] = NOTHING if happening.reason else happening.duration_ms
    if run.scratch.get("fetch") == SAID:
        turn.timer(turn.length(turn.spoken(step.data["busy"])))
    else:
        settle(turn, step)


def settle(turn: Turn, step: Step) -> None:
    """Play what has come, or leave by `failed`."""
    run = turn.run
    run.scratch.pop("fetch", None)
    length_ms = run.scratch.pop("fetched", NOTHING)
    turn.timer(0)
    if not isinstance(length_ms, int) or length_ms < 0:
        turn.out.append(DropFetched())
        turn.take(step, "failed")
        return
    turn.out.append(PlayFetched(turn.wait("play"), step.data["url"]))
    turn.timer(length_ms + PLAY_GRACE_MS)


def played(turn: Turn, step: Step, happening: Happening) -> None:
    """The busy prompt has been heard, or the recording has."""
    run = turn.run
    if run.waiting == "play":
        heard(turn)
    elif "fetched" in run.scratch:
        settle(turn, step)
    elif run.scratch.get("fetch") == SAID:
        run.scratch["fetch"] = OVER


def heard(turn: Turn) -> None:
    turn.out.append(DropFetched())
    turn.timer(0)
    turn.go_on()


def timer(turn: Turn, step: Step, happening: Happening) -> None:
    """0.7 s without an answer, the deadline, or a play that never reported its end."""
    run, data = turn.run, step.data
    left_ms = deadline_ms(step) - limits.lookup_busy_ms
    if run.waiting == "play":
        turn.hush()
        heard(turn)
    elif "fetched" in run.scratch:
        turn.hush()
        settle(turn, step)
    elif data.get("busy") and run.scratch.get("fetch") == ASKED and left_ms > 0:
        clips = turn.spoken(data["busy"])
        run.scratch["fetch"] = SAID if clips else OVER
        if clips:
            turn.out.append(PlayPrompts(run.ticket, clips, hidden=tuple(turn.hidden)))
        turn.timer(left_ms)
    else:
        turn.hush()
        told(turn, step, deadline_ms(step), "no answer came in time")
        settle(turn, step)


def told(turn: Turn, step: Step, ms: int, reason: str) -> None:
    result = "failed" if reason else "ok"
    turn.out.append(Note("fetch", f"{step.data['url']} {result} {ms} {reason}".rstrip(), step.id))


BEGIN = {"play_url": begin}
ROWS: dict[tuple[str, type], Row] = {
    ("play_url", SoundFetched): fetched,
    ("play_url", PlayDone): played,
    ("play_url", TimerFired): timer,
}
