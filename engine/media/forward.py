"""From a source to whoever hears it: copied on arrival where frames agree, paced through a playout buffer otherwise.

On arrival, the source's sequence numbers and timestamps are mapped onto the listener's timeline by constant offsets,
so losses, order and pauses stay visible to the far end's own jitter buffer; a jump or another SSRC anchors the map
anew. Between the two laws of G.711 a table turns each byte, so they need neither delay nor buffer. Only another frame
time does: its samples go into the listener's playout buffer, which the tick reads in the listener's own frames.
"""

from __future__ import annotations

from typing import Any

from engine.jit import i64, kernel
from engine.media import columns as c
from engine.media import mix, playout, timeline
from engine.media.columns import Plane
from engine.rtp.packet import HEADER_BYTES
from engine.rtp.sequence import ahead16, ahead32

_CONFORMING_MIN = 100  # packets of the agreed frame before a paced bridge goes back to copying
_JUMP_AHEAD = 8_000  # samples that timestamps may run ahead of arrivals: 1 s
_JUMP_BEHIND = -24_000
_DROPOUT_MAX = 3_000
_MISORDER_MAX = 100


# --- who hears whom --------------------------------------------------------------------------------------
@kernel
def attach(p: Plane, row: int, source: int) -> None:
    """Let `row` hear `source` (itself: echo) instead of whatever it had.

    Who heard it in a mix hears it without a seam: paced out of the seat's buffer until copying can begin.
    """
    leg = p.legs[row]
    number, seat = p.legs[source, c.MIX], p.legs[source, c.SEAT]
    mixed = leg[c.SOURCE] == c.MIXING and number >= 0 and number == leg[c.MIX]
    mixed = mixed and leg[c.EARS] & p.mixes[number, c.MIX_LIVE] & 1 << seat != 0
    flowing = leg[c.FLOWING]
    detach(p, row)
    leg[c.SOURCE] = c.ECHOING if row == source else c.HEARING
    leg[c.SOURCE_ROW] = source
    if mixed and _take_slot(p, row):
        playout.copy(p, mix.slot_of(number, seat), leg[c.SLOT])
        leg[c.FLOWING] = flowing
    leg[c.NEXT_LISTENER] = p.legs[source, c.FIRST_LISTENER]
    p.legs[source, c.FIRST_LISTENER] = row


@kernel
def detach(p: Plane, row: int) -> None:
    """Silence: end a play without telling, leave the source's listeners, give the playout buffer back."""
    leg = p.legs[row]
    if leg[c.SOURCE] == c.HEARING or leg[c.SOURCE] == c.ECHOING:
        source = leg[c.SOURCE_ROW]
        other = p.legs[source, c.FIRST_LISTENER]
        if other == row:
            p.legs[source, c.FIRST_LISTENER] = leg[c.NEXT_LISTENER]
        else:
            while other >= 0 and p.legs[other, c.NEXT_LISTENER] != row:
                other = p.legs[other, c.NEXT_LISTENER]
            if other >= 0:
                p.legs[other, c.NEXT_LISTENER] = leg[c.NEXT_LISTENER]
    leg[c.SOURCE] = c.NOTHING
    leg[c.SOURCE_ROW] = -1
    leg[c.NEXT_LISTENER] = -1
    leg[c.FLOWING] = 0
    leg[c.MAPPED] = 0
    release_slot(p, row)


@kernel
def dismiss(p: Plane, row: int) -> None:
    """Everyone who hears `row` hears nothing from now on."""
    while p.legs[row, c.FIRST_LISTENER] >= 0:
        detach(p, p.legs[row, c.FIRST_LISTENER])


@kernel
def release_slot(p: Plane, row: int) -> None:
    """Give a leg's playout buffer back to the pool."""
    leg = p.legs[row]
    if leg[c.SLOT] >= 0:
        p.free_slots[p.counters[c.FREE_SLOTS]] = leg[c.SLOT]
        p.counters[c.FREE_SLOTS] += 1
        leg[c.SLOT] = -1
    leg[c.CONFORMING] = 0


@kernel
def _take_slot(p: Plane, row: int) -> bool:
    """Take a playout buffer from the pool, primed with what the leg sent last; False (counted) when none is left."""
    if p.counters[c.FREE_SLOTS] <= 0:
        p.counters[c.SLOTS_EXHAUSTED] += 1
        return False
    p.counters[c.FREE_SLOTS] -= 1
    leg = p.legs[row]
    leg[c.SLOT] = p.free_slots[p.counters[c.FREE_SLOTS]]
    leg[c.CONFORMING] = 0
    playout.reset(p, leg[c.SLOT])
    if leg[c.MAPPED] == 1:
        playout.seed(p, leg[c.SLOT], p.last[row], leg[c.LAST_LENGTH], leg[c.LAST_LAW])
    return True


# --- packets ----------------------------------------------------------------------------------------------
@kernel
def deliver(p: Plane, row: int, packet: Any, start: int, end: int, law: int, marker: int, sequence: int,
            timestamp: int, ssrc: int, now_us: int) -> None:
    """Hand an audio packet of leg `row` to each leg that hears it."""
    listener = p.legs[row, c.FIRST_LISTENER]
    while listener >= 0:
        leg = p.legs[listener]
        following = leg[c.NEXT_LISTENER]
        if leg[c.DIGIT_PHASE] != 0 or leg[c.DIGIT_COUNT] != 0 or not timeline.may_send(p, listener, now_us):
            leg[c.MAPPED] = 0
        elif end - start == leg[c.FRAME] or leg[c.SOURCE] == c.ECHOING:
            _agreeing(p, row, listener, packet, start, end, law, marker, sequence, timestamp, ssrc, now_us)
        elif leg[c.SLOT] >= 0 or _take_slot(p, listener):
            leg[c.CONFORMING] = 0
            playout.write(p, leg[c.SLOT], timestamp, ssrc, packet, start, end - start, law)
        else:  # no buffer left: better a frame of another length than silence
            _copy(p, row, listener, packet, start, end, law, marker, sequence, timestamp, ssrc, now_us)
        listener = following


@kernel
def _agreeing(p: Plane, row: int, listener: int, packet: Any, start: int, end: int, law: int, marker: int,
              sequence: int, timestamp: int, ssrc: int, now_us: int) -> None:
    """A packet of the listener's own frame: copied, unless pacing has to be left first."""
    leg = p.legs[listener]
    slot = leg[c.SLOT]
    if slot < 0:
        _copy(p, row, listener, packet, start, end, law, marker, sequence, timestamp, ssrc, now_us)
        return
    leg[c.CONFORMING] += 1
    if leg[c.CONFORMING] < _CONFORMING_MIN:
        playout.write(p, slot, timestamp, ssrc, packet, start, end - start, law)
        return
    # back to copying: fade from what the buffer would have played next into this packet, so that nothing clicks
    length = end - start
    ahead = p.frame[1]
    playout.read(p, slot, length, ahead)
    release_slot(p, listener)
    before = p.counters[c.OUT_COUNT]
    _copy(p, row, listener, packet, start, end, law, marker, sequence, timestamp, ssrc, now_us)
    if p.counters[c.OUT_COUNT] > before:
        payload = p.out[before]
        for index in range(length):
            fresh = i64(p.decode[leg[c.LAW_OUT], payload[HEADER_BYTES + index]])
            mixed = (i64(ahead[index]) * (length - index) + fresh * index) // length
            payload[HEADER_BYTES + index] = p.encode[leg[c.LAW_OUT], mixed & 0xFFFF]
        timeline.remember(p, listener, before, length)


@kernel
def _anchor(p: Plane, row: int, listener: int, sequence: int, timestamp: int, ssrc: int, now_us: int) -> None:
    """Begin a talkspurt whose first packet is this one of the source."""
    leg = p.legs[listener]
    timeline.begin_talkspurt(p, listener, now_us)
    leg[c.MAPPED] = 1
    leg[c.MAP_SSRC] = ssrc
    leg[c.MAP_ROW] = row
    leg[c.MAP_SEQUENCE] = leg[c.SEQUENCE] - sequence
    leg[c.MAP_TIMESTAMP] = leg[c.TIMESTAMP] - timestamp
    leg[c.MAP_FIRST] = sequence
    leg[c.MAP_LAST] = sequence
    leg[c.MAP_LAST_TIMESTAMP] = timestamp
    leg[c.MAP_LAST_US] = now_us
    leg[c.FLOWING] = 0


@kernel
def _map(p: Plane, row: int, listener: int, sequence: int, timestamp: int, ssrc: int, now_us: int) -> bool:
    """Bring the map up to this packet, anchoring anew where the source jumped; False: it came too late to send."""
    leg = p.legs[listener]
    step = ahead16(sequence, leg[c.MAP_LAST])
    far = step > _DROPOUT_MAX or step < -_MISORDER_MAX
    if leg[c.MAPPED] == 0 or leg[c.MAP_SSRC] != ssrc or leg[c.MAP_ROW] != row or far:
        _anchor(p, row, listener, sequence, timestamp, ssrc, now_us)
        return True
    if step <= 0:
        return ahead16(sequence, leg[c.MAP_FIRST]) >= 0
    waited = (now_us - leg[c.MAP_LAST_US]) // timeline.SAMPLE_US
    drift = ahead32(timestamp, leg[c.MAP_LAST_TIMESTAMP]) - waited
    if drift > _JUMP_AHEAD or drift < _JUMP_BEHIND:
        _anchor(p, row, listener, sequence, timestamp, ssrc, now_us)
        return True
    leg[c.MAP_LAST] = sequence
    leg[c.MAP_LAST_TIMESTAMP] = timestamp
    leg[c.MAP_LAST_US] = now_us
    return True


@kernel
def _copy(p: Plane, row: int, listener: int, packet: Any, start: int, end: int, law: int, marker: int,
          sequence: int, timestamp: int, ssrc: int, now_us: int) -> None:
    """Send a packet on at once, in the listener's law and on its timeline."""
    slot = timeline.out_slot(p)
    if slot < 0 or not _map(p, row, listener, sequence, timestamp, ssrc, now_us):
        return
    leg = p.legs[listener]
    length = end - start
    target = p.out[slot]
    if law == leg[c.LAW_OUT]:
        for index in range(length):
            target[HEADER_BYTES + index] = packet[start + index]
    else:
        for index in range(length):
            target[HEADER_BYTES + index] = p.cross[law, packet[start + index]]
    out_sequence = (sequence + leg[c.MAP_SEQUENCE]) & 0xFFFF
    out_timestamp = (timestamp + leg[c.MAP_TIMESTAMP]) & 0xFFFFFFFF
    mark = 1 if marker == 1 or leg[c.MARKER] == 1 else 0
    timeline.commit(
        p, listener, slot, length, mark, leg[c.PAYLOAD_TYPE_OUT], out_sequence, out_timestamp, now_us
    )
    leg[c.MARKER] = 0
    if ahead16(out_sequence, leg[c.SEQUENCE]) >= 0:
        leg[c.SEQUENCE] = (out_sequence + 1) & 0xFFFF
        leg[c.TIMESTAMP] = (out_timestamp + length) & 0xFFFFFFFF
        leg[c.DUE_US] = now_us + length * timeline.SAMPLE_US
        timeline.remember(p, listener, slot, length)
    timeline.record_heard(p, listener, slot, length, out_timestamp)


@kernel
def swallow(p: Plane, row: int, sequence: int, ssrc: int) -> None:
    """A packet that came in order and isn't sent on must leave no hole in the listeners' sequence numbers."""
    listener = p.legs[row, c.FIRST_LISTENER]
    while listener >= 0:
        leg = p.legs[listener]
        step = ahead16(sequence, leg[c.MAP_LAST])
        if leg[c.MAPPED] == 1 and leg[c.MAP_SSRC] == ssrc and leg[c.MAP_ROW] == row and 0 < step <= _DROPOUT_MAX:
            leg[c.MAP_SEQUENCE] -= 1
            leg[c.MAP_LAST] = sequence
            leg[c.MAP_FIRST] = (sequence + 1) & 0xFFFF
        listener = leg[c.NEXT_LISTENER]


# --- pacing -------------------------------------------------------------------------------------------------
@kernel
def send_paced(p: Plane, row: int, nominal_us: int, now_us: int) -> None:
    """The tick's part of a paced bridge: the next frame out of the leg's playout buffer."""
    leg = p.legs[row]
    length = leg[c.FRAME]
    samples = p.frame[0]
    heard = playout.read(p, leg[c.SLOT], length, samples)
    if (heard == 0 and playout.faded(p, leg[c.SLOT])) or not timeline.may_send(p, row, now_us):
        leg[c.FLOWING] = 0
        return
    slot = timeline.out_slot(p)
    if slot < 0:
        return
    if leg[c.FLOWING] == 0:
        timeline.begin_talkspurt(p, row, nominal_us)
        leg[c.FLOWING] = 1
    target = p.out[slot]
    for index in range(length):
        target[HEADER_BYTES + index] = p.encode[leg[c.LAW_OUT], i64(samples[index]) & 0xFFFF]
    timeline.send_frame(p, row, slot, length, now_us)
