"""Callers who wait and agents who are offered: the distributor's commands carried out, its events raised."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import limits
from engine.acd.commands import (
    AcdCommand,
    AgentChanged,
    Breach,
    CancelOffer,
    Connect,
    EntryEnded,
    Offer,
    OfferEnded,
    Widened,
)
from engine.acd.events import CallEnded, CallJoined, CallLeft, OfferAnswered, OfferFailed
from engine.call import bridge, dial, levers, pauses, places, recording, routing, telling, wrapping
from engine.call import leg as legs
from engine.call.agents import occupy
from engine.call.call import Call, Waiting, drop_leg, tread
from engine.call.showing import display_name, offer_headers
from engine.dialplan import actions
from engine.dialplan.speaking import clips_for

if TYPE_CHECKING:
    from engine.call.dial import Attempt, Outcome
    from engine.call.leg import Leg
    from engine.call.room import Room
    from engine.dialplan.model import Site

WHISPER_GRACE_MS = 5_000
OFFER_REASONS = {
    "busy": "busy", "no_answer": "no_answer", "rejected": "rejected", "forwarded": "forwarded",
    "do_not_disturb": "do_not_disturb", "unreachable": "unreachable",
}  # fmt: skip


def join(room: Room, call: Call, wish: actions.JoinQueue, now_ms: int) -> None:
    """The caller starts to wait. Whether there is room for him the distributor says in this same step."""
    site = room.site_of(call)
    number = room.queue_ids.get(wish.queue)
    if number is None or wish.queue not in site.queues:
        room.happen(call, actions.QueueEnded(wish.ticket, "no_agents"))
        return
    queue = site.queues[wish.queue]
    if call.served_by:  # a queue's agent whom his caller transferred waits now himself: that conversation is over
        completed(room, call, "transfer", now_ms)
        leg = room.legs[call.leg]
        leg.occupies = leg.occupies or (bool(leg.agent) and occupy(room, leg.agent, "internal"))
    if levers.closed(room, wish.queue):
        _refuse(room, call, wish, now_ms)
        return
    call.queue, call.queue_ticket, call.joined_ms = wish.queue, wish.ticket, now_ms
    call.phase, call.served_by, call.first_position = "queue", "", 0
    music = room.clips(site, wish.music or queue.music or (bridge.HOLD_MUSIC,))
    call.waiting = Waiting(
        music, room.clips(site, wish.announce), room.clips(site, wish.whisper),
        wish.position_every_ms or queue.announce_position_ms, wish.exit_keys,
        tuple((kind, room.clips(site, clips), ms) for kind, clips, ms in wish.cycle), music_from_ms=now_ms,
    )  # fmt: skip
    needs = tuple((routing.skill_id(room, name), level) for name, level in wish.needs)
    places.back(room, call, wish.queue, now_ms)
    priority_ms = wish.priority_ms + places.credit_ms(room, call, wish.queue, now_ms)
    wishes = routing.wishes(room, call, wish, now_ms)
    room.distribute(CallJoined(call.id, number, priority_ms, needs, wish.wait_ms_max, **wishes))
    room.joining.append((call.id, priority_ms))


def _refuse(room: Room, call: Call, wish: actions.JoinQueue, now_ms: int) -> None:
    """An operator has closed the queue: the dialplan goes on by its way for that."""
    room.emit(
        "queue.left", call.tenant, call.name, queue=wish.queue, reason="closed", position=0, first_position=0,
        waited_ms=0, key="",
    )  # fmt: skip
    tread(call, f"{wish.queue.split('/')[-1]} closed")
    call.phase = "script"
    room.happen(call, actions.QueueEnded(wish.ticket, "closed"))


def settled(room: Room, commands: list[AcdCommand], now_ms: int) -> None:
    """The distributor has decided: who left is recorded behind the offers that ended with him, then who joined, then
    its commands are carried out.
    """
    if room.parting:
        left = [number for number, _, _ in room.parting]
        ends = [each for each in commands if isinstance(each, CancelOffer | OfferEnded) and each.call in left]
        for end in ends:
            carry_out(room, end, now_ms)
        commands = [each for each in commands if each not in ends]
        parted(room)
    if room.joining:
        joined, room.joining = room.joining, []
        refused = [command.call for command in commands if type(command) is EntryEnded]
        _admit(room, [entry for entry in joined if entry[0] not in refused], now_ms)
    for command in commands:
        carry_out(room, command, now_ms)


def parted(room: Room) -> None:
    """The records of those who left in this step."""
    parting, room.parting = room.parting, []
    for number, kind, told in parting:
        call = room.calls[number]
        room.emit(kind, call.tenant, call.name, **told)


def _admit(room: Room, joined: list[tuple[int, int]], now_ms: int) -> None:
    """They are in the queue and hear its music (or its announcement, or the first row of its wait list)."""
    for number, priority_ms in joined:
        call = room.calls.get(number)
        if call is None or call.waiting is None or not call.queue:
            continue
        call.first_position = room.acd.position(call.id) or 1
        room.emit(
            "queue.joined", call.tenant, call.name, queue=call.queue, position=call.first_position,
            priority_ms=priority_ms, caller=call.caller,
        )  # fmt: skip
        if call.phase != "queue" or places.welcome(room, call):
            continue
        if call.waiting.cycle:
            next_row(room, call, now_ms)
            continue
        if call.waiting.position_every_ms:
            room.deadlines.arm(("position", call.id), now_ms + min(3_000, call.waiting.position_every_ms))
        leg = room.legs[call.leg]
        if call.waiting.announce:
            legs.play(room, leg, "announce", call.waiting.announce)
        else:
            music(room, call, leg, now_ms)


def music(room: Room, call: Call, leg: Leg, now_ms: int) -> None:
    """Music goes on where an announcement broke it off."""
    waiting = call.waiting
    if waiting is None:
        return
    waiting.music_from_ms = now_ms
    legs.play(room, leg, "music", waiting.music, loop=True, start_ms=waiting.music_played_ms)


def next_row(room: Room, call: Call, now_ms: int) -> None:
    """The wait list's next row; rows that have nothing to say are passed over, once round at most."""
    waiting, leg = call.waiting, room.legs[call.leg]
    if waiting is None or call.phase != "queue":
        return
    if leg.playing == "music":
        waiting.music_played_ms += now_ms - waiting.music_from_ms
    for _ in waiting.cycle:
        waiting.row = (waiting.row + 1) % len(waiting.cycle)
        kind, clips, ms = waiting.cycle[waiting.row]
        if kind == "music":
            waiting.music = clips or waiting.music
            music(room, call, leg, now_ms)
            room.deadlines.arm(("position", call.id), now_ms + (ms or limits.queue_wait_ms_max))
            return
        if kind == "position":
            clips = _position_now(room, call)
        if clips:
            legs.play(room, leg, "cycle", clips)
            return
    music(room, call, leg, now_ms)


def _position_now(room: Room, call: Call) -> tuple[int, ...]:
    position = room.acd.position(call.id)
    if position <= 0:
        return ()
    site = room.site_of(call)
    language = call.running.language if call.running is not None else call.language
    room.emit("queue.position", call.tenant, call.name, queue=call.queue, position=position)
    return room.clips(site, position_clips(site, language, position))


def tell_position(room: Room, call: Call, now_ms: int) -> None:
    """Due: say his position, then go on with the music (or the wait list's next row)."""
    waiting = call.waiting
    if waiting is None or call.phase != "queue":
        return
    if waiting.cycle:
        next_row(room, call, now_ms)
        return
    room.deadlines.arm(("position", call.id), now_ms + waiting.position_every_ms)
    leg = room.legs[call.leg]
    clips = _position_now(room, call) if leg.playing == "music" else ()
    if clips:
        waiting.music_played_ms += now_ms - waiting.music_from_ms
        legs.play(room, leg, "position", clips)


def position_clips(site: Site, language: str, position: int) -> tuple[str, ...]:
    if position == 1:
        return (f"{language}/you_are_next",)
    return (f"{language}/position_is", *clips_for("number", str(position), language, site))


def leave(room: Room, call: Call, reason: str, now_ms: int, *, key: str = "") -> None:
    """The caller stops waiting: `reason` abandoned | exit | moved | closed; recorded with place and time waited."""
    if call.waiting is None:
        return
    if reason == "exit" and places.hold(room, call, key, now_ms):
        stopped_waiting(room, call, now_ms)
        return
    if reason == "abandoned":
        places.remember(room, call, now_ms)
    position = room.acd.position(call.id)
    waited_ms = now_ms - call.joined_ms
    room.distribute(CallLeft(call.id, reason))
    told: dict[str, str | int] = {
        "queue": call.queue, "position": position, "first_position": call.first_position, "waited_ms": waited_ms,
    }  # fmt: skip
    if reason == "abandoned":
        room.parting.append((call.id, "queue.abandoned", told))
    else:
        room.parting.append((call.id, "queue.left", {**told, "reason": reason, "key": key}))
    stopped_waiting(room, call, now_ms)


def stopped_waiting(room: Room, call: Call, now_ms: int) -> None:
    call.waiting = None
    call.queue_waited_ms = now_ms - call.joined_ms
    call.waited_ms += call.queue_waited_ms
    room.deadlines.cancel(("position", call.id))


def exit_key(room: Room, call: Call, digit: str, now_ms: int) -> bool:
    """An exit key of the queue: the dialplan goes on by that key."""
    if call.waiting is None or digit not in call.waiting.exit_keys or call.phase != "queue":
        return False
    ticket = call.queue_ticket
    leave(room, call, "exit", now_ms, key=digit)
    legs.quiet(room, room.legs[call.leg])
    call.phase = "script"
    room.happen(call, actions.QueueEnded(ticket, "exit", digit))
    return True


# --- the distributor's commands ---------------------------------------------------------------------------------
def carry_out(room: Room, command: AcdCommand, now_ms: int) -> None:
    match command:
        case Offer():
            _offer(room, command, now_ms)
        case CancelOffer():
            _cancel_offer(room, command, now_ms)
        case Connect():
            _connect(room, command, now_ms)
        case EntryEnded():
            _entry_ended(room, command, now_ms)
        case AgentChanged():
            _agent_changed(room, command, now_ms)
        case OfferEnded():
            _offer_ended(room, command)
        case Widened():
            call = room.calls.get(command.call)
            if call is not None:
                room.emit(
                    "queue.widened", call.tenant, call.name, queue=call.queue, stage=command.stage, ring=command.ring,
                    waited_ms=command.waited_ms,
                )  # fmt: skip
        case Breach():
            room.emit("engine.breach", "", "", rule=command.rule, detail=command.detail)
            room.log("error", f"invariant {command.rule} healed: {command.detail}", "breach")


def _offer(room: Room, command: Offer, now_ms: int) -> None:
    call = room.calls.get(command.call)
    key = room.agent_keys.get(command.agent, "")
    if call is None or call.waiting is None:
        room.distribute(OfferFailed(command.offer, "error"))
        return
    site = room.site_of(call)
    queue = site.queues.get(call.queue)
    room.emit("queue.offered", call.tenant, call.name, queue=call.queue, agent=key, offer=command.offer)
    attempt, outcome = dial.start(
        room, call, "offer", (f"agent/{key}",), now_ms, ring_ms_max=command.ring_ms_max, offer=command.offer,
        queue=call.queue, display=display_name(call, queue), headers=offer_headers(call, queue),
        auto_answer=queue.auto_answer if queue is not None else "",
    )  # fmt: skip
    room.offers[command.offer] = (attempt.id, 0)
    if outcome is not None:
        offer_over(room, attempt, outcome, now_ms)


def offer_over(room: Room, attempt: Attempt, outcome: Outcome, now_ms: int) -> None:
    """The ringing for an offer ended: the distributor is told; who wins it says in this same step."""
    if outcome.result == "answered":
        room.offers[attempt.offer] = (0, outcome.leg)
        room.distribute(OfferAnswered(attempt.offer))
        return
    room.offers.pop(attempt.offer, None)
    room.distribute(OfferFailed(attempt.offer, OFFER_REASONS.get(outcome.result, "error")))


def _cancel_offer(room: Room, command: CancelOffer, now_ms: int) -> None:
    attempt_id, leg_id = room.offers.pop(command.offer, (0, 0))
    attempt, leg = room.attempts.get(attempt_id), room.legs.get(leg_id)
    elsewhere = command.reason == "answered_elsewhere"
    reason = 'SIP;cause=200;text="Call completed elsewhere"' if elsewhere else ""
    if attempt is not None:
        dial.cancel(room, attempt, now_ms, reason=reason)
    if leg is not None:
        room.endpoint.hang_up(leg.session, now_ms, reason=reason)
        drop_leg(room, leg, now_ms)


def _connect(room: Room, command: Connect, now_ms: int) -> None:
    _, leg_id = room.offers.pop(command.offer, (0, 0))
    call, leg = room.calls.get(command.call), room.legs.get(leg_id)
    if call is None or leg is None or call.waiting is None:
        if leg is not None:  # the winner without a caller: free both sides
            room.endpoint.hang_up(leg.session, now_ms)
            drop_leg(room, leg, now_ms)
        room.distribute(CallEnded(command.call, command.agent))
        return
    key = room.agent_keys.get(command.agent, "")
    whisper = call.waiting.whisper
    stopped_waiting(room, call, now_ms)
    call.served_by, call.talked_before_ms = key, call.talked_ms
    routing.served(room, call, key, now_ms)
    if key in room.agents:
        wrapping.begins(room.agents[key], call.name, call.queue)
    tread(call, f"{call.queue.split('/')[-1]} {call.queue_waited_ms / 1000:.0f} s")
    tread(call, leg.party)
    room.emit(
        "queue.connected", call.tenant, call.name, queue=call.queue, agent=key, waited_ms=command.waited_ms,
        rang_ms=now_ms - leg.created_ms,
    )  # fmt: skip
    site = room.site_of(call)
    if call.queue in site.queues and site.queues[call.queue].record:
        recording.start(room, call, now_ms)
    if whisper:
        call.phase, call.other = "whisper", leg.id
        legs.play(room, leg, "whisper", whisper)
        lengths = {prompt.clip: prompt.duration_ms for prompt in site.prompts.values()}
        whisper_ms = sum(lengths.get(clip, 0) for clip in whisper)
        room.deadlines.arm(("whisper", call.id), now_ms + whisper_ms + WHISPER_GRACE_MS)
    else:
        bridge.join(room, call, room.legs[call.leg], leg, now_ms)


def whispered(room: Room, call: Call, now_ms: int) -> None:
    """The agent has heard whom he gets (or the plane never told the end of it): both are bridged."""
    room.deadlines.cancel(("whisper", call.id))
    caller, leg = room.legs.get(call.leg), room.legs.get(call.other)
    if call.phase == "whisper" and caller is not None and leg is not None:
        bridge.join(room, call, caller, leg, now_ms)


def _entry_ended(room: Room, command: EntryEnded, now_ms: int) -> None:
    call = room.calls.get(command.call)
    if call is None or call.waiting is None:
        return
    fresh = not call.first_position  # never admitted
    room.emit(
        "queue.left", call.tenant, call.name, queue=call.queue, reason=command.reason, position=command.position,
        first_position=call.first_position, waited_ms=command.waited_ms, key="",
    )  # fmt: skip
    stopped_waiting(room, call, now_ms)
    tread(call, f"{call.queue.split('/')[-1]} {command.reason}")
    if not fresh:
        legs.quiet(room, room.legs[call.leg])
    call.phase = "script"
    room.happen(call, actions.QueueEnded(call.queue_ticket, command.reason))


def completed(room: Room, call: Call, by: str, now_ms: int) -> None:
    """The conversation that a queue gave is over (for this agent): wrap-up begins. `by` agent | caller | transfer."""
    key = call.served_by
    if not key:
        return
    call.served_by = ""
    row = room.agents.get(key)
    talked = call.talked_ms - call.talked_before_ms + (now_ms - call.talk_from_ms if call.talk_from_ms else 0)
    room.emit(
        "queue.completed", call.tenant, call.name, queue=call.queue, agent=key, by=by,
        waited_ms=call.queue_waited_ms, talked_ms=talked,
    )  # fmt: skip
    if row is not None:
        room.distribute(CallEnded(call.id, row.id))


def _agent_changed(room: Room, command: AgentChanged, now_ms: int) -> None:
    key = room.agent_keys.get(command.agent, "")
    row = room.agents.get(key)
    if row is None:
        return
    state, reason, since_ms = row.state, row.reason, row.since_ms
    row.state, row.reason, row.since_ms = command.new, command.reason, now_ms
    pauses.changed(room, row, state, reason if state == "not_ready" else "", since_ms, now_ms)
    queue = room.queue_names.get(command.queue, "")
    room.emit(
        "agent.state", key.split("/")[0], "", agent=key, name=row.name, old=command.old, new=command.new,
        reason=command.reason, queue=queue,
    )  # fmt: skip
    telling.changed(room, row, command, now_ms)
    if command.old in wrapping.OVER and command.new not in wrapping.OVER:
        wrapping.ended(room, row)


def _offer_ended(room: Room, command: OfferEnded) -> None:
    call = room.calls.get(command.call)
    room.emit(
        "queue.offer_ended", call.tenant if call else "", call.name if call else "",
        queue=room.queue_names.get(command.queue, ""), agent=room.agent_keys.get(command.agent, ""),
        offer=command.offer, reason=command.reason, rang_ms=command.rang_ms,
    )  # fmt: skip
