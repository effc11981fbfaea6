"""Clips on a leg: kept encoded in both laws, shared by all calls, joined without a gap.

A frame may hold the end of one clip and the beginning of the next. While the leg may not send (on hold, not
confirmed, digits going out) the play goes on unheard, except during digits: a play always ends, so nothing waits
for ever for its PlayEnded.
"""

from __future__ import annotations

from typing import Any

from engine.jit import i64, kernel
from engine.media import coding, forward, rings, timeline
from engine.media import columns as c
from engine.media.columns import Plane
from engine.rtp.packet import HEADER_BYTES


@kernel
def begin(p: Plane, row: int, ticket: int, count: int, loop: int, stop_on_digit: int, start: int) -> None:
    """Play the `count` clips in the row's playlist from sample `start` of the first on."""
    forward.detach(p, row)
    leg = p.legs[row]
    leg[c.SOURCE] = c.PLAYING
    leg[c.TICKET] = ticket
    leg[c.CLIPS] = count
    leg[c.CLIP_AT] = 0
    leg[c.LOOP] = loop
    leg[c.STOP_ON_DIGIT] = stop_on_digit
    leg[c.NEXT_K] = p.counters[c.TICK_K] + 1
    length = p.clips[p.playlists[row, 0], c.CLIP_LENGTH] if count > 0 else 0
    leg[c.CURSOR] = start % length if length > 0 else 0


@kernel
def fill(p: Plane, row: int, target: Any, first: int, length: int) -> bool:
    """Write the next `length` samples, in the leg's law, to target[first:]; True when the last clip has ended."""
    leg = p.legs[row]
    law = leg[c.LAW_OUT]
    done = 0
    idle = 0
    while done < length:
        if leg[c.CLIP_AT] >= leg[c.CLIPS]:
            if leg[c.LOOP] == 0 or leg[c.CLIPS] == 0 or idle > leg[c.CLIPS]:
                break
            leg[c.CLIP_AT] = 0
        clip = p.clips[p.playlists[row, leg[c.CLIP_AT]]]
        part = min(length - done, clip[c.CLIP_LENGTH] - leg[c.CURSOR])
        if part <= 0:
            idle += 1
            leg[c.CLIP_AT] += 1
            leg[c.CURSOR] = 0
            continue
        idle = 0
        if law == coding.LINEAR:
            for index in range(part):
                value = i64(p.decode[0, p.audio[clip[c.CLIP_MU] + leg[c.CURSOR] + index]])
                coding.put(p, coding.LINEAR, target, first, done + index, value)
        else:
            origin = clip[law] + leg[c.CURSOR]
            for index in range(part):
                target[first + done + index] = p.audio[origin + index]
        done += part
        leg[c.CURSOR] += part
    for index in range(done, length):
        coding.put(p, law, target, first, index, 0)
    return _at_end(p, row)


@kernel
def _at_end(p: Plane, row: int) -> bool:
    """Has the last sample of the last clip been taken? (Otherwise the end would cost a frame of silence.)"""
    leg = p.legs[row]
    if leg[c.LOOP] == 1 and leg[c.CLIPS] > 0:
        return False
    at, cursor = leg[c.CLIP_AT], leg[c.CURSOR]
    while at < leg[c.CLIPS]:
        if p.clips[p.playlists[row, at], c.CLIP_LENGTH] > cursor:
            return False
        at += 1
        cursor = 0
    return True


@kernel
def send_next(p: Plane, row: int, nominal_us: int, now_us: int) -> None:
    """The tick's part of a play: the next frame."""
    leg = p.legs[row]
    slot = timeline.out_slot(p)
    if slot < 0:
        return
    if leg[c.FLOWING] == 0 and leg[c.CLIPS] > 0:
        timeline.begin_talkspurt(p, row, nominal_us)
    ended = fill(p, row, p.out[slot], HEADER_BYTES, leg[c.FRAME])
    if leg[c.CLIPS] > 0 and timeline.may_send(p, row, now_us):
        leg[c.FLOWING] = 1
        timeline.send_frame(p, row, slot, leg[c.FRAME], now_us)
    else:
        leg[c.FLOWING] = 0
    if ended:
        forward.detach(p, row)
        leg[c.PLAY_DONE] = 1
        tell_end(p, row)


@kernel
def tell_end(p: Plane, row: int) -> None:
    """Raise PlayEnded; kept for the next tick when the ring is full."""
    if rings.emit(p, rings.PLAY_ENDED, row, p.legs[row, c.TICKET], 0, 0, True):
        p.legs[row, c.PLAY_DONE] = 0
