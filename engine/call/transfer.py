"""Blind transfer, by REFER from the phone or by feature code: the one who stays goes on to another target.

The transferor's leg is kept until the target answers when his phone waits for the NOTIFY, so that a failure
brings the two together again; a transferor who has hung up is rung back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from engine.call import (
    bridge,
    budget,
    callback,
    conference,
    dial,
    emergency,
    ending,
    handover,
    script,
    supervision,
    talking,
    urgent,
    waiting,
)
from engine.call import leg as legs
from engine.call.call import Call, drop_leg, end_leg, tread
from engine.call.showing import display_name
from engine.dialplan import actions

if TYPE_CHECKING:
    from engine.call.dial import Attempt, Outcome
    from engine.call.leg import Leg
    from engine.call.room import Room

RING_MS_MAX = 30_000
TRANSFEROR_BYE_MS_MAX = 5_000
REFUSALS = {"nowhere": (404, "Not Found"), "over_budget": (403, "No More Transfers")}
STATUS_OF_RESULT = {"busy": 486, "no_answer": 408, "rejected": 603, "unreachable": 404}


def referred(room: Room, leg: Leg, refer: int, user: str, now_ms: int) -> None:
    """REFER from a phone. 202 has been said; the NOTIFYs tell him how it goes."""
    call = room.calls.get(leg.call)
    if call is None or call.phase != "talking" or leg.partner not in room.legs:
        room.endpoint.notify_refer(refer, 481, "No Conversation To Transfer", now_ms)
        return
    if not leg.agent and call.via == "public":  # a stranger reaches public numbers only, by this way too
        room.endpoint.notify_refer(refer, 403, "Forbidden", now_ms)
        return
    call.refer, call.refer_leg = refer, leg.id
    refusal = blind(room, call, leg, user, now_ms, by_key=False)
    if refusal:
        call.refer = 0
        room.endpoint.notify_refer(refer, *REFUSALS[refusal], now_ms)


def blind(
    room: Room, call: Call, leg: Leg, user: str, now_ms: int, *, by_key: bool, operator: str = ""
) -> str:  # fmt: skip
    """Send the partner of `leg` to `user`: a number of the site, an agent, or outside.

    "" when it has begun, else why not, and nothing has changed: "nowhere" (no such target) or "over_budget".

    An `operator` who asks for it may use every way out of the tenant; the leg's own agent only those of his team.
    """
    tenant = leg.agent.split("/")[0] if leg.agent else call.tenant
    index = room.index(call.site)
    if call.phase != "talking" or leg.partner not in room.legs:
        return "nowhere"  # the code was typed, and meanwhile the conversation ended
    number, agent = index.number(user, tenant), index.agent(tenant, user)
    model = index.site.agents.get(leg.agent)
    team = "*" if operator else model.team if model is not None else ""
    outside = index.outbound(tenant, team, user) if team or model is not None else None
    helps = bool(leg.agent or operator) and urgent.meant(index, user) != ""
    if number is None and agent is None and outside is None and not helps:
        return "nowhere"
    if call.guests:
        return "nowhere"  # a conference has no one partner who could be sent on: its guests leave first
    way = "operator" if operator else "code" if by_key else "refer"
    by = f"operator {operator}" if operator else leg.party
    budget.met(call, leg.agent)
    if not operator and budget.spent(room, call, f"{tenant}/{user}" if agent is not None and number is None else ""):
        room.emit("call.transferred", call.tenant, call.name, by=by, to=user, way=way, result="over_budget")
        tread(call, f"transfer to {user} refused")
        return "over_budget"
    conference.withdraw(room, call, now_ms)
    supervision.over(room, call, "transfer", now_ms)
    if leg.id == call.leg:
        bridge.swap(room, call, leg)
    stays = room.legs[call.leg]
    if leg.remote_hold:
        leg.held_ms += now_ms - leg.hold_from_ms
        leg.remote_hold = leg.key_hold = False
    bridge.part(room, call, leg)
    tread(call, f"transfer to {user}")
    room.emit("call.transferred", call.tenant, call.name, by=by, to=user, way=way, result="started")
    if by_key:
        call.refer_leg = 0
    call.transfer_by, call.transfer_leg, call.transfer_to = leg.agent, leg.id, user
    call.transferred_ms = now_ms
    if number is not None:
        _to_dialplan(room, call, leg, *script.way(room, call, number, now_ms), now_ms)
        return ""
    call.phase = "transfer"
    bridge.hold_music(room, call, stays)
    if by_key:
        release_transferor(room, call, now_ms)
    target = f"agent/{tenant}/{user}" if agent is not None else f"number/{user}"
    emergency.make_way(room, call, target)
    attempt, outcome = dial.start(
        room, call, "transfer", (target,), now_ms, ring_ms_max=RING_MS_MAX, team=team,
        display=display_name(call, index.site.queues.get(call.queue)) if call.queue else "",
    )  # fmt: skip
    call.attempt = attempt.id
    if outcome is not None:
        attempt_over(room, attempt, outcome, now_ms)
    return ""


def _to_dialplan(room: Room, call: Call, leg: Leg, program: str, entry: str, now_ms: int) -> None:
    _told(room, call, 200, "OK", now_ms)
    release_transferor(room, call, now_ms)
    if call.running is not None:
        call.running.waiting = "ended"
    call.queue = ""
    call.transfers += 1
    room.emit("call.transferred", call.tenant, call.name, by=leg.party, to=call.transfer_to, way="", result="done")
    if not script.begin(room, call, program, entry, now_ms, carry=True):
        ending.hang_up(room, call, "system", "failed", 41, now_ms)


def release_transferor(room: Room, call: Call, now_ms: int) -> None:
    """His part is over: the queue's conversation ends for him, and his phone hangs up (or is hung up)."""
    if call.served_by == call.transfer_by:  # else the one who stays is the queue's agent: he talks on
        waiting.completed(room, call, "transfer", now_ms)
    leg = room.legs.get(call.transfer_leg)
    if leg is None:
        return
    if call.refer_leg != leg.id or leg.nail:
        end_leg(room, leg, now_ms)
    else:  # a phone that sent REFER says BYE itself; ours follows if it forgets
        room.deadlines.arm(("leg", leg.id), now_ms + TRANSFEROR_BYE_MS_MAX)


def _told(room: Room, call: Call, status: int, phrase: str, now_ms: int) -> None:
    if call.refer:
        room.endpoint.notify_refer(call.refer, status, phrase, now_ms)
        if status >= 200:
            call.refer = 0


def progressed(room: Room, call: Call, status: int, now_ms: int) -> None:
    if call.phase == "transfer" and 100 < status < 200:
        _told(room, call, status, "Ringing", now_ms)


def attempt_over(room: Room, attempt: Attempt, outcome: Outcome, now_ms: int) -> None:
    """The target answered, or didn't: then back to the transferor, on the line or by ringing him."""
    call = room.calls.get(attempt.call)
    if call is None:
        return
    call.attempt = 0
    answered = outcome.result == "answered"
    happy = "done" if attempt.purpose == "transfer" else "returned"
    room.emit(
        "call.transferred", call.tenant, call.name, by=call.transfer_by, to=call.transfer_to, way="",
        result=happy if answered else outcome.result,
    )  # fmt: skip
    if answered:
        leg = room.legs[outcome.leg]
        _told(room, call, 200, "OK", now_ms)
        release_transferor(room, call, now_ms)
        tread(call, leg.party)
        call.transfers += attempt.purpose == "transfer"
        budget.met(call, leg.agent)
        bridge.join(room, call, room.legs[call.leg], leg, now_ms)
        return
    _told(room, call, STATUS_OF_RESULT.get(outcome.result, 480), "Transfer Failed", now_ms)
    back = room.legs.get(call.transfer_leg)
    if attempt.purpose == "transfer" and back is not None and back.state == "up":
        back.remote_hold, back.hold_from_ms = bridge.sdp_hold(back), now_ms  # his phone holds until it takes him back
        bridge.join(room, call, room.legs[call.leg], back, now_ms)
    elif attempt.purpose == "transfer" and call.transfer_by:
        queue = room.site_of(call).queues.get(call.queue)
        again, failed = dial.start(
            room, call, "return", (f"agent/{call.transfer_by}",), now_ms,
            ring_ms_max=queue.ring_ms if queue is not None else RING_MS_MAX,
            display=display_name(call, queue) if queue is not None else "",
        )  # fmt: skip
        call.attempt = again.id
        if failed is not None:
            attempt_over(room, again, failed, now_ms)
    else:
        _nobody(room, call, now_ms)


def _nobody(room: Room, call: Call, now_ms: int) -> None:
    """Neither the target nor the transferor: back to the head of the queue that he came from, without one the dialplan
    goes on, without a dialplan he hears that it failed.
    """
    running = call.running
    legs.quiet(room, room.legs[call.leg])
    if running is not None and running.waiting == "queue" and call.wish is not None and call.queue:
        call.transferred_ms = now_ms  # who has just let it ring isn't the first to be asked again
        waiting.join(room, call, structs.replace(call.wish, priority_ms=budget.HEAD_MS), now_ms, back=True)
        return
    if running is not None and running.waiting in ("queue", "dial"):
        call.phase = "script"
        if running.waiting == "queue":
            room.happen(call, actions.QueueEnded(call.queue_ticket, "no_agents"))
        else:
            room.happen(call, actions.DialEnded(call.dial_ticket, "no_answer"))
        return
    clips = room.clips(room.site_of(call), (f"{call.language}/transfer_failed",))
    call.outcome = "failed"
    if clips:
        call.phase = "code"
        legs.play(room, room.legs[call.leg], "code", clips)
        room.deadlines.arm(("tone", call.id), now_ms + 15_000)
    else:
        ending.hang_up(room, call, "system", "failed", 19, now_ms)


def transferor_left(room: Room, call: Call, leg: Leg, now_ms: int) -> None:
    """He hung up while the target rings: free for the next call; the target goes on ringing."""
    drop_leg(room, leg, now_ms)
    if call.phase == "transfer" and leg.agent == call.served_by:
        waiting.completed(room, call, "transfer", now_ms)


def leg_over(room: Room, leg: Leg, by: str, cause: int, now_ms: int) -> None:
    """A session ended: the transferor's during a transfer frees only him; every other one is `talking`'s."""
    if callback.leg_over(room, leg, now_ms):
        return
    call = room.calls.get(leg.call)
    if call is not None and call.joins == leg.id and by == "remote":
        handover.joined(room, call, now_ms)
    elif call is not None and leg.id == call.transfer_leg and leg.id not in (call.leg, call.other):
        transferor_left(room, call, leg, now_ms)
    else:
        talking.leg_over(room, leg, by, cause, now_ms)
