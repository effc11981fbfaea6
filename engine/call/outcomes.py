"""Who goes on when an attempt to reach somebody is over: its owner, by what the attempt was for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.call import callback, conference, emergency, handover, oversight, parking, talking, transfer, waiting
from engine.call.dial import Attempt, Outcome

if TYPE_CHECKING:
    from engine.call.call import Call
    from engine.call.room import Room

OWNERS: dict[str, Callable[[Room, Attempt, Outcome, int], None]] = {
    "offer": waiting.offer_over, "dial": talking.attempt_over, "direct": talking.attempt_over,
    "transfer": transfer.attempt_over, "return": transfer.attempt_over, "callback": callback.attempt_over,
    "conference": conference.attempt_over, "summon": oversight.attempt_over,
    "handover": handover.attempt_over, "park": parking.attempt_over,
}  # fmt: skip


def over(room: Room, attempt: Attempt, outcome: Outcome, now_ms: int) -> None:
    """Tell the owner of the attempt how it ended; an emergency call goes on by its next trunk first."""
    call = room.calls.get(attempt.call)
    if call is not None and call.emergency and attempt.purpose in emergency.PURPOSES:
        further = emergency.again(room, call, attempt, outcome)
        if further is None:
            return
        outcome = further
    OWNERS[attempt.purpose](room, attempt, outcome, now_ms)


def silent(room: Room, call: Call, now_ms: int) -> None:
    """A trunk has said nothing to an emergency call for too long."""
    attempt = room.attempts.get(call.attempt)
    failed = emergency.silent(room, call)
    if attempt is not None and failed is not None:
        OWNERS[attempt.purpose](room, attempt, failed, now_ms)
