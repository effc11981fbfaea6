"""A call that listens to its caller's words: wished of the runtime's recognisers, told to the dialplan, recorded.

Of a sensitive step neither a word nor a sound goes into the records; of others the sound only where the site keeps it
and the caller has consented. The dialplan's own timers stand behind every wish.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from engine.call.listening import ListenEnded, ListenWanted
from engine.dialplan import actions
from engine.dialplan.utterance_model import ANNOUNCED, KIND, rule_of
from engine.speech.utterance import FAILED, Heard, Listening, Utterance

if TYPE_CHECKING:
    from engine.call.call import Call
    from engine.call.listening import SpeechDone, SpeechStarted
    from engine.call.room import Room

MASK = "····"
TEXT_MAX = 200  # of what was said, in the records
ALTERNATIVES_MAX = 3
LISTS_MAX = 4_000  # letters of JSON


def begin(room: Room, call: Call, wish: actions.Hear, now_ms: int) -> None:
    """Ask the runtime. A leg without media is answered as a recogniser that fails would."""
    stop(room, call)
    leg = room.legs.get(call.leg)
    if leg is None or leg.row < 0:
        room.happen(call, actions.Spoken(wish.ticket, Utterance(FAILED, detail="no audio")))
        return
    call.hearing, call.wanted, call.kept_as = wish.ticket, wish.listening, _keep(room, call, wish)
    about = (call.id, wish.ticket, call.name, leg.row, leg.generation, call.tenant)
    room.out.append(ListenWanted(*about, wish.listening, call.kept_as))


def _keep(room: Room, call: Call, wish: actions.Hear) -> str:
    """The file for the sound of it, '' when it isn't kept: he refused, or was never told though he should have been, or
    nothing is recorded just now."""
    rule = rule_of(room.site_of(call), call.tenant) if wish.keep and not wish.listening.sensitive else None
    if rule is None or call.consent == "declined" or call.recording_paused or call.hushed:
        return ""
    if rule.consent == ANNOUNCED and call.consent != "told":
        return ""
    room.tap_serial += 1
    return f"{KIND}/{call.tenant}/{call.name}-{room.boot}-{room.tap_serial}.wav"


def end(room: Room, call: Call, wish: actions.StopHearing, now_ms: int) -> None:
    if call.hearing == wish.ticket:
        stop(room, call)


def stop(room: Room, call: Call) -> None:
    """Nobody listens any more: also when the call is over, or somebody else has taken it."""
    if call.hearing:
        room.out.append(ListenEnded(call.id, call.hearing))
    call.hearing, call.wanted, call.kept_as = 0, None, ""


def started(room: Room, event: SpeechStarted, now_ms: int) -> None:
    """The caller speaks."""
    call = room.calls.get(event.call)
    if call is not None and call.hearing and call.hearing == event.ticket:
        room.happen(call, actions.SpeechBegan(event.ticket, event.ms))


def done(room: Room, event: SpeechDone, now_ms: int) -> None:
    """What he said; an answer to a wish that is over is dropped."""
    call = room.calls.get(event.call)
    if call is None or not call.hearing or call.hearing != event.ticket:
        return
    wanted, said, kept_as = call.wanted, event.utterance, call.kept_as
    call.hearing, call.wanted, call.kept_as = 0, None, ""
    if wanted is not None:
        _record(room, call, wanted, said, kept_as if said.speech_start_ms >= 0 else "")
    if said.result == FAILED:
        room.log("warning", f"{call.name}: recogniser {said.engine or 'none'}: {said.detail}", "recogniser")
    room.happen(call, actions.Spoken(event.ticket, said))


def lost(room: Room, call: Call) -> None:
    """The engine was away, and with it whoever listened: the caller is asked once more."""
    if call.hearing:
        ticket, call.hearing, call.wanted, call.kept_as = call.hearing, 0, None, ""
        room.happen(call, actions.Spoken(ticket, Utterance(FAILED, detail="the engine was away")))


def _record(room: Room, call: Call, wanted: Listening, said: Utterance, audio: str) -> None:
    """One utterance for whoever wants to know why a caller was misunderstood."""
    best = said.best[0] if said.best else Heard("", "")
    timed = said.speech_start_ms >= 0 and said.speech_end_ms >= said.speech_start_ms
    answered = said.decided_ms >= said.speech_end_ms >= 0
    steps = call.running.stack[-1] if call.running is not None and call.running.stack else ("", 0)
    program = room.site_of(call).programs.get(call.program)
    flow = program.flows.get(steps[0], ()) if program is not None else ()
    others = () if wanted.sensitive else said.best[1:][:ALTERNATIVES_MAX]
    room.emit(
        "speech.heard", call.tenant, call.name,
        step=flow[steps[1] - 1].id if 0 < steps[1] <= len(flow) else steps[0],
        grammar=wanted.grammar, language=wanted.language, result=said.result,
        text=MASK if wanted.sensitive and best.text else best.text[:TEXT_MAX],
        intent=best.intent, slots=_slots(best, hidden=wanted.sensitive), confidence=round(best.confidence * 100),
        alternatives=" | ".join(_reading(each) for each in others),
        speech_ms=said.speech_end_ms - said.speech_start_ms if timed else -1,
        answer_ms=said.decided_ms - said.speech_end_ms if answered else -1,
        barged_in=said.barged_in, engine=said.engine, detail=said.detail[:TEXT_MAX], dialplan=call.program, audio=audio,
        lists=_lists(wanted),
    )  # fmt: skip


def _lists(wanted: Listening) -> str:
    """What only this call listened for, so that a test of the utterance can; whole or not at all."""
    if wanted.sensitive or not wanted.lists:
        return ""
    text = msgspec.json.encode(wanted.lists).decode()
    return text if len(text) <= LISTS_MAX else ""


def _slots(heard: Heard, *, hidden: bool) -> str:
    return "; ".join(f"{name}={MASK if hidden else _value(value)}" for name, value in heard.slots.items())


def _value(value: str | int | bool) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _reading(heard: Heard) -> str:
    return f"{heard.text[:TEXT_MAX]} {round(heard.confidence * 100)}"


RULES: dict[type, Callable[[Room, Call, Any, int], None]] = {actions.Hear: begin, actions.StopHearing: end}
