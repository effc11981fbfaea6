"""What time does to a leg: the next frame of its source, digits, supervision, recordings. Pure: no system calls.

Ticks are counted in units of 10 ms (`k`); the loop ticks every 20 ms, or every 10 while a leg's frame needs it. A
leg that finds itself late by more than a frame skips the missed frames: its timestamp advances over them and what it
plays goes on where it was, behind a marker. Nothing is ever sent in a burst.
"""

from __future__ import annotations

from engine.jit import kernel
from engine.media import columns as c
from engine.media import (
    comfort,
    control,
    digits,
    forward,
    latch,
    mix,
    mouths,
    play,
    playout,
    receive,
    reports,
    rings,
    timeline,
    tones,
)
from engine.media.columns import Plane
from engine.rtp import events, rtcp, srtp

_WATCH_K = 10
_K_US = 10_000


@kernel
def tick_mixes(p: Plane, k: int) -> None:
    """Tick `k` of every mix: what was said is decoded once, before the legs take their frames."""
    if p.counters[c.MIXES_RUNNING] > 0:
        for number in range(p.mixes.shape[0]):
            mix.decode(p, number, k)


@kernel
def tick_leg(p: Plane, row: int, k: int, nominal_us: int, now_us: int) -> None:
    """Tick `k`, due at `nominal_us`, for one leg; packets to send lie in `out` afterwards."""
    leg = p.legs[row]
    if k >= leg[c.WATCH_K]:
        leg[c.WATCH_K] = k + _WATCH_K
        _watch(p, row, now_us)
        if leg[c.STATE] != c.OPEN:
            return
    if p.coding[row, c.COMFORT] == 1:
        comfort.pass_time(p, row, k)
    if digits.busy(p, row):
        digits.step(p, row, k, nominal_us, now_us)
        if digits.busy(p, row) or p.counters[c.OUT_COUNT] > 0:  # one packet a tick, the last of a digit too
            leg[c.NEXT_K] = k + 1
            return
    source = leg[c.SOURCE]
    mixing, speaking, noise = source == c.MIXING, source == c.SPEAKING, comfort.sounds(p, row)
    if k < leg[c.NEXT_K] or (source != c.PLAYING and not mixing and not speaking and not noise and leg[c.SLOT] < 0):
        return
    if (mixing and not mix.due(p, row)) or (speaking and not mouths.due(p, row, k)):
        return
    if leg[c.FLOWING] == 1:
        missed = (k - leg[c.NEXT_K]) // leg[c.FRAME_K]
        if missed > 0:
            _skip(p, row, missed)
        leg[c.NEXT_K] += leg[c.FRAME_K]
    else:
        leg[c.NEXT_K] = k + leg[c.FRAME_K]
    if source == c.PLAYING:
        play.send_next(p, row, nominal_us, now_us)
    elif speaking:
        mouths.send_next(p, row, nominal_us, now_us)
    elif mixing:
        mix.send_next(p, row, nominal_us, now_us)
    elif noise:
        comfort.send_next(p, row, nominal_us, now_us)
    else:
        forward.send_paced(p, row, nominal_us, now_us)


@kernel
def _skip(p: Plane, row: int, missed: int) -> None:
    leg = p.legs[row]
    leg[c.NEXT_K] += missed * leg[c.FRAME_K]
    leg[c.TIMESTAMP] = (leg[c.TIMESTAMP] + missed * leg[c.FRAME]) & 0xFFFFFFFF
    leg[c.DUE_US] += missed * leg[c.FRAME] * timeline.SAMPLE_US
    leg[c.MARKER] = 1
    leg[c.MISSED_FRAMES] += missed
    p.counters[c.FRAMES_MISSED] += missed


@kernel
def _watch(p: Plane, row: int, now_us: int) -> None:
    """Ten times a second: presses whose ends were lost, silence, and whatever a full ring refused before."""
    leg = p.legs[row]
    if leg[c.STATE] == c.CLOSING:
        control.finish_closing(p, row)
        return
    if p.presses[row, events.ACTIVE] == 1:
        receive.report(p, row, events.expire(p.presses[row], now_us))
    if leg[c.TONES] != 0:
        tones.expire(p, row, now_us)
        receive.report_tones(p, row)
    if leg[c.HELD_COUNT] > 0:
        receive.release_digits(p, row)
    if leg[c.PLAY_DONE] == 1:
        play.tell_end(p, row)
    if leg[c.TELL_LATCHED] == 1:
        latch.tell(p, row)
    if leg[c.IS_SET] == 1 and leg[c.RECEIVE] == 1:
        _watch_silence(p, row, now_us)
    reports.pass_time(p, row, now_us)
    reports.publish(p, row, now_us)


@kernel
def _watch_silence(p: Plane, row: int, now_us: int) -> None:
    """Audio is missed whatever else comes; who still reports (RTCP) is alive and needs no probe."""
    leg, refused = p.legs[row], p.streams[row, c.INBOUND, srtp.REFUSED]
    heard_us = leg[c.ALIVE_US]
    for level in range(1 + p.coding[row, c.COMFORT], 3):  # who has announced silence is not missed after 3 s
        silent_us = now_us - (heard_us if level == 1 else max(heard_us, p.reports[row, rtcp.HEARD_US]))
        limit_us = p.settings[c.MISSING_US if level == 1 else c.PROBE_US]
        due = leg[c.SILENCE_TOLD] < level and silent_us >= limit_us
        if due and rings.emit(p, rings.MEDIA_MISSING, row, limit_us // 1_000, refused, 0, False):
            leg[c.SILENCE_TOLD] = level


# --- recordings -----------------------------------------------------------------------------------------------
@kernel
def tick_tap(p: Plane, tap: int, k: int) -> None:
    """Add what is due to a recording: 20 ms of both directions, as often as time has passed (at most 5 at once)."""
    state = p.taps[tap]
    if state[c.TAP_STATE] == c.TAP_FREE:
        return
    behind = (k - state[c.TAP_NEXT_K]) // 2
    if behind > 5:  # after a stall: the time passes as silence
        state[c.TAP_OWED] += behind - 5
        state[c.TAP_NEXT_K] += 2 * (behind - 5)
    while k >= state[c.TAP_NEXT_K] and state[c.TAP_STATE] == c.TAP_RUNNING:
        state[c.TAP_NEXT_K] += 2
        _record_frame(p, tap)
    if state[c.TAP_STATE] == c.TAP_STOPPING:
        control.finish_tap(p, tap)


@kernel
def _record_frame(p: Plane, tap: int) -> None:
    state = p.taps[tap]
    left = c.SLOTS + 2 * tap
    says, hears = p.frame[0], p.frame[1]
    playout.read(p, left, c.TAP_FRAME, says)
    playout.read(p, left + 1, c.TAP_FRAME, hears)
    both = p.frame[2]
    for index in range(c.TAP_FRAME):
        both[2 * index] = 0 if state[c.TAP_PAUSED] == 1 else says[index]
        both[2 * index + 1] = 0 if state[c.TAP_PAUSED] == 1 else hears[index]
    shared = p.tap_shared[tap]
    frame = both[: 2 * c.TAP_FRAME]
    if state[c.TAP_OWED] > 0:
        _pay_silence(p, tap)
    if state[c.TAP_OWED] > 0 or not rings.push(p.tap_frames[tap], shared, frame, 0):
        state[c.TAP_OWED] += 1
    else:
        state[c.TAP_FRAMES] += 1
    # told of a full ring, too: silence that is owed may have filled it, and only reading it lets the recording go on
    ready = rings.waiting(shared) >= c.TAP_RING_FRAMES // 2 and state[c.TAP_FRAMES] >= state[c.TAP_TOLD_AT]
    if ready and rings.emit(p, rings.TAP_READY, state[c.TAP_ROW], tap, 0, 0, False):
        state[c.TAP_TOLD_AT] = state[c.TAP_FRAMES] + c.TAP_RING_FRAMES // 4


@kernel
def _pay_silence(p: Plane, tap: int) -> None:
    """Frames that found the ring full, or fell into a stall, take their time in the recording as silence."""
    state = p.taps[tap]
    silence = p.quiet
    while state[c.TAP_OWED] > 0 and rings.push(p.tap_frames[tap], p.tap_shared[tap], silence, 1):
        state[c.TAP_OWED] -= 1
        state[c.TAP_FRAMES] += 1
