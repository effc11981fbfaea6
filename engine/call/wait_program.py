"""A wait list at work: its steps run beside the call's dialplan while the caller waits in a queue.

Its variables are the dialplan's, its facts the queue's. Whatever goes wrong in it, the caller keeps his place and
hears the queue's music. When an agent answers it is over in that moment: bridging replaces what it plays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from engine.call import announcing, live_facts, notes, queue_facts, staying, wait_hearing
from engine.call import leg as legs
from engine.dialplan import actions, interpreter

if TYPE_CHECKING:
    from engine.call.call import Call
    from engine.call.room import Room
    from engine.dialplan.actions import Action, Happening
    from engine.dialplan.program import Program

SILENT_MS = 20  # instead of a prompt that has no sound


def begin(room: Room, call: Call, now_ms: int) -> bool:
    """His queue step names a wait list: it begins. False when it names none."""
    kept, program = call.waiting, wait_hearing.program_of(room, call)
    if kept is None or program is None or call.running is None:
        return False
    facts = _facts(room, call, program, now_ms)
    kept.run, wishes = interpreter.start_wait(program, call.running, facts, room.site_of(call))
    _perform(room, call, wishes, now_ms)
    wait_hearing.begin(room, call, program, now_ms)
    return True


def tell(room: Room, call: Call, happening: Happening, now_ms: int) -> None:
    """Something that the wait list waits for; late words are dropped by their ticket."""
    kept, program = call.waiting, wait_hearing.program_of(room, call)
    if kept is None or kept.run is None or program is None or call.running is None or call.phase != "queue":
        return
    facts = _facts(room, call, program, now_ms)
    wishes = interpreter.step_wait(kept.run, call.running, happening, program, facts, room.site_of(call))
    _perform(room, call, wishes, now_ms)
    wait_hearing.begin(room, call, program, now_ms)


def due(room: Room, call: Call, now_ms: int) -> None:
    """Its timer."""
    if call.waiting is not None:
        tell(room, call, actions.TimerFired(call.waiting.timer_ticket), now_ms)


def listens(call: Call) -> bool:
    """Do keys belong to the wait list?"""
    return call.waiting is not None and call.waiting.run is not None and call.waiting.listens


def _facts(room: Room, call: Call, program: Program, now_ms: int) -> dict[str, str]:
    number = room.queue_ids.get(call.queue, -1)
    estimate = queue_facts.range_ms(room, call, number, now_ms) if program.estimates else None
    facts = queue_facts.wait_facts(room, call, estimate, now_ms)
    words = announcing.words_now(room, call, estimate, now_ms)
    if words:
        facts["queue.range"] = words
    live_facts.tell(room, call, room.site_of(call).programs[call.program], facts, now_ms)
    return facts


def _perform(room: Room, call: Call, wishes: list[Action], now_ms: int) -> None:
    following = [isinstance(wish, actions.PlayPrompts) for wish in wishes]
    for place, wish in enumerate(wishes):
        if call.waiting is None or call.waiting.run is None:
            return
        if isinstance(wish, actions.Note):
            _note(room, call, wish, now_ms)
        elif isinstance(wish, actions.StopPlay) and any(following[place:]):
            _music_broken_off(room, call, now_ms)  # what follows replaces it: no gap between
            room.legs[call.leg].playing = ""
        else:
            _RULES[type(wish)](room, call, wish, now_ms)


def _note(room: Room, call: Call, note: actions.Note, now_ms: int) -> None:
    if note.kind == "position":
        announcing.told_position(room, call, int(note.text))
    elif note.kind == "estimate":
        announcing.told_range(room, call, note.text, now_ms)
    elif note.kind != "step" or room.site_of(call).traced:
        # else the same few steps every half minute for everybody who waits would drown the records
        notes.take(room, call, note)


def _play(room: Room, call: Call, wish: actions.PlayPrompts, now_ms: int) -> None:
    kept, leg = call.waiting, room.legs[call.leg]
    assert kept is not None
    if wish.loop and not wish.clips:
        staying.music(room, call, leg, now_ms)
        return
    _music_broken_off(room, call, now_ms)
    clips = room.clips(room.site_of(call), wish.clips)
    if clips and leg.row >= 0:
        legs.play(room, leg, f"wait:{wish.ticket}", clips, loop=wish.loop)
    elif not wish.loop:
        leg.playing = "mute"


def _timer(room: Room, call: Call, wish: actions.SetTimer, now_ms: int) -> None:
    kept, leg = call.waiting, room.legs[call.leg]
    assert kept is not None
    if wish.ms <= 0:
        room.deadlines.cancel(("wait", call.id))
        return
    kept.timer_ticket = wish.ticket
    room.deadlines.arm(("wait", call.id), now_ms + (SILENT_MS if leg.playing == "mute" else wish.ms))
    if leg.playing == "mute":
        leg.playing = ""


def _stop(room: Room, call: Call, wish: actions.StopPlay, now_ms: int) -> None:
    _music_broken_off(room, call, now_ms)
    legs.quiet(room, room.legs[call.leg])


def _collect(room: Room, call: Call, wish: actions.Collect, now_ms: int) -> None:
    if call.waiting is not None:
        call.waiting.listens = wish.on


def _leave(room: Room, call: Call, wish: actions.LeaveQueue, now_ms: int) -> None:
    ticket = call.queue_ticket
    staying.leave(room, call, "left", now_ms)
    legs.quiet(room, room.legs[call.leg])
    call.phase = "script"
    room.happen(call, actions.QueueEnded(ticket, "left", wish.out))


def _over(room: Room, call: Call, wish: actions.Hangup, now_ms: int) -> None:
    """A fault ended the list (it was noted): the caller stays where he is."""
    kept = call.waiting
    assert kept is not None
    kept.run = None
    room.deadlines.cancel(("wait", call.id))
    staying.music(room, call, room.legs[call.leg], now_ms)


def _music_broken_off(room: Room, call: Call, now_ms: int) -> None:
    kept = call.waiting
    if kept is not None and room.legs[call.leg].playing == "music":
        kept.music_played_ms += now_ms - kept.music_from_ms


_RULES: dict[type, Callable[[Room, Call, Any, int], None]] = {
    actions.PlayPrompts: _play, actions.SetTimer: _timer, actions.StopPlay: _stop, actions.Collect: _collect,
    actions.LeaveQueue: _leave, actions.Hangup: _over,
}  # fmt: skip
