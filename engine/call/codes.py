"""Feature codes: dialled ones change an agent's state and say so; keyed ones act on the call he is in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.call import agents, bridge, ending, recording, talking, transfer
from engine.call import leg as legs
from engine.call.call import Call

if TYPE_CHECKING:
    from engine.call.leg import Leg
    from engine.call.room import Room

STATE_CODES = ("login", "logout", "not_ready", "ready")
CALL_CODES = ("transfer", "hold", "record_pause")
SPOKEN = {
    "login": "agent_logged_in", "logout": "agent_logged_out", "not_ready": "agent_not_ready", "ready": "agent_ready",
}  # fmt: skip
KEY_GAP_MS_MAX = 2_000  # between the keys of a code; then what was typed goes to the caller
NUMBER_GAP_MS_MAX = 4_000
NUMBER_DIGITS_MAX = 24


def dialled(room: Room, call: Call, word: str, now_ms: int) -> None:
    """`*50` and friends: act, say what is now, hang up."""
    row = room.agents[call.agent]
    if word == "login":
        agents.login(room, row, "phone", now_ms)
    elif word == "logout":
        agents.logout(room, row, "phone", now_ms)
    elif word == "not_ready":
        agents.not_ready(room, row, "phone")
    else:
        agents.ready(room, row)
    call.phase, call.outcome = "code", "served"
    call.path.append(word)
    if not talking.answer_caller(room, call, now_ms):
        return
    site = room.site_of(call)
    tenant = site.tenants.get(call.tenant)
    language = tenant.languages[0] if tenant is not None and tenant.languages else "en"
    clips = room.clips(site, (f"{language}/{SPOKEN[word]}",))
    if clips:
        legs.play(room, room.legs[call.leg], "code", clips)
        room.deadlines.arm(("tone", call.id), now_ms + 10_000)  # should the plane never tell the end
    else:
        ending.hang_up(room, call, "system", "served", 16, now_ms)


def keyed(room: Room, call: Call, leg: Leg, digit: str, duration_ms: int, now_ms: int) -> None:
    """A key of an agent in conversation: part of a code (swallowed), or the caller's to hear."""
    if leg.codes.startswith("T:"):
        _number_key(room, call, leg, digit, now_ms)
        return
    site = room.site_of(call)
    tenant = site.tenants.get(leg.agent.split("/")[0])
    known = {c: w for c, w in tenant.codes.items() if w in CALL_CODES} if tenant is not None else {}
    typed, meant = leg.codes + digit, 0
    while meant < len(typed) and not any(code.startswith(typed[meant:]) for code in known):
        meant += 1  # no code begins here: this key was for the caller
    _relay(room, leg, typed[:meant], duration_ms, now_ms)
    typed = typed[meant:]
    if typed and typed not in known:
        leg.codes = typed
        room.deadlines.arm(("code", leg.id), now_ms + KEY_GAP_MS_MAX)
        return
    leg.codes = ""
    room.deadlines.cancel(("code", leg.id))
    if typed:
        _act(room, call, leg, known[typed], now_ms)


def _relay(room: Room, leg: Leg, digits: str, duration_ms: int, now_ms: int) -> None:
    partner = room.legs.get(leg.partner)
    if partner is not None:
        for digit in digits:
            legs.send_digit(room, partner, digit, duration_ms, now_ms)


def _act(room: Room, call: Call, leg: Leg, word: str, now_ms: int) -> None:
    if word == "hold":
        leg.key_hold = not leg.key_hold
        bridge.hold_changed(room, call, leg, leg.key_hold or bridge.sdp_hold(leg), now_ms)
    elif word == "record_pause":
        recording.pause(room, call, not call.recording_paused)
    else:
        leg.codes, leg.key_hold = "T:", True
        bridge.hold_changed(room, call, leg, True, now_ms)
        room.deadlines.arm(("code", leg.id), now_ms + 2 * NUMBER_GAP_MS_MAX)


def _number_key(room: Room, call: Call, leg: Leg, digit: str, now_ms: int) -> None:
    if digit == "#":
        gap(room, call, leg, now_ms)
        return
    if len(leg.codes) < NUMBER_DIGITS_MAX:
        leg.codes += digit
    room.deadlines.arm(("code", leg.id), now_ms + NUMBER_GAP_MS_MAX)


def gap(room: Room, call: Call, leg: Leg, now_ms: int) -> None:
    """The pause after the last key (or `#`): a number is complete, an unfinished code was meant for the caller."""
    typed, leg.codes = leg.codes, ""
    room.deadlines.cancel(("code", leg.id))
    if not typed.startswith("T:"):
        _relay(room, leg, typed, 100, now_ms)
        return
    if len(typed) == 2 or not transfer.blind(room, call, leg, typed[2:], now_ms, by_key=True):
        leg.key_hold = False
        bridge.hold_changed(room, call, leg, bridge.sdp_hold(leg), now_ms)
