"""Nailed-up legs: an agent dials in once (`*59`), and his line stays up between calls.

His leg waits in a call of its own, phase `nailed`, in silence. An offer is a beep in his ear, then the caller (or the
question of `confirming`); the leg is lent to the caller's call and comes home when that conversation ends, whoever ends
it: the caller by hanging up, the agent by the key `release` (`*0`). Hanging up himself he ends the line: nothing is
offered to him until he dials in again. Between calls he types the codes that he would dial (`*53`, `*521`).

The line has no longest time. While it waits it is asked after every minute (OPTIONS in its dialog), so that a phone
that vanished makes its agent unreachable and not a black hole for callers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.call import agents, codes, ending, own_state, talking
from engine.call import leg as legs

if TYPE_CHECKING:
    from engine.call.call import Call
    from engine.call.leg import Leg
    from engine.call.room import Room

CODE = "nail_up"
LOOK_MS = 60_000
GAP_MS_MAX = 2_000  # between the keys of a code; `#` ends one at once
CODE_DIGITS_MAX = 8


def begin(room: Room, own: Call, now_ms: int) -> None:
    """He has dialled the code: his line stays up from now on, and he is logged in."""
    row, model = room.agents[own.agent], room.site_of(own).agents.get(own.agent)
    before = room.calls.get(row.nail)
    if model is None or model.reach is None or not model.reach.nailed_up:
        _refuse(room, own, 403, 21, "phone: {nailed_up: yes} isn't said in agents.yaml", now_ms)
        return
    if before is not None and before.leg not in room.legs:
        _refuse(room, own, 486, 17, "he is in a conversation on the line that he has nailed up", now_ms)
        return
    if not talking.answer_caller(room, own, now_ms):
        return
    row.nail = own.id
    if before is not None:  # his phone has started anew, perhaps: the newer line is the one that he has in his hand
        ending.hang_up(room, before, "system", "served", 16, now_ms)
    leg = room.legs[own.leg]
    leg.nail, own.phase, own.outcome = own.id, "nailed", "served"
    own.path.append("nailed up")
    room.deadlines.cancel(("call", own.id))
    room.deadlines.arm(("nail", own.id), now_ms + LOOK_MS)
    if not row.logged_in:
        agents.login(room, row, "phone", now_ms)
    agents.update_reachable(room, row, now_ms)
    _say(room, own, leg, "agent_nailed_up")


def _refuse(room: Room, own: Call, status: int, cause: int, detail: str, now_ms: int) -> None:
    room.emit("call.fault", own.tenant, own.name, where=own.dialled, detail=f"{own.agent}: {detail}")
    ending.hang_up(room, own, "system", "failed", cause, now_ms, status=status)


def look(room: Room, own: Call, now_ms: int) -> None:
    """Every minute: is he still there, and still somebody whose line stays up?"""
    leg, row = room.legs.get(own.leg), room.agents.get(own.agent)
    model = room.sites[room.site].agents.get(own.agent)
    room.deadlines.arm(("nail", own.id), now_ms + LOOK_MS)
    if leg is None:
        return  # a caller has it: that call's rules hold
    if row is None or model is None or model.reach is None or not model.reach.nailed_up:
        ending.hang_up(room, own, "system", "served", 16, now_ms)
        return
    room.endpoint.probe(leg.session, now_ms)


# --- keys between calls ------------------------------------------------------------------------------------------
def key(room: Room, leg: Leg, digit: str, now_ms: int) -> None:
    """A code begins with `*`; what stands before one means nothing."""
    if digit == "#":
        gap(room, room.calls[leg.call], leg, now_ms)
    elif leg.codes or digit == "*":
        leg.codes = (leg.codes + digit)[:CODE_DIGITS_MAX]
        room.deadlines.arm(("code", leg.id), now_ms + GAP_MS_MAX)


def gap(room: Room, call: Call, leg: Leg, now_ms: int) -> None:
    """The pause after the last key: a code is complete. In a conversation it is `codes`' affair."""
    if call.phase != "nailed":
        codes.gap(room, call, leg, now_ms)
        return
    typed, leg.codes = leg.codes, ""
    room.deadlines.cancel(("code", leg.id))
    site = room.sites[room.site]
    tenant, row = site.tenants.get(call.tenant), room.agents.get(call.agent)
    word, digits = codes.meant(tenant, typed) if tenant is not None else ("", "")
    if row is None or not typed:
        return
    if word == "status":
        language = tenant.languages[0] if tenant is not None and tenant.languages else "en"
        legs.play(room, leg, "nailed", room.clips(site, own_state.clips(room, row, site, language, now_ms)))
    else:
        said = codes.act(room, row, word, digits, now_ms) if word else ("invalid_choice",)
        _say(room, call, leg, *said)


def _say(room: Room, own: Call, leg: Leg, *prompts: str) -> None:
    site = room.site_of(own)
    tenant = site.tenants.get(own.tenant)
    language = tenant.languages[0] if tenant is not None and tenant.languages else "en"
    clips = room.clips(site, tuple(c for name in prompts for c in own_state.words(site, own.tenant, language, name)))
    if clips:
        legs.play(room, leg, "nailed", clips)
