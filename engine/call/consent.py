"""Who is recorded hears so first, and may refuse by a key: during the announcement and for a moment after it.

To the caller it is said once in a call, by the step that leads to the recording or, where no step could (he overflowed
into a recorded queue, he wasn't answered yet), before he is put through. Whom we call hears it when he picks up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.call import leg as legs
from engine.dialplan.people_actions import RecordingTold, TellRecording

if TYPE_CHECKING:
    from engine.call.call import Call
    from engine.call.leg import Leg
    from engine.call.room import Room

WINDOW_MS = 2_000  # for the key, after the last word
GRACE_MS = 5_000  # should the plane never tell the end of it


class Notice(msgspec.Struct):
    """The announcement to leg `leg`, from its first word to the end of the time for the key. `ticket`: of the
    dialplan's step that waits for it, 0 before two are put through."""

    leg: int
    opt_out: str
    ticket: int = 0


def tell(room: Room, call: Call, wish: TellRecording, now_ms: int) -> None:
    """The dialplan wants it said to the caller. What he has heard once isn't said again."""
    leg = room.legs.get(call.leg)
    if call.consent or leg is None or leg.state != "up":
        room.happen(call, RecordingTold(wish.ticket, call.consent or "none"))
        return
    call.notices = []
    if not say(room, call, leg, wish.clips, wish.opt_out, now_ms, ticket=wish.ticket):
        room.happen(call, RecordingTold(wish.ticket, "none"))


def say(
    room: Room, call: Call, leg: Leg, names: tuple[str, ...], opt_out: str, now_ms: int, *, ticket: int = 0
) -> bool:
    """Begin to say it; False when the site has no such clip."""
    site = room.site_of(call)
    clips = room.clips(site, names)
    if not clips or leg.row < 0:
        return False
    call.notices.append(Notice(leg.id, opt_out, ticket))
    legs.play(room, leg, "consent", clips)
    ms = sum(site.prompts[name].duration_ms for name in names if name in site.prompts)
    room.deadlines.arm(("consent", leg.id), now_ms + ms + GRACE_MS)
    return True


def of(call: Call, leg: Leg) -> Notice | None:
    """What is being said to this leg."""
    return next((notice for notice in call.notices if notice.leg == leg.id), None)


def spoken(room: Room, call: Call, leg: Leg, now_ms: int) -> bool:
    """The last word has been said. True when that was all: there is no key to wait for."""
    notice = of(call, leg)
    if notice is None:
        return False
    if notice.opt_out:
        room.deadlines.arm(("consent", leg.id), now_ms + WINDOW_MS)
        return False
    over(room, call, leg, "told")
    return True


def key(room: Room, call: Call, leg: Leg, digit: str) -> bool:
    """Is this press his refusal?"""
    notice = of(call, leg)
    if notice is None or not notice.opt_out or digit != notice.opt_out:
        return False
    if leg.playing == "consent":
        legs.quiet(room, leg)
    over(room, call, leg, "declined")
    return True


def over(room: Room, call: Call, leg: Leg, result: str) -> None:
    """`told` or `declined`: recorded, and the step that waited for it goes on."""
    notice = of(call, leg)
    if notice is None:
        return
    call.notices.remove(notice)
    room.deadlines.cancel(("consent", leg.id))
    if result == "declined" or (leg.id == call.leg and call.consent != "declined"):
        call.consent = result
    who = "caller" if leg.id == call.leg else leg.party
    room.emit("recording.told", call.tenant, call.name, who=who, queue=call.queue, result=result)
    if notice.ticket:
        room.happen(call, RecordingTold(notice.ticket, result))
