"""Words of a caller who waits in a queue: "call me back" leaves it as the key of that choice does, at any time.

What the menus of a wait list offer is listened to through all that he hears, music as well; nothing of it stops until
words are understood that leave the queue. Tickets are below 0, apart from those of the dialplan, which waits meanwhile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import limits
from engine.call import hearing, staying
from engine.dialplan import actions
from engine.speech.utterance import FAILED, MATCH, Listening

if TYPE_CHECKING:
    from engine.call.call import Call
    from engine.call.listening import SpeechDone
    from engine.call.room import Room
    from engine.dialplan.program import Program

failures_max = 3  # of recognisers in one stay; then keys alone serve him


def begin(room: Room, call: Call, program: Program, now_ms: int) -> None:
    """Listen, unless that is done already, or recognisers have failed him too often."""
    kept, run = call.waiting, call.running
    if kept is None or run is None or call.phase != "queue" or kept.unheard >= failures_max:
        return
    grammar = program.hears.get(run.language, "")
    if not grammar or call.hearing:
        return
    kept.words_ticket = max(now_ms, kept.words_ticket + 1)
    listening = Listening(
        grammar, run.language, pause_ms=limits.speech_pause_ms, utterance_ms_max=limits.utterance_ms_max,
        threshold=program.accept / 100,
    )  # fmt: skip
    hearing.begin(room, call, actions.Hear(-kept.words_ticket, listening), now_ms)


def done(room: Room, event: SpeechDone, now_ms: int) -> None:
    """What somebody said, to a dialplan or to the wait list that he hears."""
    call = room.calls.get(event.call)
    mine = call is not None and bool(call.hearing) and call.hearing == event.ticket and event.ticket < 0
    hearing.done(room, event, now_ms)
    if call is None or not mine or call.waiting is None:
        return
    said, program = event.utterance, program_of(room, call)
    if said.result == FAILED:
        call.waiting.unheard += 1  # the next step of the wait list listens anew
    elif program is not None:
        key = program.said.get(said.best[0].intent, "") if said.result == MATCH and said.best else ""
        if not key or not staying.exit_key(room, call, key, now_ms):
            begin(room, call, program, now_ms)


def program_of(room: Room, call: Call) -> Program | None:
    """The wait list that he hears, None without one."""
    kept = call.waiting
    dialplan = room.site_of(call).programs.get(call.program)
    if kept is None or kept.wish is None or dialplan is None:
        return None
    return dialplan.waits.get(kept.wish.wait)
