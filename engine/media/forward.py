"""From a source to whoever hears it: copied on arrival where frames agree, paced through a playout buffer otherwise.

On arrival, the source's sequence numbers and timestamps are mapped onto the listener's timeline by constant offsets,
so losses, order and pauses stay visible to the far end's own jitter buffer; a jump or another SSRC anchors the map
anew. Between the two laws of G.711 a table turns each byte, and other codecs decode and code as packets come
(`media.coding`), so none of them needs delay or buffer. Only another frame time does: its samples go into the
listener's playout buffer, which the tick reads in the listener's own frames.
"""

from __future__ import annotations

from typing import Any

from engine.jit import i64, kernel
from engine.media import coding, mix, playout, timeline
from engine.media import columns as c
from engine.media.columns import Plane
from engine.media.commands import PCMA
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
        if leg[c.LAST_LAW] == coding.OCTETS:
            coding.recall(p, row)
        playout.seed(p, leg[c.SLOT], p.last[row], leg[c.LAST_LENGTH], leg[c.LAST_LAW])
    return True


# --- packets ----------------------------------------------------------------------------------------------
@kernel
def deliver(p: Plane, row: int, packet: Any, start: int, end: int, codec: int, samples: int, marker: int,
            sequence: int, timestamp: int, ssrc: int, now_us: int, cut: bool) -> None:
    """Hand an audio packet of leg `row` to each leg that hears it. Beyond G.711, its `samples` lie in `heard`; `cut`:
    they alone are to be heard, since a key sounds in the packet itself."""
    listener = p.legs[row, c.FIRST_LISTENER]
    while listener >= 0:
        leg = p.legs[listener]
        following = leg[c.NEXT_LISTENER]
        untouched = codec == leg[c.CODEC_OUT] and codec > PCMA  # in any frame: a buffer would cost the upper band
        if leg[c.DIGIT_PHASE] != 0 or leg[c.DIGIT_COUNT] != 0 or not timeline.may_send(p, listener, now_us):
            leg[c.MAPPED] = 0
        elif samples == leg[c.FRAME] or leg[c.SOURCE] == c.ECHOING or untouched:
            _agreeing(
                p, row, listener, packet, start, end, codec, samples, marker, sequence, timestamp, ssrc, now_us, cut
            )
        elif leg[c.SLOT] >= 0 or _take_slot(p, listener):
            leg[c.CONFORMING] = 0
            _pace(p, leg[c.SLOT], packet, start, codec, samples, timestamp, ssrc)
        else:  # no buffer left: better a frame of another length than silence
            _copy(
                p, row, listener, packet, start, end, codec, samples, marker, sequence, timestamp, ssrc, now_us, 0, cut
            )
        listener = following


@kernel
def _pace(p: Plane, slot: int, packet: Any, start: int, codec: int, samples: int, timestamp: int, ssrc: int) -> None:
    if codec > PCMA:
        playout.write(p, slot, timestamp, ssrc, p.heard, 0, samples, coding.LINEAR)
    else:
        playout.write(p, slot, timestamp, ssrc, packet, start, samples, coding.law_of(codec))


@kernel
def _agreeing(p: Plane, row: int, listener: int, packet: Any, start: int, end: int, codec: int, samples: int,
              marker: int, sequence: int, timestamp: int, ssrc: int, now_us: int, cut: bool) -> None:
    """A packet of the listener's own frame: copied, unless pacing has to be left first."""
    leg = p.legs[listener]
    slot, fade = leg[c.SLOT], 0
    if slot >= 0:
        leg[c.CONFORMING] += 1
        if leg[c.CONFORMING] < _CONFORMING_MIN:
            _pace(p, slot, packet, start, codec, samples, timestamp, ssrc)
            return
        # back to copying: fade from what the buffer would have played next into this packet, so that nothing clicks
        playout.read(p, slot, samples, p.frame[1])
        release_slot(p, listener)
        fade = 1
    _copy(p, row, listener, packet, start, end, codec, samples, marker, sequence, timestamp, ssrc, now_us, fade, cut)


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
def _copy(p: Plane, row: int, listener: int, packet: Any, start: int, end: int, codec: int, samples: int, marker: int,
          sequence: int, timestamp: int, ssrc: int, now_us: int, fade: int, cut: bool) -> None:
    """Send a packet on at once, in the listener's codec and on its timeline. `fade` 1: out of what `frame[1]` holds."""
    leg = p.legs[listener]
    octets, untouched = end - start, codec == leg[c.CODEC_OUT] and fade == 0 and not cut
    slot = timeline.out_slot(p)
    if slot < 0 or (not untouched and samples > coding.samples_max(p, leg[c.CODEC_OUT])):
        return
    if not _map(p, row, listener, sequence, timestamp, ssrc, now_us):
        return
    target = p.out[slot]
    out_sequence = (sequence + leg[c.MAP_SEQUENCE]) & 0xFFFF
    out_timestamp = (timestamp + leg[c.MAP_TIMESTAMP]) & 0xFFFFFFFF
    newest = ahead16(out_sequence, leg[c.SEQUENCE]) >= 0
    if untouched:
        for index in range(octets):
            target[HEADER_BYTES + index] = packet[start + index]
    else:
        _translate(p, listener, packet, start, codec, samples, target, fade)
    if untouched and coding.is_wide(codec):
        if newest:
            timeline.remember_octets(p, listener, slot, octets)
        if leg[c.TAP] >= 0 or leg[c.FIRST_EAR] >= 0:
            timeline.record_heard(p, listener, p.heard, 0, samples, out_timestamp, coding.LINEAR)
    else:
        if newest:
            timeline.remember(p, listener, slot, samples)
        timeline.record_heard(p, listener, target, HEADER_BYTES, samples, out_timestamp, leg[c.LAW_OUT])
        wide = i64(coding.is_wide(codec) and coding.is_wide(leg[c.CODEC_OUT]) and codec != leg[c.CODEC_OUT])
        octets = coding.give_out(p, listener, slot, samples, wide)
    mark = 1 if marker == 1 or leg[c.MARKER] == 1 else 0
    timeline.commit(
        p, listener, slot, octets, mark, leg[c.PAYLOAD_TYPE_OUT], out_sequence, out_timestamp, now_us
    )
    leg[c.MARKER] = 0
    if newest:
        leg[c.SEQUENCE] = (out_sequence + 1) & 0xFFFF
        leg[c.TIMESTAMP] = (out_timestamp + samples) & 0xFFFFFFFF
        leg[c.DUE_US] = now_us + samples * timeline.SAMPLE_US


@kernel
def _translate(p: Plane, listener: int, packet: Any, start: int, codec: int, samples: int, target: Any,
               fade: int) -> None:
    """Write a packet's sound in the listener's law."""
    law, goal = coding.law_of(codec), p.legs[listener, c.LAW_OUT]
    if law == coding.LINEAR:
        for index in range(samples):
            coding.put(p, goal, target, HEADER_BYTES, index, coding.sample(p, law, p.heard, 0, index))
    elif goal == coding.LINEAR:
        for index in range(samples):
            coding.put(p, goal, target, HEADER_BYTES, index, i64(p.decode[law, packet[start + index]]))
    else:
        for index in range(samples):
            octet = packet[start + index]
            target[HEADER_BYTES + index] = octet if law == goal else p.cross[law, octet]
    if fade == 1:
        for index in range(samples):
            fresh = coding.sample(p, goal, target, HEADER_BYTES, index)
            mixed = (i64(p.frame[1, index]) * (samples - index) + fresh * index) // samples
            coding.put(p, goal, target, HEADER_BYTES, index, mixed)


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
    coding.put_all(p, leg[c.LAW_OUT], p.out[slot], HEADER_BYTES, samples, length)
    timeline.send_frame(p, row, slot, length, now_us)
