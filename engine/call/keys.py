"""Whose digit is it? The dialplan's, a recording's end, an exit key, an agent's feature code, or the far end's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.call import (
    callback,
    codes,
    confirming,
    menus,
    nailed,
    phone_menu,
    prelude,
    recording,
    rooms,
    staying,
    supervision,
    wait_program,
)
from engine.call import leg as legs
from engine.dialplan.actions import Digit

if TYPE_CHECKING:
    from engine.call.call import Call
    from engine.call.leg import Leg
    from engine.call.room import Room

MASK = "·"
INBAND = "inband"
SAME_PRESS_MS_MAX = 1_000  # between the end of a key's tones and the message about the same press


def heard(room: Room, leg: Leg, digit: str, duration_ms: int, way: str, now_ms: int) -> None:
    """One press on a leg, by whichever way it came."""
    call = room.calls.get(leg.call)
    if call is None or call.phase == "closing":
        return
    if _again(leg, digit, way, now_ms):
        return
    own = leg.id == call.leg
    shown = MASK if own and hidden(room, call) else digit
    room.emit("call.digit", call.tenant, call.name, digit=shown, way=way, leg="caller" if own else leg.party)
    if call.notices and prelude.key(room, call, leg, digit, now_ms):
        return
    if leg.state == "confirming":
        confirming.key(room, leg, digit, now_ms)
    elif call.phase == "nailed":
        nailed.key(room, leg, digit, now_ms)
    elif call.phase in phone_menu.PHASES and own:
        menus.key(room, call, digit, now_ms)
    elif call.phase == "supervising":
        supervision.keyed(room, call, digit, now_ms)
    elif leg.partner in room.legs and call.phase == "talking":
        if leg.agent:
            codes.keyed(room, call, leg, digit, duration_ms, now_ms)
        else:
            legs.send_digit(room, room.legs[leg.partner], digit, duration_ms, now_ms)
    elif own:
        if call.room and rooms.key(room, call, digit):
            return
        if call.record_ticket and digit in call.record_keys:
            recording.stop(room, call, now_ms)
        elif callback.key(room, call, digit, now_ms) or staying.exit_key(room, call, digit, now_ms):
            return
        elif wait_program.listens(call):
            wait_program.tell(room, call, Digit(digit), now_ms)
        else:
            early = call.barge_in and now_ms < call.barge_in_from_ms
            room.happen(call, Digit(digit, early))


def _again(leg: Leg, digit: str, way: str, now_ms: int) -> bool:
    """Is this the same press again? Some phones and gateways send each in two ways: the first counts from then on.

    Tones are the last resort: another way takes over from them, and tells at once what the tones told just before.
    """
    if way == INBAND:
        leg.tone, leg.tone_ms = digit, now_ms
    if leg.digit_way == INBAND and way != INBAND:
        leg.digit_way = way
        return leg.tone == digit and now_ms - leg.tone_ms < SAME_PRESS_MS_MAX
    if leg.digit_way and leg.digit_way != way:
        return True
    leg.digit_way = way
    return False


def hidden(room: Room, call: Call) -> bool:
    """May this press be a secret? While one is gathered, and while he types ahead to a dialplan that asks for one."""
    if call.sensitive or call.collecting or call.phase != "script" or call.running is None:
        return call.sensitive
    program = room.site_of(call).programs[call.program]
    return any(variable.sensitive for variable in program.variables.values())


def started(room: Room, leg: Leg) -> None:
    """A press begins: the prompt stops at once where keys are being collected (the digit itself follows)."""
    call = room.calls.get(leg.call)
    if call is None or leg.id != call.leg or not call.barge_in or room.now_ms < call.barge_in_from_ms:
        return
    if leg.playing.startswith("step:"):
        legs.quiet(room, leg)
