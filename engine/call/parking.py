"""Parking: a caller waits in a slot until somebody picks him up by its code, or somebody takes him back.

An agent types the code of `park` in a conversation: he hears the slot, digit by digit, and is free; anybody of the
tenant dials the code and the slot. The dialplan's verb `park` does the same with a caller who talks to nobody.

| state of the call | what comes | what follows |
|---|---|---|
| phase parked | the code and the slot, dialled by an agent | they talk |
| | nobody in time, parked by an agent | his phone rings; he answers: they talk; not: parked for the same time again |
| | nobody in time, parked by the dialplan | the step's outcome `timeout` |
| | he hangs up | the call is over, the slot is free |
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.call import bridge, conference, dial, own_state, supervision, talking, waiting
from engine.call import leg as legs
from engine.call.call import Call, end_leg, tread
from engine.dialplan.people_actions import ParkCaller, ParkEnded
from engine.dialplan.speaking import clips_for

if TYPE_CHECKING:
    from engine.call.dial import Attempt, Outcome
    from engine.call.leg import Leg
    from engine.call.room import Room
    from engine.dialplan.model import ParkingModel, TenantModel

CODE = "park"
RETURN_RING_MS = 20_000
TELL_MS_MAX = 10_000  # for the slot to be said to whoever parked


# --- slots -------------------------------------------------------------------------------------------------------
def meant(tenant: TenantModel, dialled: str) -> str:
    """The slot behind a dialled `*871`, '' for other numbers."""
    for code, word in tenant.codes.items():
        slot = dialled.removeprefix(code)
        if word == CODE and slot != dialled and tenant.parking is not None and slot in tenant.parking.slots:
            return slot
    return ""


def parked(room: Room, tenant: str, slot: str) -> Call | None:
    """Who waits in this slot."""
    found = (call for call in room.calls.values() if call.slot == slot and call.tenant == tenant)
    return next((call for call in found if call.phase == "parked"), None)


def _free(room: Room, tenant: str, model: ParkingModel, wanted: str = "") -> str:
    taken = [call.slot for call in room.calls.values() if call.phase == "parked" and call.tenant == tenant]
    return next((slot for slot in ((wanted,) if wanted else model.slots) if slot not in taken), "")


def _model(room: Room, call: Call) -> ParkingModel | None:
    tenant = room.site_of(call).tenants.get(call.tenant)
    return tenant.parking if tenant is not None else None


# --- in ----------------------------------------------------------------------------------------------------------
def wished(room: Room, call: Call, wish: ParkCaller, now_ms: int) -> None:
    """The dialplan parks its caller."""
    model = _model(room, call)
    slot = _free(room, call.tenant, model, wish.slot) if model is not None else ""
    if model is None or not slot:
        room.happen(call, ParkEnded(wish.ticket, "full"))
        return
    if not talking.answer_caller(room, call, now_ms):
        return
    call.park_ticket, call.parked_by, call.parked_for_ms = wish.ticket, "", wish.ms_max or model.back_ms
    _in(room, call, slot, wish.music or model.music, now_ms)


def keyed(room: Room, call: Call, leg: Leg, now_ms: int) -> bool:
    """An agent has typed the code in a conversation. False when there is no slot: the two talk on."""
    model = _model(room, call)
    slot = _free(room, call.tenant, model) if model is not None else ""
    if model is None or not slot or call.guests or leg.partner not in room.legs:
        return False
    conference.withdraw(room, call, now_ms)
    supervision.over(room, call, "parked", now_ms)
    if leg.id == call.leg:
        bridge.swap(room, call, leg)
    bridge.part(room, call, leg)
    if call.served_by == leg.agent:
        waiting.completed(room, call, "transfer", now_ms)
    call.park_ticket, call.parked_by, call.parked_for_ms = 0, leg.agent, model.back_ms
    _in(room, call, slot, model.music, now_ms)
    _say(room, call, leg, slot, now_ms)
    return True


def _in(room: Room, call: Call, slot: str, music: tuple[str, ...], now_ms: int) -> None:
    call.phase, call.slot = "parked", slot
    tread(call, f"parked in {slot}")
    _told(room, call, "parked")
    clips = room.clips(room.site_of(call), music)
    if clips:
        legs.play(room, room.legs[call.leg], "parked", clips, loop=True)
    else:
        bridge.hold_music(room, call, room.legs[call.leg])
    room.deadlines.arm(("park", call.id), now_ms + call.parked_for_ms)


def _say(room: Room, call: Call, leg: Leg, slot: str, now_ms: int) -> None:
    """The slot to whoever parked; then his part is over."""
    site = room.site_of(call)
    tenant = site.tenants.get(call.tenant)
    language = tenant.languages[0] if tenant is not None and tenant.languages else "en"
    clips = 2 * room.clips(site, clips_for("digits", slot, language, site, call.tenant))  # a phone cuts the last word
    room.deadlines.arm(("leg", leg.id), now_ms + (TELL_MS_MAX if clips else 0))
    if clips:
        legs.play(room, leg, "slot", clips)


# --- out ---------------------------------------------------------------------------------------------------------
def out(room: Room, call: Call, state: str) -> None:
    """He isn't parked any more: `state` picked | returned | timeout | moved."""
    if not call.slot:
        return
    _told(room, call, state)
    call.slot = ""
    room.deadlines.cancel(("park", call.id))


def dialled(room: Room, own: Call, slot: str, now_ms: int) -> None:
    """An agent has dialled the code and a slot: they talk, or he hears that nobody is there."""
    call = parked(room, own.tenant, slot)
    own.path.append(f"pick up {slot}")
    if not talking.answer_caller(room, own, now_ms):
        return
    if call is None:
        _nobody(room, own, now_ms)
        return
    attempt = room.attempts.get(call.attempt)
    if attempt is not None:  # his agent is being rung to take him back
        dial.cancel(room, attempt, now_ms)
        call.attempt = 0
    out(room, call, "picked")
    leg = bridge.adopt(room, own, call, now_ms)
    tread(call, leg.party)
    bridge.join(room, call, room.legs[call.leg], leg, now_ms)


def _nobody(room: Room, own: Call, now_ms: int) -> None:
    site = room.site_of(own)
    tenant = site.tenants.get(own.tenant)
    language = tenant.languages[0] if tenant is not None and tenant.languages else "en"
    clips = room.clips(site, own_state.words(site, own.tenant, language, "not_available"))
    own.phase, own.outcome = "code", "failed"
    if clips:
        legs.play(room, room.legs[own.leg], "code", clips)
    room.deadlines.arm(("tone", own.id), now_ms + (TELL_MS_MAX if clips else 0))


def due(room: Room, call: Call, now_ms: int) -> None:
    """Nobody has picked him up in time."""
    if call.phase != "parked":
        return
    if not call.parked_by:
        out(room, call, "timeout")
        legs.quiet(room, room.legs[call.leg])
        call.phase = "script"
        room.happen(call, ParkEnded(call.park_ticket, "timeout"))
        return
    attempt, outcome = dial.start(
        room, call, "park", (f"agent/{call.parked_by}",), now_ms, ring_ms_max=RETURN_RING_MS,
        display=f"{call.slot} {call.caller_name or call.caller}",
    )  # fmt: skip
    call.attempt = attempt.id
    if outcome is not None:
        attempt_over(room, attempt, outcome, now_ms)


def attempt_over(room: Room, attempt: Attempt, outcome: Outcome, now_ms: int) -> None:
    """Whoever parked him takes him back, or he stays where he is."""
    call = room.calls.get(attempt.call)
    if call is None:
        return
    call.attempt = 0
    if outcome.result != "answered":
        room.deadlines.arm(("park", call.id), now_ms + call.parked_for_ms)
        return
    leg = room.legs[outcome.leg]
    out(room, call, "returned")
    tread(call, leg.party)
    bridge.join(room, call, room.legs[call.leg], leg, now_ms)


def told(room: Room, leg: Leg, now_ms: int) -> None:
    """Whoever parked has heard the slot."""
    end_leg(room, leg, now_ms)


def _told(room: Room, call: Call, state: str) -> None:
    room.emit("call.parked", call.tenant, call.name, slot=call.slot, by=call.parked_by, state=state)
