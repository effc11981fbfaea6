"""What two people hear before they are put through: a whisper, that they are recorded, the beep of the recording.

Both sides are spoken to at once, and put through when the last word is said and the last key's time is over. Where
there is nothing to say they are put through at once.

| state of the call | what comes | what follows |
|---|---|---|
| phase whisper | all is said | the beep, where one was asked for, then the conversation |
| | somebody refuses to be recorded | the same, without a recording |
| | the plane never tells the end | its deadline: the same |
| | one hangs up | `talking.leg_over`: the other goes on alone |
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.call import bridge, consent, recording
from engine.call import leg as legs
from engine.dialplan.recording_model import rule_of

if TYPE_CHECKING:
    from engine.call.call import Call
    from engine.call.leg import Leg
    from engine.call.room import Room

GRACE_MS = 5_000
BEEP = "tone/beep"
BEEP_MS_MAX = 2_000


def join(
    room: Room, call: Call, leg: Leg, now_ms: int, *, whisper: tuple[int, ...] = (), record: bool = False,
    queue: str = "", dialled: bool = False,
) -> None:  # fmt: skip
    """Put the caller through to `leg`, which has answered. `whisper` is for `leg` alone; `record`: the conversation is
    recorded, by the rule of `queue`; `dialled`: `leg` is somebody whom we called."""
    call.notices, call.record_next, call.beep_next = [], record and call.consent != "declined", False
    call.other = leg.id
    caller = room.legs[call.leg]
    if call.record_next:
        _announce(room, call, caller, leg, now_ms, queue, dialled=dialled)
    if whisper and leg.playing != "consent":
        legs.play(room, leg, "whisper", whisper)
    elif whisper:
        call.whisper_next = whisper
    if not call.notices and not whisper and not call.beep_next:
        _put_through(room, call, now_ms)
        return
    call.phase = "whisper"
    site = room.site_of(call)
    lengths = {prompt.clip: prompt.duration_ms for prompt in site.prompts.values()} if whisper else {}
    at = [room.deadlines.at(("consent", notice.leg)) or 0 for notice in call.notices]
    wait_ms = sum(lengths.get(clip, 0) for clip in whisper) + GRACE_MS
    room.deadlines.arm(("whisper", call.id), max([now_ms, *(ms + consent.WINDOW_MS for ms in at)]) + wait_ms)
    _look(room, call, now_ms)


def _announce(
    room: Room, call: Call, caller: Leg, leg: Leg, now_ms: int, queue: str, *, dialled: bool
) -> None:  # fmt: skip
    """To the caller what he hasn't heard yet; to somebody outside whom we called, what is for him."""
    site = room.site_of(call)
    back = call.via == "callback"
    rule = rule_of(site, call.tenant, queue, outgoing=back)
    if rule is not None:
        call.beep_next = rule.beep
        language = call.running.language if call.running is not None else call.language
        if not call.consent and not caller.agent:
            consent.say(room, call, caller, rule.spoken(language), rule.opt_out, now_ms)
    rule = rule_of(site, call.tenant, queue, outgoing=True)
    if dialled and rule is not None and not leg.agent:
        call.beep_next = call.beep_next or rule.beep
        tenant = site.tenants.get(call.tenant)
        language = tenant.languages[0] if tenant is not None and tenant.languages else call.language
        consent.say(room, call, leg, rule.spoken(language), rule.opt_out, now_ms)


def heard(room: Room, call: Call, leg: Leg, now_ms: int) -> None:
    """A leg has heard its clips to the end."""
    consent.spoken(room, call, leg, now_ms)
    _look(room, call, now_ms)


def key(room: Room, call: Call, leg: Leg, digit: str, now_ms: int) -> bool:
    """Has somebody refused to be recorded?"""
    if not consent.key(room, call, leg, digit):
        return False
    call.record_next = call.record_next and call.consent != "declined"
    _look(room, call, now_ms)
    return True


def window_over(room: Room, call: Call, leg: Leg, now_ms: int) -> None:
    """Nobody has refused in time."""
    if leg.playing == "consent":
        legs.quiet(room, leg)
    consent.over(room, call, leg, "told")
    _look(room, call, now_ms)


def due(room: Room, call: Call, now_ms: int) -> None:
    """The plane never told the end of what is said."""
    if call.phase != "whisper":
        return
    for notice in list(call.notices):
        leg = room.legs.get(notice.leg)
        if leg is not None:
            consent.over(room, call, leg, "told")
    call.notices, call.beep_next, call.whisper_next = [], False, ()
    _put_through(room, call, now_ms)


def _look(room: Room, call: Call, now_ms: int) -> None:
    """Is there anything left to be said?"""
    if call.phase != "whisper" or call.notices:
        return
    caller, leg = room.legs.get(call.leg), room.legs.get(call.other)
    if caller is None or leg is None:
        return
    if call.whisper_next:
        clips, call.whisper_next = call.whisper_next, ()
        legs.play(room, leg, "whisper", clips)
    if leg.playing == "whisper" or caller.playing == "whisper":
        return
    if call.beep_next and call.record_next:
        call.beep_next = False
        clips = room.clips(room.site_of(call), (BEEP,))
        for each in (caller, leg):
            legs.play(room, each, "whisper", clips)
        room.deadlines.arm(("whisper", call.id), now_ms + BEEP_MS_MAX)
        if clips:
            return
    _put_through(room, call, now_ms)


def _put_through(room: Room, call: Call, now_ms: int) -> None:
    room.deadlines.cancel(("whisper", call.id))
    caller, leg = room.legs.get(call.leg), room.legs.get(call.other)
    if caller is None or leg is None:
        return
    if call.record_next:
        recording.start(room, call, now_ms)
    call.record_next = False
    bridge.join(room, call, caller, leg, now_ms)
