"""What a waiting caller is told over the music: his place, an honest range for his wait, the queue's own prompts.

What is due within TOGETHER_MS is said in one go. The range never shrinks without a cause: unless he has moved up or
an agent has come, what he was told before, less the time that has passed, is its lower bound.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.call import leg as legs
from engine.call import queue_facts
from engine.dialplan import wait_words
from engine.dialplan.speaking import clips_for

if TYPE_CHECKING:
    from engine.call.call import Call, Waiting
    from engine.call.room import Room

FIRST_MS = 3_000  # after joining: position and estimate are told for the first time
TOGETHER_MS = 3_000
_MINUTE = 60_000
_POSITION, _ESTIMATE, _PERIODIC = range(3)


def begin(room: Room, call: Call, now_ms: int) -> None:
    """He has joined: when each announcement is due for the first time."""
    kept = call.waiting
    assert kept is not None
    position_ms, estimate_ms = kept.position_every_ms, kept.estimate_every_ms
    kept.due = [
        now_ms + min(FIRST_MS, position_ms) if position_ms else 0,
        now_ms + min(FIRST_MS, estimate_ms) if estimate_ms else 0,
        now_ms + kept.periodic_every_ms if kept.periodic_every_ms and kept.periodic else 0,
    ]
    _arm(room, call, kept)


def _arm(room: Room, call: Call, kept: Waiting) -> None:
    times = [at for at in kept.due if at]
    if times:
        room.deadlines.arm(("position", call.id), min(times))


def due(room: Room, call: Call, now_ms: int) -> None:
    """Say what is due, then go on with the music. While something else is said to him, this time is passed over."""
    kept = call.waiting
    if kept is None or call.phase != "queue" or kept.run is not None:
        return
    if not kept.due:  # he joined under an engine that knew of positions only
        kept.due = [now_ms if kept.position_every_ms else 0, 0, 0]
    ready = [0 < at <= now_ms + TOGETHER_MS for at in kept.due]
    every = (kept.position_every_ms, kept.estimate_every_ms, kept.periodic_every_ms)
    kept.due = [now_ms + ms if is_due else at for is_due, ms, at in zip(ready, every, kept.due, strict=True)]
    _arm(room, call, kept)
    leg = room.legs[call.leg]
    if leg.playing != "music":
        return
    clips: tuple[int, ...] = ()
    if ready[_POSITION]:
        clips += position_now(room, call)
    if ready[_ESTIMATE]:
        clips += _estimate_now(room, call, now_ms)
    if ready[_PERIODIC]:
        clips += kept.periodic[kept.periodic_next % len(kept.periodic)]
        kept.periodic_next += 1
    if clips:
        kept.music_played_ms += now_ms - kept.music_from_ms
        legs.play(room, leg, "position", clips)


def _language(call: Call) -> str:
    return call.running.language if call.running is not None else call.language


def position_now(room: Room, call: Call) -> tuple[int, ...]:
    """The clips of his place, recorded as told; none when he is in no line any more."""
    position = room.acd.position(call.id)
    if position <= 0:
        return ()
    site = room.site_of(call)
    told_position(room, call, position)
    return room.clips(site, clips_for("position", position, _language(call), site, call.tenant))


def told_position(room: Room, call: Call, position: int) -> None:
    room.emit("queue.position", call.tenant, call.name, queue=call.queue, position=position)


def _estimate_now(room: Room, call: Call, now_ms: int) -> tuple[int, ...]:
    number = room.queue_ids.get(call.queue, -1)
    words = words_now(room, call, queue_facts.range_ms(room, call, number, now_ms), now_ms)
    if not words:
        return ()
    site = room.site_of(call)
    clips = room.clips(site, wait_words.range_clips(words, _language(call), site, call.tenant))
    if clips:
        told_range(room, call, words, now_ms)
    return clips


def words_now(room: Room, call: Call, estimate: queue_facts.Estimate | None, now_ms: int) -> str:
    """ "LOW HIGH" minutes that may honestly be said of an estimate now, '' for nothing."""
    kept, number = call.waiting, room.queue_ids.get(call.queue, -1)
    if kept is None or estimate is None:
        return ""
    low_ms, _, high_ms = estimate
    if any(kept.told) and not _has_cause(room, call, kept, number):
        passed_ms = now_ms - kept.told_ms
        low_ms, high_ms = not_less(low_ms, high_ms, kept.told, passed_ms)
    found = wait_words.said_range(low_ms, high_ms)
    return wait_words.spell(found) if found is not None else ""


def not_less(low_ms: int, high_ms: int, told: tuple[int, int], passed_ms: int) -> tuple[int, int]:
    """The estimate, raised to what he was told before less the time that has passed since."""
    low, high = told
    low_ms = max(low_ms, low * _MINUTE - passed_ms)
    high_ms = max(high_ms, low_ms, high * _MINUTE - passed_ms if high else 0)
    return low_ms, high_ms


def _has_cause(room: Room, call: Call, kept: Waiting, number: int) -> bool:
    """Has he moved up, or an agent come, since he was told?"""
    staff = queue_facts.logged_in(room.acd.presence(number))
    return room.acd.position(call.id) < kept.told_position or staff > kept.told_staff


def told_range(room: Room, call: Call, words: str, now_ms: int) -> None:
    """He has been told: kept for the next time, and recorded."""
    kept = call.waiting
    if kept is None:
        return
    low, high = (int(each) for each in words.split())
    position = room.acd.position(call.id)
    kept.told, kept.told_ms, kept.told_position = (low, high), now_ms, position
    kept.told_staff = queue_facts.logged_in(room.acd.presence(room.queue_ids.get(call.queue, -1)))
    room.emit("queue.told", call.tenant, call.name, queue=call.queue, position=position, low_min=low, high_min=high)
