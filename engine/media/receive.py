"""A datagram on a leg's port: told apart, checked, counted, learnt from, and handed on. Pure: no system calls.

Whatever the bytes, nothing is raised and no other leg is touched. What isn't heard is counted as ignored.
"""

from __future__ import annotations

from typing import Any

from engine.jit import i64, kernel
from engine.media import columns as c
from engine.media import ears, forward, latch, mix, playout, rings
from engine.media.columns import Plane
from engine.rtp import events, packet, quality

AUDIO_BYTES_MAX = 960  # 120 ms


@kernel
def receive(p: Plane, row: int, datagram: Any, length: int, source: Any, source_length: int, now_us: int) -> None:
    """Take in `length` bytes that came from socket address `source`; packets to send on lie in `out` afterwards."""
    leg = p.legs[row]
    p.counters[c.PACKETS_RECEIVED] += 1
    if leg[c.STATE] != c.OPEN or length > datagram.shape[0] or length > p.out.shape[1]:
        _ignore(p, row)
        return
    kind = packet.classify(datagram, length)
    if kind == packet.IS_RTP:
        _receive_rtp(p, row, datagram, length, source, source_length, now_us)
    elif kind == packet.IS_RTCP:
        if latch.is_current(p, row, source, source_length):
            _alive(p, row, now_us)
    else:
        if kind == packet.IS_STUN or kind == packet.IS_DTLS:
            p.counters[c.MEDIA_HANDED_ON] += 1
        _ignore(p, row)


@kernel
def _ignore(p: Plane, row: int) -> None:
    p.legs[row, c.IGNORED] += 1
    p.counters[c.PACKETS_IGNORED] += 1


@kernel
def _alive(p: Plane, row: int, now_us: int) -> None:
    leg = p.legs[row]
    leg[c.ALIVE_US] = now_us
    if leg[c.SILENCE_TOLD] != 0 and rings.emit(p, rings.MEDIA_BACK, row, 0, 0, 0, False):
        leg[c.SILENCE_TOLD] = 0


@kernel
def _receive_rtp(p: Plane, row: int, datagram: Any, length: int, source: Any, source_length: int,
                 now_us: int) -> None:
    start, end = packet.payload_bounds(datagram, length)
    if start == 0:
        _ignore(p, row)
        return
    codec = i64(p.payloads[row, datagram[1] & 0x7F])
    sequence = packet.read_u16(datagram, 2)
    ssrc = packet.read_u32(datagram, 8)
    wanted = _acceptable(codec, end - start)
    if not wanted:
        _ignore(p, row)
        if not latch.is_current(p, row, source, source_length):
            return
    elif not latch.admit(p, row, source, source_length, ssrc, sequence, now_us):
        _ignore(p, row)
        return
    _alive(p, row, now_us)
    timestamp = packet.read_u32(datagram, 4)
    stream = p.quality[row]
    known = stream[quality.LIVE]
    order = quality.arrive(stream, sequence, ssrc, now_us)
    if order == quality.DUPLICATE:
        return
    if order == quality.RESTART and known == 1:
        report(p, row, events.restart(p.presses[row], now_us))
    marker = i64(datagram[1]) >> 7
    if not wanted or codec == c.EVENT_CODEC or p.legs[row, c.RECEIVE] == 0:
        if order != quality.LATE:
            forward.swallow(p, row, sequence, ssrc)
        if wanted and codec == c.EVENT_CODEC:
            _receive_event(p, row, datagram, start, sequence, timestamp, marker, now_us)
        return
    law = 1 if codec == 8 else 0
    if order != quality.LATE:
        quality.time_packet(stream, timestamp, now_us)
    if p.legs[row, c.TAP] >= 0:
        left = c.SLOTS + 2 * p.legs[row, c.TAP]
        playout.write(p, left, timestamp, ssrc, datagram, start, end - start, law)
    if p.legs[row, c.FIRST_EAR] >= 0:
        ears.listen(p, row, sequence, timestamp, ssrc, datagram, start, end - start, law, now_us)
    if p.legs[row, c.MIX] >= 0:
        mix.write(p, row, timestamp, ssrc, datagram, start, end - start, law)
    if p.legs[row, c.FIRST_LISTENER] >= 0:
        forward.deliver(p, row, datagram, start, end, law, marker, sequence, timestamp, ssrc, now_us)


@kernel
def _acceptable(codec: int, payload_bytes: int) -> bool:
    """Is this a payload that the leg's answer allows, of a length that it can have?"""
    if codec == c.EVENT_CODEC:
        return payload_bytes >= events.PAYLOAD_BYTES
    return bool(codec != c.NO_CODEC and 0 < payload_bytes <= AUDIO_BYTES_MAX)


@kernel
def _receive_event(p: Plane, row: int, datagram: Any, start: int, sequence: int, timestamp: int, marker: int,
                   now_us: int) -> None:
    code, end, duration = events.read_event(datagram, start)
    if code > events.CODE_MAX:
        _ignore(p, row)
        return
    told = events.hear(p.presses[row], code, end, duration, timestamp, sequence, marker, now_us)
    report(p, row, told)


@kernel
def report(p: Plane, row: int, told: int) -> None:
    """Raise what `events.hear` or `events.expire` told of a leg's presses."""
    leg, press = p.legs[row], p.presses[row]
    if told & events.OLD_ENDED:
        _digit_heard(p, row, press[events.OLD_CODE], press[events.OLD_DURATION])
    if told & events.STARTED:
        rings.emit(p, rings.DIGIT_STARTED, row, press[events.CODE], 0, 0, False)
        if leg[c.SOURCE] == c.PLAYING and leg[c.STOP_ON_DIGIT] == 1:
            forward.detach(p, row)
    if told & events.ENDED:
        _digit_heard(p, row, press[events.CODE], press[events.DURATION])


@kernel
def _digit_heard(p: Plane, row: int, code: int, duration: int) -> None:
    """Raise DigitHeard; a full ring never loses it: the leg holds its digits back, in order, until there is room."""
    leg = p.legs[row]
    leg[c.DIGITS_HEARD] += 1
    release_digits(p, row)
    if leg[c.HELD_COUNT] == 0 and rings.emit(p, rings.DIGIT_HEARD, row, code, duration >> 3, 0, True):
        return
    if leg[c.HELD_COUNT] >= 15:
        p.counters[c.EVENTS_LOST] += 1
        return
    leg[c.HELD_DIGITS] |= code << (4 * leg[c.HELD_COUNT])
    leg[c.HELD_COUNT] += 1


@kernel
def release_digits(p: Plane, row: int) -> None:
    """Raise digits held back (their durations are forgotten) as far as the ring has room."""
    leg = p.legs[row]
    while leg[c.HELD_COUNT] > 0 and rings.emit(p, rings.DIGIT_HEARD, row, leg[c.HELD_DIGITS] & 15, 100, 0, True):
        leg[c.HELD_DIGITS] >>= 4
        leg[c.HELD_COUNT] -= 1
