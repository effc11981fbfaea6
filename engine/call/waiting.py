"""Callers who wait and agents who are offered: the distributor's commands carried out, its events raised."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.acd.commands import (
    AcdCommand,
    AgentChanged,
    Breach,
    CancelOffer,
    Connect,
    Decided,
    EntryEnded,
    Offer,
    OfferEnded,
    Widened,
)
from engine.acd.events import CallEnded, OfferAnswered, OfferFailed
from engine.call import (
    announcing,
    bridge,
    budget,
    deciding,
    dial,
    overflow,
    pauses,
    places,
    prelude,
    queue_facts,
    renaming,
    routing,
    staying,
    telling,
    wait_program,
    wrapping,
)
from engine.call import leg as legs
from engine.call.agents import occupy
from engine.call.call import Call, Waiting, end_leg, tread
from engine.call.showing import display_name, offer_headers
from engine.dialplan import actions

if TYPE_CHECKING:
    from engine.call.dial import Attempt, Outcome
    from engine.call.room import Room

PROMISE_EVERY_MS = 50  # at most 20 estimates a second for the records: half a hundredth of a core
OFFER_REASONS = {
    "busy": "busy", "no_answer": "no_answer", "rejected": "rejected", "forwarded": "forwarded",
    "do_not_disturb": "do_not_disturb", "unreachable": "unreachable",
}  # fmt: skip


def join(room: Room, call: Call, wish: actions.JoinQueue, now_ms: int, *, back: bool = False) -> None:
    """The caller starts to wait (`back`: again, since a transfer found nobody).

    Whether there is room for him the distributor says in this same step.
    """
    site = room.site_of(call)
    name = renaming.present(room, wish.queue)
    queue = queue_facts.model(room, call, name)
    if queue is None or name not in room.queue_ids:
        room.happen(call, actions.QueueEnded(wish.ticket, "no_agents"))
        return
    if call.served_by:  # a queue's agent whom his caller transferred waits now himself: that conversation is over
        completed(room, call, "transfer", now_ms)
        leg = room.legs[call.leg]
        leg.occupies = leg.occupies or (bool(leg.agent) and occupy(room, leg.agent, "internal"))
    if not back and budget.people_spent(room, call):
        _over_budget(room, call, wish, name)
        return
    call.wish = wish
    call.queue_ticket, call.phase, call.served_by = wish.ticket, "queue", ""
    told = wish.announcing or queue.announcing
    position_ms = told.position_ms or wish.position_every_ms or (0 if wish.announcing else queue.announce_position_ms)
    language = call.running.language if call.running is not None else call.language
    call.waiting = Waiting(
        room.clips(site, wish.music or queue.music or (bridge.HOLD_MUSIC,)), room.clips(site, wish.announce),
        room.clips(site, wish.whisper), position_ms, wish.exit_keys, music_from_ms=now_ms, wish=wish, since_ms=now_ms,
        estimate_every_ms=told.estimate_ms, periodic_every_ms=told.periodic_ms,
        periodic=tuple(room.clips(site, clips) for clips in told.periodic.get(language, ())),
    )  # fmt: skip
    overflow.enter(room, call, name, now_ms)


def _over_budget(room: Room, call: Call, wish: actions.JoinQueue, name: str) -> None:
    """He has met as many people as he may: the dialplan goes on by its way for that."""
    room.emit(
        "queue.left", call.tenant, call.name, queue=name, reason="over_budget", position=0, first_position=0,
        waited_ms=0, key="",
    )  # fmt: skip
    tread(call, f"{name.split('/')[-1]} over_budget")
    call.phase = "script"
    room.happen(call, actions.QueueEnded(wish.ticket, "over_budget"))


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
        offered = [command.call for command in commands if type(command) is Offer]
        _admit(room, [entry for entry in joined if entry[0] not in refused], offered, now_ms)
    for command in commands:
        carry_out(room, command, now_ms)


def parted(room: Room) -> None:
    """The records of those who left in this step."""
    parting, room.parting = room.parting, []
    for number, kind, told in parting:
        call = room.calls[number]
        room.emit(kind, call.tenant, call.name, **told)


def _admit(room: Room, joined: list[tuple[int, int]], offered: list[int], now_ms: int) -> None:
    """They are in the queue and hear its music (or its announcement, or their wait list begins).

    Who was `offered` an agent in this same step needs no estimate; those of the others are recorded, to be judged by.
    """
    for number, priority_ms in joined:
        call = room.calls.get(number)
        if call is None or call.waiting is None or not call.queue:
            continue
        call.first_position = room.acd.position(call.id) or 1
        found = _promise(room, call, now_ms) if number not in offered else None
        room.emit(
            "queue.joined", call.tenant, call.name, queue=call.queue, position=call.first_position,
            priority_ms=priority_ms, caller=call.caller, estimate_low_ms=found[0] if found else 0,
            estimate_high_ms=found[2] if found else 0,
        )  # fmt: skip
        if call.phase != "queue":
            continue
        overflow.arm(room, call, now_ms)
        heard = call.waiting.hops and room.legs[call.leg].playing  # from another queue: what he hears goes on
        if not heard and not places.welcome(room, call):
            begin_to_hear(room, call, now_ms)


def _promise(room: Room, call: Call, now_ms: int) -> queue_facts.Estimate | None:
    """His wait as it looks now, None where there is nothing to say it by, or when one was worked out just before."""
    if 0 <= now_ms - room.promised_ms < PROMISE_EVERY_MS:
        return None
    room.promised_ms = now_ms
    return queue_facts.range_ms(room, call, room.queue_ids.get(call.queue, -1), now_ms)


def begin_to_hear(room: Room, call: Call, now_ms: int) -> None:
    """His wait list begins; without one the queue's announcement on joining, then its music."""
    if call.waiting is None or call.phase != "queue" or wait_program.begin(room, call, now_ms):
        return
    announcing.begin(room, call, now_ms)
    leg = room.legs[call.leg]
    if call.waiting.announce:
        legs.play(room, leg, "announce", call.waiting.announce)
    else:
        staying.music(room, call, leg, now_ms)


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
        case Decided():
            deciding.decided(room, command)
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
    queue = queue_facts.model(room, call, call.queue)
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
    reason = dial.ELSEWHERE if command.reason == "answered_elsewhere" else ""
    if attempt is not None:
        dial.cancel(room, attempt, now_ms, reason=reason)
    if leg is not None:
        end_leg(room, leg, now_ms, reason=reason)


def _connect(room: Room, command: Connect, now_ms: int) -> None:
    _, leg_id = room.offers.pop(command.offer, (0, 0))
    call, leg = room.calls.get(command.call), room.legs.get(leg_id)
    if call is None or leg is None or call.waiting is None:
        if leg is not None:  # the winner without a caller: free both sides
            end_leg(room, leg, now_ms)
        room.distribute(CallEnded(command.call, command.agent))
        return
    key = room.agent_keys.get(command.agent, "")
    whisper, caller = call.waiting.whisper, room.legs[call.leg]
    if whisper and caller.playing != "music":  # an agent has answered: no announcement goes on
        staying.music(room, call, caller, now_ms)
    staying.stopped_waiting(room, call, now_ms)
    call.served_by, call.talked_before_ms = key, call.talked_ms
    routing.served(room, call, key, now_ms)
    if key in room.agents:
        wrapping.begins(room.agents[key], call.name, call.queue)
    budget.met(call, key)
    tread(call, f"{call.queue.split('/')[-1]} {call.queue_waited_ms / 1000:.0f} s")
    tread(call, leg.party)
    room.emit(
        "queue.connected", call.tenant, call.name, queue=call.queue, agent=key, waited_ms=command.waited_ms,
        rang_ms=now_ms - leg.created_ms, way="offered",
    )  # fmt: skip
    queue = queue_facts.model(room, call, call.queue)
    record = queue is not None and queue.record
    prelude.join(room, call, leg, now_ms, whisper=whisper, record=record, queue=call.queue)


def _entry_ended(room: Room, command: EntryEnded, now_ms: int) -> None:
    call = room.calls.get(command.call)
    if call is None or call.waiting is None:
        return
    fresh = not call.first_position  # never admitted
    room.emit(
        "queue.left", call.tenant, call.name, queue=call.queue, reason=command.reason, position=command.position,
        first_position=call.first_position, waited_ms=command.waited_ms, key="",
    )  # fmt: skip
    staying.stopped_waiting(room, call, now_ms)
    tread(call, f"{call.queue.split('/')[-1]} {command.reason}")
    if not fresh or room.legs[call.leg].playing:
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
    if command.new in ("logged_out", "not_ready", "resting"):
        overflow.staff_changed(room, key, now_ms)
    room.emit(
        "agent.state", key.split("/")[0], "", agent=key, name=row.name, old=command.old, new=command.new,
        reason=command.reason, queue=queue,
    )  # fmt: skip
    if "between_calls" not in (reason, command.reason):  # a pause after each call is the plain course of things
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
