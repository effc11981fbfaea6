"""Callbacks: who asked for one, and the call that it becomes.

A callback is an entry of the distributor whose caller is away, and this record beside it under the same number. Its
call exists only while somebody is rung: customer first from the distributor's Recall on, agent first from the first
Offer on. Until the two are brought together it is in the phase `callback`, in which a deadline of that name stands
behind every step; then it is a call like every other. However it ends, `reported` finds what became of the place.

| state | what is under way | ends by |
|---|---|---|
| waiting | the place, in the distributor | its turn, its age |
| paused | the distance between two attempts | its end, its age |
| offered | an agent's phone rings (agent first) | the offer's end |
| ringing | the customer's phone rings | the attempt's deadline |
| confirming | he hears what this is, and shall press 1 | CONFIRM_MS, twice |
| telling | the agent hears that nobody was reached | TELLING_MS_MAX |
| line | customer first: he waits on the line at his old place | the queue's wait, a hang-up |
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import limits
from engine.acd.commands import AcdCommand, Connect, EntryEnded, Offer, Recall
from engine.acd.events import CallHere, CallLeft, OfferFailed
from engine.call import (
    bridge,
    callbacks,
    dial,
    ending,
    places,
    prelude,
    showing,
    staying,
    waiting,
)
from engine.call import leg as legs
from engine.call.call import Call, Waiting, drop_leg, end_leg, tread
from engine.dialplan.speaking import clips_for

if TYPE_CHECKING:
    from engine.call.callbacks import Callback
    from engine.call.dial import Attempt, Outcome
    from engine.call.leg import Leg
    from engine.call.room import Room
    from engine.dialplan.model import CallbackModel

CONFIRM_KEY = "1"
CONFIRM_MS = 12_000  # to press the key, after the prompt began; said twice
CONFIRM_TRIES = 2
TELLING_MS_MAX = 8_000
SHORT_PAUSE_MS = 3_000  # a fault of ours, or an agent who left: another attempt soon, which doesn't count


# --- the distributor's word ---------------------------------------------------------------------------------
def sort(room: Room, commands: list[AcdCommand]) -> tuple[list[AcdCommand], list[AcdCommand]]:
    """(what the queues carry out, what concerns callers who aren't on the line), each in its order."""
    if not room.callbacks and not any(type(each) is EntryEnded for each in commands):
        return commands, []
    ours = [each for each in commands if _is_ours(room, each)]
    taken = [each for each in ours if not (type(each) is Connect and _on_line(room, each.call))]
    return [each for each in commands if each not in taken], ours


def _is_ours(room: Room, command: AcdCommand) -> bool:
    match command:
        case Recall():
            return True
        case EntryEnded(call=number):
            call = room.calls.get(number)
            return number in room.callbacks or (call is not None and call.held_place is not None)
        case Offer(call=number):
            return number in room.callbacks and not _on_line(room, number)
        case Connect(call=number):
            return number in room.callbacks
    return False


def _on_line(room: Room, number: int) -> bool:
    call = room.calls.get(number)
    return call is not None and call.waiting is not None


def settled(room: Room, commands: list[AcdCommand], now_ms: int) -> None:
    """Carry out what `sort` has kept for us."""
    for command in commands:
        match command:
            case Recall():
                _recall(room, command, now_ms)
            case Offer():
                _offer(room, command, now_ms)
            case Connect():
                _connect(room, command, now_ms)
            case EntryEnded():
                _place_ended(room, command, now_ms)
    for number in [each for each in room.callbacks if each in room.calls]:
        _forget_idle(room, room.callbacks[number], room.calls[number])


def _recall(room: Room, command: Recall, now_ms: int) -> None:
    """Customer first: an agent is put aside, ring him up."""
    back = room.callbacks.get(command.call)
    if back is None:
        room.distribute(CallLeft(command.call, "exit"))
        return
    model = callbacks.model(room, back)
    if model is None or room.draining or back.id in room.calls or callbacks.shut(room, back, now_ms):
        callbacks.pause(room, back, now_ms, SHORT_PAUSE_MS)
        return
    call = _begin(room, back, now_ms)
    started(room, back, call)
    back.agent = room.agent_keys.get(command.agent, "")
    _ring(room, back, call, model, now_ms)


def _offer(room: Room, command: Offer, now_ms: int) -> None:
    """Agent first: his phone rings for a caller who isn't there yet."""
    back = room.callbacks[command.call]
    call = room.calls.get(back.id)
    key = room.agent_keys.get(command.agent, "")
    if room.draining or callbacks.model(room, back) is None or (call is not None and call.phase != "callback"):
        room.distribute(OfferFailed(command.offer, "error"))
        return
    if call is None and callbacks.shut(room, back, now_ms):
        room.distribute(OfferFailed(command.offer, "error"))
        callbacks.pause(room, back, now_ms, 0)
        return
    if call is None:
        call = _begin(room, back, now_ms)
    room.deadlines.arm(("call", call.id), now_ms + limits.callback_ring_ms_max)
    callbacks.enter(room, back, "offered", now_ms)
    room.emit("queue.offered", call.tenant, call.name, queue=back.queue, agent=key, offer=command.offer)
    queue = room.site_of(call).queues.get(back.queue)
    attempt, outcome = dial.start(
        room, call, "offer", (f"agent/{key}",), now_ms, ring_ms_max=command.ring_ms_max, offer=command.offer,
        queue=back.queue, display=showing.display_name(call, queue),
        headers=(("Alert-Info", "<urn:alert:service:recall>"), ("X-Ringdown-Call", call.name)),
    )  # fmt: skip
    room.offers[command.offer] = (attempt.id, 0)
    if outcome is not None:
        waiting.offer_over(room, attempt, outcome, now_ms)


def _connect(room: Room, command: Connect, now_ms: int) -> None:
    """Agent first: he has answered; he hears whom, while the customer's phone begins to ring."""
    back, call = room.callbacks[command.call], room.calls.get(command.call)
    key = room.agent_keys.get(command.agent, "")
    if call is not None and call.waiting is None and call.phase != "callback":  # on the line: the queue has joined them
        _served(room, back, call, key, now_ms)
        return
    _, number = room.offers.pop(command.offer, (0, 0))
    leg, model = room.legs.get(number), callbacks.model(room, back)
    if call is None or leg is None or model is None:
        if leg is not None:
            end_leg(room, leg, now_ms)
        callbacks.pause(room, back, now_ms, SHORT_PAUSE_MS)
        return
    started(room, back, call)
    call.other, back.agent, back.rang_ms = leg.id, key, now_ms - leg.created_ms
    if callbacks.shut(room, back, now_ms):  # his phone rang across the window's end: nobody else's begins to
        back.pause_ms = SHORT_PAUSE_MS
        _apart(room, back, call, now_ms)
        return
    clips = callbacks.stock(room, call, "callback_whisper")
    clips += room.clips(room.site_of(call), clips_for("digits", back.number, call.language, room.site_of(call)))
    legs.play(room, leg, "callback", clips)
    _ring(room, back, call, model, now_ms)


def _place_ended(room: Room, command: EntryEnded, now_ms: int) -> None:
    """The place has lasted as long as it could: a callback's age, a held place, or a wait on the line."""
    call, back = room.calls.get(command.call), room.callbacks.get(command.call)
    if back is None:
        if call is not None:
            places.give_up(room, call, now_ms, told=False)
        return
    if call is not None and call.waiting is not None:
        staying.stopped_waiting(room, call, now_ms)
    callbacks.over(room, back, "callback.expired", now_ms, reason="age", position=command.position)
    if call is not None and call.phase != "closing":
        ending.hang_up(room, call, "system", "failed", 16, now_ms)


# --- the call -------------------------------------------------------------------------------------------------
def _begin(room: Room, back: Callback, now_ms: int) -> Call:
    call = Call(
        back.id, back.name, back.tenant, room.site, back.number, back.caller_name, back.dialled, "callback", "",
        now_ms, language=back.language, phase="callback", queue=back.queue, joined_ms=back.joined_ms,
        first_position=back.position,
    )  # fmt: skip
    room.calls[call.id] = call
    room.deadlines.arm(("call", call.id), now_ms + limits.callback_ring_ms_max)
    return call


def started(room: Room, back: Callback, call: Call) -> None:
    """The record tells of this call from here on: not yet while an agent's phone rings for it."""
    room.emit(
        "call.started", call.tenant, call.name, caller=call.caller, name=call.caller_name, dialled=call.dialled,
        trunk="", via="callback", peer="", sip="",
    )  # fmt: skip
    tread(call, f"callback {back.queue.split('/')[-1]}")


def _forget_idle(room: Room, back: Callback, call: Call) -> None:
    """Every phone that rang for the offer has stopped, and nothing was told of the call yet: until the next offer
    there is none."""
    if back.state != "offered" or call.phase != "callback" or call.legs or call.attempt:
        return
    if room.acd.entry_state(call.id) not in ("alerting", "connected"):
        room.calls.pop(call.id)
        room.deadlines.cancel(("call", call.id))
        callbacks.enter(room, back, "waiting", room.now_ms)
        if callbacks.shut(room, back, room.now_ms):
            callbacks.pause(room, back, room.now_ms, 0)


def _ring(room: Room, back: Callback, call: Call, model: CallbackModel, now_ms: int) -> None:
    """Ring the customer, by the way out that a dial of his queue's tenant takes."""
    back.attempts += 1
    callbacks.enter(room, back, "ringing", now_ms)
    callbacks.tell(room, back, "callback.dialled", attempt=back.attempts, agent=back.agent)
    room.deadlines.arm(("call", call.id), now_ms + limits.callback_ring_ms_max)
    caller_id = back.dialled if back.dialled.lstrip("+").isdigit() else ""
    target = f"number/{back.number}" if callbacks.may_ring(room, back) else ""
    attempt, outcome = dial.start(
        room, call, "callback", (target,) if target else (), now_ms, ring_ms_max=model.ring_ms, team="*",
        caller_id=caller_id, display=f"Callback {back.queue.split('/')[-1]}",
    )  # fmt: skip
    call.attempt = attempt.id if outcome is None else 0
    if outcome is not None:
        attempt_over(room, attempt, outcome, now_ms)


def attempt_over(room: Room, attempt: Attempt, outcome: Outcome, now_ms: int) -> None:
    """The customer has answered, or wasn't reached."""
    call, back = room.calls.get(attempt.call), room.callbacks.get(attempt.call)
    if call is None or back is None:
        return
    call.attempt = 0
    if outcome.result != "answered":
        _not_reached(room, back, call, outcome.result, now_ms)
        return
    call.leg, call.answered_ms = outcome.leg, now_ms
    room.emit("call.answered", call.tenant, call.name, after_ms=now_ms - call.started_ms)
    callbacks.tell(room, back, "callback.answered", attempt=back.attempts, rang_ms=now_ms - attempt.started_ms)
    room.deadlines.arm(("call", call.id), now_ms + limits.callback_ring_ms_max)
    model = callbacks.model(room, back)
    if model is not None and model.confirm:
        callbacks.enter(room, back, "confirming", now_ms)
        back.tries = 1
        _ask(room, back, call, now_ms)
    else:
        _together(room, back, call, now_ms)


def _ask(room: Room, back: Callback, call: Call, now_ms: int) -> None:
    legs.play(room, room.legs[call.leg], "callback", callbacks.stock(room, call, "callback_is_here"))
    room.deadlines.arm(("callback", call.id), now_ms + CONFIRM_MS)


def key(room: Room, call: Call, digit: str, now_ms: int) -> bool:
    """A press of the customer while he is asked; True: it was ours."""
    back = room.callbacks.get(call.id)
    if call.phase != "callback" or back is None:
        return False
    if back.state == "confirming" and digit == CONFIRM_KEY:
        room.deadlines.cancel(("callback", call.id))
        _together(room, back, call, now_ms)
    return True


def played(room: Room, call: Call, leg: Leg, now_ms: int) -> None:
    """The end of one of our prompts: the agent hears the ringing after the whisper, and goes after the last word."""
    back = room.callbacks.get(call.id)
    if back is None or call.phase != "callback" or leg.id != call.other:
        return
    if back.state == "telling":
        due(room, call, now_ms)
    else:
        legs.play(room, leg, "callback", callbacks.ringback(room, call), loop=True)


def due(room: Room, call: Call, now_ms: int) -> None:
    """The deadline of this phase."""
    back = room.callbacks.get(call.id)
    if back is None or call.phase != "callback":
        return
    if back.state == "telling":
        _apart(room, back, call, now_ms)
    elif back.state == "confirming" and back.tries < CONFIRM_TRIES:
        back.tries += 1
        _ask(room, back, call, now_ms)
    elif back.state == "confirming":
        leg = room.legs.get(call.leg)
        call.leg = 0
        if leg is not None:
            room.endpoint.hang_up(leg.session, now_ms)
            drop_leg(room, leg, now_ms)
        _not_reached(room, back, call, "not_confirmed", now_ms)


def leg_over(room: Room, leg: Leg, now_ms: int) -> bool:
    """A session ended while the two were not yet together; True: it was ours."""
    call = room.calls.get(leg.call)
    back = room.callbacks.get(leg.call)
    if call is None or back is None or call.phase != "callback" or leg.id not in (call.leg, call.other):
        return False
    customer = leg.id == call.leg
    drop_leg(room, leg, now_ms)
    room.deadlines.cancel(("callback", call.id))
    if customer:
        call.leg = 0
        _not_reached(room, back, call, "hung_up", now_ms)
        return True
    call.other = 0
    if back.state != "telling":
        back.attempts -= 1  # his attempt, not the customer's
        back.pause_ms, attempt = SHORT_PAUSE_MS, back.attempts + 1
        callbacks.tell(
            room, back, "callback.attempt_failed", attempt=attempt, reason="agent_left", next_ms=back.pause_ms
        )
    _apart(room, back, call, now_ms)
    return True


# --- ends of an attempt ----------------------------------------------------------------------------------------
def _not_reached(room: Room, back: Callback, call: Call, reason: str, now_ms: int) -> None:
    """Again later, unless it was the last attempt. An agent who is on the line is told first."""
    model = callbacks.model(room, back)
    last = model is None or back.attempts >= model.attempts
    back.pause_ms = 0 if last or model is None else model.retry_ms
    next_ms = callbacks.lengthened(room, back.queue, now_ms, back.pause_ms) if back.pause_ms else 0
    callbacks.tell(room, back, "callback.attempt_failed", attempt=back.attempts, reason=reason, next_ms=next_ms)
    agent = room.legs.get(call.other)
    clips = callbacks.stock(room, call, "callback_not_reached") if agent is not None else ()
    if agent is None or not clips:
        _apart(room, back, call, now_ms)
        return
    callbacks.enter(room, back, "telling", now_ms)
    legs.play(room, agent, "callback", clips)
    room.deadlines.arm(("callback", call.id), now_ms + TELLING_MS_MAX)


def _apart(room: Room, back: Callback, call: Call, now_ms: int) -> None:
    """The call of this attempt ends; the place goes on, or the callback is given up."""
    if back.pause_ms:
        callbacks.pause(room, back, now_ms, back.pause_ms)
    else:
        room.distribute(CallLeft(back.id, "exit"))
        callbacks.over(room, back, "callback.expired", now_ms, reason="attempts")
    ending.hang_up(room, call, "system", "failed", 19, now_ms)


# --- both are there ------------------------------------------------------------------------------------------------
def _together(room: Room, back: Callback, call: Call, now_ms: int) -> None:
    """The customer is there and wants it: to his agent, or to his place in the line."""
    site = room.site_of(call)
    customer, agent = room.legs[call.leg], room.legs.get(call.other)
    room.deadlines.arm(("call", call.id), now_ms + limits.call_ms_max)
    if agent is None:
        queue = site.queues[back.queue]
        callbacks.enter(room, back, "line", now_ms)
        music = room.clips(site, queue.music or (bridge.HOLD_MUSIC,))
        call.phase, call.joined_ms = "queue", back.joined_ms
        whisper = callbacks.stock(room, call, "callback_whisper")
        call.waiting = Waiting(music=music, whisper=whisper, music_from_ms=now_ms)
        legs.play(room, customer, "music", music, loop=True)
        room.distribute(CallHere(call.id, wait_ms_max=queue.wait_ms_max))
        return
    call.served_by, call.talked_before_ms = back.agent, call.talked_ms
    call.queue_waited_ms = call.waited_ms = now_ms - back.joined_ms
    tread(call, agent.party)
    room.distribute(CallHere(call.id))
    room.emit(
        "queue.connected", call.tenant, call.name, queue=back.queue, agent=back.agent, waited_ms=call.queue_waited_ms,
        rang_ms=back.rang_ms, way="offered",
    )  # fmt: skip
    prelude.join(room, call, agent, now_ms, record=site.queues[back.queue].record, queue=back.queue)
    _served(room, back, call, back.agent, now_ms)


def _served(room: Room, back: Callback, call: Call, agent: str, now_ms: int) -> None:
    """He has his agent: the callback is done, what follows is a conversation like every other."""
    callbacks.tell(
        room, back, "callback.served", agent=agent, waited_ms=now_ms - back.joined_ms, attempts=back.attempts,
        kept=now_ms <= back.promise_ms,
    )  # fmt: skip
    callbacks.close(room, back)


def reported(room: Room, call: Call, now_ms: int) -> None:
    """A call is about to be recorded: what became of the place behind it, and of one that it held."""
    places.give_up(room, call, now_ms)
    callbacks.hung_up(room, call, now_ms)
    back = room.callbacks.get(call.id)
    if back is not None and back.state == "line":
        callbacks.over(room, back, "callback.cancelled", now_ms, by="customer", left=False)
    elif back is not None and back.state not in ("waiting", "paused"):
        callbacks.pause(room, back, now_ms, SHORT_PAUSE_MS)  # ended by an operator, a limit or a fault of ours
    room.deadlines.cancel(("callback", call.id))
    ending.record(room, call, now_ms)


def drained(room: Room, now_ms: int) -> None:
    """The engine stops for good: the record tells whom it still owed a call."""
    for back in list(room.callbacks.values()):
        if back.id not in room.calls:
            room.distribute(CallLeft(back.id, "closed"))
            callbacks.over(room, back, "callback.cancelled", now_ms, by="drain")
