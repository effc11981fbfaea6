"""A datagram on a leg's port: told apart, checked, counted, learnt from, and handed on. Pure: no system calls.

Whatever the bytes, nothing is raised and no other leg is touched. What isn't heard is counted as ignored.
"""

from __future__ import annotations

from typing import Any

from engine.jit import i64, kernel
from engine.media import coding, comfort, ears, forward, latch, mix, playout, reports, rings, secure, tones
from engine.media import columns as c
from engine.media.columns import Plane
from engine.media.commands import CN, L16_16, PCMA
from engine.rtp import events, packet, quality

_WEIGHED_OF = 7  # one packet of eight: levels need no more


@kernel
def receive(p: Plane, row: int, datagram: Any, length: int, source: Any, source_length: int, now_us: int) -> None:
    """Take in `length` bytes that came from socket address `source`; packets to send on lie in `out` afterwards."""
    leg = p.legs[row]
    p.counters[c.PACKETS_RECEIVED] += 1
    if leg[c.STATE] != c.OPEN or length > datagram.shape[0] or length > p.out.shape[1]:
        _ignore(p, row)
        return
    kind = packet.classify(datagram, length)
    if leg[c.CIPHER] != 0 and (kind == packet.IS_RTP or kind == packet.IS_RTCP):
        length = secure.unprotect(p, row, datagram, length, kind == packet.IS_RTCP)
        if length < 0 and kind == packet.IS_RTP:
            _ignore(p, row)
            return
    if kind == packet.IS_RTP:
        _receive_rtp(p, row, datagram, length, source, source_length, now_us)
    elif kind == packet.IS_RTCP:
        _hear_report(p, row, datagram, length, source, source_length, now_us, False)
    else:
        _ignore(p, row)


@kernel
def receive_report(p: Plane, row: int, datagram: Any, length: int, source: Any, source_length: int,
                   now_us: int) -> None:
    """Take in what came on the leg's port for reports."""
    if p.legs[row, c.STATE] != c.OPEN or length > datagram.shape[0]:
        length = -1
    elif p.legs[row, c.CIPHER] != 0:
        length = secure.unprotect(p, row, datagram, length, True)
    _hear_report(p, row, datagram, length, source, source_length, now_us, True)


@kernel
def _hear_report(p: Plane, row: int, datagram: Any, length: int, source: Any, source_length: int, now_us: int,
                 apart: bool) -> None:
    """Take in a compound packet, `length` -1 for one that isn't genuine. One that isn't believed is no audio that the
    leg has lost: the plane counts it, the leg doesn't."""
    if length < 0 or not reports.hear(p, row, datagram, length, source, source_length, now_us, apart):
        p.counters[c.PACKETS_IGNORED] += 1


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
    if not wanted or codec >= c.EVENT_CODEC or codec == CN or p.legs[row, c.RECEIVE] == 0:
        if order != quality.LATE:
            forward.swallow(p, row, sequence, ssrc)
        if wanted and codec >= c.EVENT_CODEC:
            _receive_event(p, row, datagram, start, codec - c.EVENT_CODEC, sequence, timestamp, marker, now_us)
        elif wanted and codec == CN and order != quality.LATE and p.legs[row, c.RECEIVE] == 1:
            if p.coding[row, c.RATE_IN] == 16_000:
                timestamp = coding.halved(p, row, timestamp)
            comfort.hear(p, row, datagram, start, end, timestamp, ssrc)
        return
    p.coding[row, c.RATE_IN] = 16_000 if codec == L16_16 else 8_000
    if codec == L16_16:
        timestamp = coding.halved(p, row, timestamp)
    samples = coding.samples_of(codec, end - start)
    if order != quality.LATE:
        quality.time_packet(stream, timestamp, now_us, marker)
    if p.coding[row, c.COMFORT] == 1 and order != quality.LATE:
        p.coding[row, c.COMFORT] = 0
    cut = False
    if codec > PCMA:
        coding.take_in(p, row, codec, datagram, start, samples, order, coding.wanted(p, row, codec))
        if p.legs[row, c.TONES] != 0:
            cut = _hear_tones(p, row, p.heard, 0, samples, sequence, timestamp, ssrc, coding.LINEAR, now_us)
        _keep(p, row, p.heard, 0, samples, coding.LINEAR, sequence, timestamp, ssrc, now_us)
    else:
        law = coding.law_of(codec)
        if sequence & _WEIGHED_OF == 0:
            quality.weigh(stream, p.decode[law], datagram, start, end)
        if p.legs[row, c.TONES] != 0:
            _hear_tones(p, row, datagram, start, samples, sequence, timestamp, ssrc, law, now_us)
        _keep(p, row, datagram, start, samples, law, sequence, timestamp, ssrc, now_us)
    if p.legs[row, c.FIRST_LISTENER] >= 0:
        forward.deliver(p, row, datagram, start, end, codec, samples, marker, sequence, timestamp, ssrc, now_us, cut)


@kernel
def _keep(p: Plane, row: int, octets: Any, start: int, samples: int, law: int, sequence: int, timestamp: int,
          ssrc: int, now_us: int) -> None:
    """The sound of a packet, as bytes in a law, for whoever takes it out of the plane or sums it up."""
    leg = p.legs[row]
    if leg[c.TAP] >= 0:
        playout.write(p, c.SLOTS + 2 * leg[c.TAP], timestamp, ssrc, octets, start, samples, law)
    if leg[c.FIRST_EAR] >= 0:
        ears.listen(p, row, sequence, timestamp, ssrc, octets, start, samples, law, now_us)
    if leg[c.MIX] >= 0:
        mix.write(p, row, timestamp, ssrc, octets, start, samples, law)


@kernel
def _acceptable(codec: int, payload_bytes: int) -> bool:
    """Is this a payload that the leg's answer allows, of a length that it can have?"""
    if codec >= c.EVENT_CODEC:
        return payload_bytes >= events.PAYLOAD_BYTES
    if codec == CN:
        return payload_bytes >= 1
    return bool(codec != c.NO_CODEC and coding.samples_of(codec, payload_bytes) > 0)


@kernel
def _receive_event(p: Plane, row: int, datagram: Any, start: int, shift: int, sequence: int, timestamp: int,
                   marker: int, now_us: int) -> None:
    code, end, duration = events.read_event(datagram, start)
    duration >>= shift  # of a clock of 16 kHz
    if code > events.CODE_MAX:
        _ignore(p, row)
        return
    tones.give_way(p, row)
    told = events.hear(p.presses[row], code, end, duration, timestamp, sequence, marker, now_us)
    report(p, row, told)


@kernel
def report(p: Plane, row: int, told: int) -> None:
    """Raise what `events.hear` or `events.expire` told of a leg's presses."""
    press = p.presses[row]
    if told & events.OLD_ENDED:
        _digit_heard(p, row, press[events.OLD_CODE], press[events.OLD_DURATION] >> 3, 0)
    if told & events.STARTED:
        _digit_started(p, row, press[events.CODE])
    if told & events.ENDED:
        _digit_heard(p, row, press[events.CODE], press[events.DURATION] >> 3, 0)


@kernel
def _hear_tones(p: Plane, row: int, octets: Any, start: int, samples: int, sequence: int, timestamp: int, ssrc: int,
                law: int, now_us: int) -> bool:
    """Listen for keys and fax tones in a packet's sound; where a key sounds it becomes silence for everybody else
    (True: a packet beyond G.711 must not pass untouched then)."""
    cut = tones.listen(p, row, sequence, timestamp, ssrc, octets, start, samples, law, now_us)
    if cut:
        for index in range(samples):
            coding.put(p, law, octets, start, index, 0)
            if law == coding.LINEAR:
                p.wide[2 * index] = 0
                p.wide[2 * index + 1] = 0
    report_tones(p, row)
    return bool(cut)


@kernel
def report_tones(p: Plane, row: int) -> None:
    """Raise what `media.tones` has to tell of a leg."""
    place = 0
    while True:
        kind, code, duration_ms = tones.take_told(p, row, place)
        place += 1
        if kind == 0:
            return
        if kind == tones.STARTED:
            _digit_started(p, row, code)
        elif kind == tones.ENDED:
            _digit_heard(p, row, code, duration_ms, 1)
        else:
            rings.emit(p, rings.FAX_HEARD, row, kind - tones.CNG, 0, 0, True)


@kernel
def _digit_started(p: Plane, row: int, code: int) -> None:
    leg = p.legs[row]
    rings.emit(p, rings.DIGIT_STARTED, row, code, 0, 0, False)
    if leg[c.SOURCE] == c.PLAYING and leg[c.STOP_ON_DIGIT] == 1:
        forward.detach(p, row)


@kernel
def _digit_heard(p: Plane, row: int, code: int, duration_ms: int, inband: int) -> None:
    """Raise DigitHeard; a full ring never loses it: the leg holds its digits back, in order, until there is room."""
    leg = p.legs[row]
    leg[c.DIGITS_HEARD] += 1
    release_digits(p, row)
    if leg[c.HELD_COUNT] == 0 and rings.emit(p, rings.DIGIT_HEARD, row, code, duration_ms, inband, True):
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
    inband = leg[c.TONES] & tones.DIGITS_ON  # one way at a time: an event ends the other
    while leg[c.HELD_COUNT] > 0 and rings.emit(p, rings.DIGIT_HEARD, row, leg[c.HELD_DIGITS] & 15, 100, inband, True):
        leg[c.HELD_DIGITS] >>= 4
        leg[c.HELD_COUNT] -= 1
