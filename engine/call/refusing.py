"""What an agent hears whose phone may not dial a number: a short prompt as early media (RFC 3960), then the refusal.

His class of service, its hours or money, or a rule against fraud has refused the call. The status and its Q.850 cause
follow when the prompt has been heard, or after `HEARD_MS_MAX`. A phone opens its loudspeaker when the first packet of
early media comes, and at the refusal it throws away what it has buffered: so silence goes before the prompt and after
it (baresip lost 100 to 200 ms at either end). One at a time for an agent: a dialler that floods gets its refusals at
once, and takes no media with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.call import ending
from engine.call import leg as legs
from engine.call.own_state import words
from engine.errors import LimitExceeded, ProtocolError

if TYPE_CHECKING:
    from engine.call.call import Call
    from engine.call.room import Room

PURPOSE, PROMPT = "refusal", "agent_dial_refused"
SILENCE, SKIPPED_MS = "tone/silence", 600  # of its second
HEARD_MS_MAX = 10_000  # 8 s of prompt, and the silence


def begin(room: Room, call: Call, status: int, cause: int, now_ms: int) -> bool:
    """Tell him. False: he can't be told so, and the refusal is due now."""
    leg = room.legs.get(call.leg)
    if leg is None or not leg.agent or leg.state != "offered" or leg.their_offer is None:
        return False
    if any(each.agent == call.agent and each.refused_with for each in room.calls.values()):
        return False
    site = room.site_of(call)
    tenant = site.tenants.get(call.tenant)
    clips = room.clips(site, words(site, call.tenant, tenant.languages[0] if tenant is not None else "", PROMPT))
    if not clips:
        return False
    try:
        sdp = legs.our_answer(room, leg, leg.their_offer, now_ms)
    except (ProtocolError, LimitExceeded):
        return False
    room.endpoint.ring(leg.session, 183, now_ms, sdp=sdp)
    silence = room.clips(site, (SILENCE,))
    legs.play(room, leg, PURPOSE, silence + clips + silence, start_ms=SKIPPED_MS)
    call.phase, call.refused_with, call.cause = "refused", status, cause
    room.deadlines.arm((PURPOSE, call.id), now_ms + HEARD_MS_MAX)
    return True


def over(room: Room, call: Call, now_ms: int) -> None:
    """He has heard it."""
    ending.hang_up(room, call, "callee", "failed", call.cause, now_ms, status=call.refused_with)
