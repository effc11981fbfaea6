"""Press 1 to take it: who is dialled at an outside number has answered only when his key says so.

A mobile's voicemail, a child and a pocket pick up too. While he is asked, nothing has happened for the caller: he keeps
his music and his place, and the other phones that ring for him ring on. `leg.state` is confirming.

| what comes | what it is |
|---|---|
| key 1 | his answer; the first of all who ring |
| another key | he rejects it |
| nothing in `confirm_ms` | no answer: a miss |
| he hangs up | no answer: a miss |
| the caller leaves, another phone answers | our BYE, with the Reason of a CANCEL |

An agent whose leg is nailed up hears a beep instead of a ringing phone. Then he has the caller, or is asked in the same
way; whatever his answer, his leg stays up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.acd.events import OfferHeld
from engine.call import dial, outcomes, own_state, talking, transfer
from engine.call import leg as legs

if TYPE_CHECKING:
    from engine.call.call import Call
    from engine.call.dial import Attempt, Outcome
    from engine.call.leg import Leg
    from engine.call.room import Room

KEY = "1"
GRACE_MS = 1_000  # the ringing of the others isn't cut off before his time is


def ask(room: Room, leg: Leg, now_ms: int) -> None:
    """He has picked up: he hears what for, again and again, and has his time from now on."""
    call, attempt = room.calls[leg.call], room.attempts[leg.attempt]
    room.deadlines.arm(("confirm", leg.id), now_ms + leg.confirm_ms)
    until = now_ms + leg.confirm_ms + GRACE_MS
    room.deadlines.arm(("ring", attempt.id), max(until, room.deadlines.at(("ring", attempt.id)) or 0))
    if attempt.purpose == "offer":
        room.distribute(OfferHeld(attempt.offer, leg.confirm_ms))
    caller = room.legs.get(call.leg)
    if caller is not None and caller.hears == leg.id:  # its early media was ringing; what follows is for him alone
        legs.quiet(room, caller)
        tone = talking.tone(room, call, "ringback")
        legs.play(room, caller, "ringback", room.clips(room.site_of(call), (tone,)), loop=True)
    clips = _prompt(room, call, attempt, leg)
    if clips:
        legs.play(room, leg, "confirm", clips, loop=True)


def _prompt(room: Room, call: Call, attempt: Attempt, leg: Leg) -> tuple[int, ...]:
    """The clips of "A call from the queue", its name where it was recorded (prompt queue_NAME), "press one …"."""
    if attempt.confirm_clips:
        return attempt.confirm_clips
    site, owner = room.site_of(call), leg.agent.split("/")[0] or call.tenant
    tenant = site.tenants.get(owner)
    language = tenant.languages[0] if tenant is not None and tenant.languages else "en"
    names = own_state.words(site, owner, language, "agent_queue_call" if attempt.queue else "agent_direct_call")
    if attempt.queue:
        whose, _, name = attempt.queue.partition("/")
        names += own_state.words(site, whose, language, f"queue_{name}")
    names += own_state.words(site, owner, language, "agent_press_one")
    return room.clips(site, names)


def key(room: Room, leg: Leg, digit: str, now_ms: int) -> None:
    """A press of his."""
    attempt = room.attempts.get(leg.attempt)
    if attempt is None:
        return
    if digit != KEY:
        _over(room, attempt, dial.declined(room, leg, "rejected", now_ms), now_ms)
        return
    legs.quiet(room, leg)
    _over(room, attempt, dial.taken(room, attempt, leg, now_ms), now_ms)


def due(room: Room, call: Call, leg: Leg, now_ms: int) -> None:
    """No key came; or a nailed-up leg has heard its beep."""
    attempt = room.attempts.get(leg.attempt)
    if attempt is None:
        return
    if leg.state == "signalled" and leg.confirm_ms:
        leg.state = "confirming"
        ask(room, leg, now_ms)
    elif leg.state == "signalled":
        legs.quiet(room, leg)
        _over(room, attempt, dial.taken(room, attempt, leg, now_ms), now_ms)
    elif leg.state == "confirming":
        _over(room, attempt, dial.declined(room, leg, "no_answer", now_ms), now_ms)


def leg_over(room: Room, leg: Leg, by: str, cause: int, now_ms: int) -> None:
    """A session ended. While its owner is asked that is his silence; every other one is `transfer`'s."""
    attempt = room.attempts.get(leg.attempt)
    if leg.state in dial.ASKED and attempt is not None:
        _over(room, attempt, dial.declined(room, leg, "no_answer", now_ms, gone=True), now_ms)
    else:
        transfer.leg_over(room, leg, by, cause, now_ms)


def _over(room: Room, attempt: Attempt, outcome: Outcome | None, now_ms: int) -> None:
    if outcome is not None:
        outcomes.over(room, attempt, outcome, now_ms)
    else:
        talking.still_rings(room, attempt)
