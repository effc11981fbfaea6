"""Deadlines of the calls' side: kind and number -> what is due then (DESIGN law 6).

Three tables: of legs, of calls, and of what is neither. `Switch` arms and expires; a kind without a row is a fault of
whoever armed it and does nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.call import (
    agents,
    announcing,
    arrival,
    boxes,
    callback,
    callbacks,
    certificates,
    confirming,
    desk,
    dial,
    draining,
    ending,
    enrolling,
    fraud,
    liveness,
    menus,
    nailed,
    outcomes,
    overflow,
    overrides,
    parking,
    pauses,
    places,
    prelude,
    probing,
    recording,
    refusing,
    resume,
    rooms,
    streaming,
    talking,
    telling,
    transfer,
    trunks,
    wait_program,
    watching,
    words,
)
from engine.clock import Key
from engine.dialplan.actions import TimerFired

if TYPE_CHECKING:
    from engine.call.call import Call
    from engine.call.leg import Leg
    from engine.call.room import Room


def deadline(room: Room, key: Key, now_ms: int) -> None:
    """What was to be done at this time. Keys whose call, leg or attempt is gone do nothing."""
    kind, number = key
    if kind in _LEG_DEADLINES:
        leg = room.legs.get(number)
        call = room.calls.get(leg.call) if leg is not None else None
        if leg is not None and call is not None:
            _LEG_DEADLINES[kind](room, call, leg, now_ms)
    elif kind in _CALL_DEADLINES:
        call = room.calls.get(number)
        if call is not None:
            _CALL_DEADLINES[kind](room, call, now_ms)
    elif kind == "ring":
        attempt = room.attempts.get(number)
        if attempt is None:
            return
        outcome = dial.timed_out(room, attempt, now_ms)
        if outcome is not None:
            outcomes.over(room, attempt, outcome, now_ms)
        else:
            talking.still_rings(room, attempt)
    elif kind == "challenge":
        agents.challenge_due(room, number, now_ms)
    elif kind == "resumed":
        resume.give_up(room, now_ms)
    elif kind == "streams":
        streaming.lost(room, now_ms)
    elif kind == "lever":
        desk.time_over(room, number, now_ms)
    elif kind == "override":
        overrides.due(room, now_ms)
    elif kind == "window":
        callbacks.window_over(room, number, now_ms)
    elif kind == "places":
        places.forget_old(room, now_ms)
    elif kind == "fraud_rows":
        fraud.forget_old(room, now_ms)
    elif kind == "skills":
        certificates.due(room, now_ms)
    elif kind == "staff":
        overflow.look_at_all(room, number, now_ms)
    elif kind == "drain":
        draining.due(room, now_ms)
    elif kind == "budget":
        _budget(room, number, now_ms)
    elif kind == "unheard":
        boxes.due(room, number, now_ms)
    elif kind == "verdict":
        arrival.unchecked(room, number, now_ms)
    elif kind == "lamps":
        watching.due(room, now_ms)
    elif kind == "drained":
        draining.over(room, number, now_ms)
    elif kind in _TRUNK_DEADLINES:
        _TRUNK_DEADLINES[kind](room, number, now_ms)


_LEG_DEADLINES: dict[str, Callable[[Room, Call, Leg, int], None]] = {
    "probe": lambda room, call, leg, now_ms: liveness.due(room, leg, now_ms),
    "code": nailed.gap,
    "confirm": confirming.due,
    "consent": prelude.window_over,
    "leg": lambda room, call, leg, now_ms: _forgotten(room, leg, now_ms),
    "fraud": lambda room, call, leg, now_ms: _lasts(room, call, leg, now_ms),
    "setup": lambda room, call, leg, now_ms: _silent(room, leg, now_ms),
}
_TRUNK_DEADLINES: dict[str, Callable[[Room, int, int], None]] = {
    "trunk_name": probing.look_again,
    "trunk_probe": probing.due,
    "trunk_rest": trunks.rested,
    "trunk_enrol": enrolling.begin,
    "trunk_again": enrolling.again,
}
_CALL_DEADLINES: dict[str, Callable[[Room, Call, int], None]] = {
    "script": lambda room, call, now_ms: room.happen(call, TimerFired(call.timer_ticket)),
    "record": recording.due,
    "position": announcing.due,
    "wait": wait_program.due,
    "overflow": overflow.look,
    "whisper": prelude.due,
    "report": callback.reported,
    "callback": callback.due,
    "nail": nailed.look,
    "park": parking.due,
    "room": rooms.due,
    "menu": menus.due,
    "words": words.due,
    "call": ending.too_long,
    "urgent": outcomes.silent,
    "refusal": refusing.over,
    "tone": lambda room, call, now_ms: ending.hang_up(
        room, call, "system", call.outcome or "failed", call.cause, now_ms
    ),
}


def _budget(room: Room, number: int, now_ms: int) -> None:
    """An agent is not ready for longer than his shift has time for: he and whoever watches are warned."""
    row = room.agents.get(room.agent_keys.get(number, ""))
    budget_ms = pauses.used_up(room, row, now_ms) if row is not None else 0
    if row is not None and budget_ms:
        telling.over_budget(room, row, budget_ms, now_ms)


def _silent(room: Room, leg: Leg, now_ms: int) -> None:
    """A trunk has left our INVITE without a word."""
    attempt = room.attempts.get(leg.attempt)
    outcome = dial.silent(room, leg, now_ms)
    if attempt is not None and outcome is not None:
        outcomes.over(room, attempt, outcome, now_ms)


def _lasts(room: Room, call: Call, leg: Leg, now_ms: int) -> None:
    """A call to the outside, by the rules against fraud."""
    if fraud.due(room, call, leg, now_ms):
        _forgotten(room, leg, now_ms)


def _forgotten(room: Room, leg: Leg, now_ms: int) -> None:
    """A transferor whose phone never said BYE."""
    room.endpoint.hang_up(leg.session, now_ms)
    transfer.leg_over(room, leg, "system", 16, now_ms)
