"""Digits out, one after another, over whatever a leg plays (RFC 4733 §2.5): marker, one timestamp, growing duration,
the end three times. A far end without telephone-event, or one that is to get them, hears the tones, 20 ms a packet,
and silence between and behind them: phones that begin to play when their buffer is full would otherwise hold back a
tone until the next one comes, then play both as one, and never play the last.

Digits run on the tick at 20 ms whatever the leg's frame. Audio is suspended from the first digit to the end of the
last one's gap; the duration follows time, so a late tick skips packets and never sends a burst.
"""

from __future__ import annotations

from engine.jit import i64, kernel
from engine.media import coding, forward, timeline
from engine.media import columns as c
from engine.media.columns import Plane
from engine.rtp import events
from engine.rtp.packet import HEADER_BYTES

IDLE, SOUNDING, RESTING = range(3)
_STEP_K = 2
_STEP_SAMPLES = 160
_K_SAMPLES = 80
_K_US = 10_000
_VOLUME = 10  # dB below 0 dBm0


@kernel
def queue(p: Plane, row: int, code: int) -> None:
    """Append one event code, 16 added for tones whatever was agreed; beyond DIGITS_QUEUED digits it is dropped."""
    leg = p.legs[row]
    if leg[c.DIGIT_COUNT] < c.DIGITS_QUEUED:
        p.digits[row, (leg[c.DIGIT_FIRST] + leg[c.DIGIT_COUNT]) % c.DIGITS_QUEUED] = code
        leg[c.DIGIT_COUNT] += 1


@kernel
def busy(p: Plane, row: int) -> bool:
    """Are digits being sent or waiting?"""
    return bool(p.legs[row, c.DIGIT_PHASE] != IDLE or p.legs[row, c.DIGIT_COUNT] > 0)


@kernel
def step(p: Plane, row: int, k: int, nominal_us: int, now_us: int) -> None:
    """One tick of a leg that is `busy`."""
    leg = p.legs[row]
    if leg[c.DIGIT_PHASE] != IDLE and k < leg[c.DIGIT_K]:
        return
    if leg[c.DIGIT_PHASE] == RESTING:
        if leg[c.DIGIT_ENDS] > 0:
            _send_event(p, row, 1, leg[c.DIGIT_ON], now_us)
            leg[c.DIGIT_ENDS] -= 1
        elif leg[c.DIGIT_AS_TONES] == 1 and k < leg[c.DIGIT_REST_K]:
            _send_tone(p, row, (k - leg[c.DIGIT_START_K]) * _K_SAMPLES, 0, now_us)
        leg[c.DIGIT_K] = k + _STEP_K
        if leg[c.DIGIT_ENDS] > 0 or k < leg[c.DIGIT_REST_K]:
            return
        leg[c.DIGIT_PHASE] = IDLE
    if leg[c.DIGIT_PHASE] == IDLE:
        if leg[c.DIGIT_COUNT] == 0:
            return
        _begin(p, row, k, nominal_us)
    leg[c.DIGIT_K] = k + _STEP_K
    _sound(p, row, k, now_us)


@kernel
def _begin(p: Plane, row: int, k: int, nominal_us: int) -> None:
    leg = p.legs[row]
    queued = i64(p.digits[row, leg[c.DIGIT_FIRST]])
    leg[c.DIGIT_CODE] = queued & 15
    leg[c.DIGIT_AS_TONES] = 1 if queued >> 4 == 1 or leg[c.EVENTS_OUT] < 0 else 0
    leg[c.DIGIT_FIRST] = (leg[c.DIGIT_FIRST] + 1) % c.DIGITS_QUEUED
    leg[c.DIGIT_COUNT] -= 1
    leg[c.DIGIT_PHASE] = SOUNDING
    leg[c.DIGIT_START_K] = k
    leg[c.DIGIT_START_US] = nominal_us
    leg[c.FLOWING] = 0
    leg[c.MAPPED] = 0
    forward.release_slot(p, row)  # what it holds would be stale after the digits
    timeline.begin_talkspurt(p, row, nominal_us)
    leg[c.DIGIT_TIMESTAMP] = leg[c.TIMESTAMP]


@kernel
def _sound(p: Plane, row: int, k: int, now_us: int) -> None:
    leg = p.legs[row]
    duration = (k - leg[c.DIGIT_START_K] + _STEP_K) * _K_SAMPLES
    over = duration >= leg[c.DIGIT_ON]
    if leg[c.DIGIT_AS_TONES] == 0:
        _send_event(p, row, 1 if over else 0, min(duration, leg[c.DIGIT_ON]), now_us)
    else:
        _send_tone(p, row, duration - _STEP_SAMPLES, min(duration, leg[c.DIGIT_ON]), now_us)
    if over:
        leg[c.DIGIT_PHASE] = RESTING
        leg[c.DIGIT_ENDS] = 0 if leg[c.DIGIT_AS_TONES] == 1 else 2
        end_us = leg[c.DIGIT_START_US] + leg[c.DIGIT_ON] * timeline.SAMPLE_US
        leg[c.DIGIT_REST_K] = leg[c.DIGIT_START_K] + (leg[c.DIGIT_ON] + leg[c.DIGIT_GAP]) // _K_SAMPLES
        leg[c.TIMESTAMP] = (leg[c.DIGIT_TIMESTAMP] + leg[c.DIGIT_ON]) & 0xFFFFFFFF
        leg[c.DUE_US] = end_us


@kernel
def _send_event(p: Plane, row: int, end: int, duration: int, now_us: int) -> None:
    leg = p.legs[row]
    if leg[c.EVENTS_OUT] < 0 or not timeline.may_send(p, row, now_us):
        return
    slot = timeline.out_slot(p)
    if slot < 0:
        return
    duration <<= p.coding[row, c.EVENTS_SHIFT]
    events.write_event(p.out[slot], HEADER_BYTES, leg[c.DIGIT_CODE], end, _VOLUME, min(duration, 0xFFFF))
    timeline.commit(
        p, row, slot, events.PAYLOAD_BYTES, leg[c.MARKER], leg[c.EVENTS_OUT], leg[c.SEQUENCE],
        leg[c.DIGIT_TIMESTAMP], now_us,
    )
    leg[c.MARKER] = 0
    leg[c.SEQUENCE] = (leg[c.SEQUENCE] + 1) & 0xFFFF


@kernel
def _send_tone(p: Plane, row: int, begin: int, end: int, now_us: int) -> None:
    """Samples begin … end of the digit's tone, none where it is over; the packet's rest is silence."""
    leg = p.legs[row]
    if not timeline.may_send(p, row, now_us):
        return
    slot = timeline.out_slot(p)
    if slot < 0:
        return
    if begin < end:
        leg[c.TONE_SENT] = leg[c.DIGIT_CODE]  # its echo is nobody's key
        leg[c.TONE_SENT_US] = now_us
    clip = p.clips[c.DTMF_CLIPS + leg[c.DIGIT_CODE]]
    law, length = leg[c.LAW_OUT], max(clip[c.CLIP_LENGTH], 1)
    stored = law if law != coding.LINEAR else 0  # clips lie in both laws of G.711
    first = clip[stored]
    for index in range(_STEP_SAMPLES):
        sounding = begin + index < end and clip[c.CLIP_LENGTH] > 0
        value = i64(p.decode[stored, p.audio[first + (begin + index) % length]]) if sounding else 0
        coding.put(p, law, p.out[slot], HEADER_BYTES, index, value)
    leg[c.TIMESTAMP] = (leg[c.DIGIT_TIMESTAMP] + begin) & 0xFFFFFFFF
    leg[c.DUE_US] = leg[c.DIGIT_START_US] + begin * timeline.SAMPLE_US
    timeline.send_frame(p, row, slot, _STEP_SAMPLES, now_us)
