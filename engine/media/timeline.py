"""A leg's one outgoing timeline: SSRC, sequence and timestamp for life, whatever the source (DESIGN §2).

TIMESTAMP names the next sample and DUE_US the moment at which it is due. Silence costs no packets: a leg without a
source sends nothing, time moves on, and the next talkspurt takes the timestamp of its moment and carries the marker
(RFC 3551 §4.1). Sending silence frames would cost as much as music and tell the far end nothing: receivers treat a
marked gap as discontinuous transmission, which every jitter buffer in the field handles. A new source always begins
with the marker, so that a far end may re-adjust its delay there.
"""

from __future__ import annotations

from typing import Any

from engine.jit import kernel
from engine.media import coding, ears, playout
from engine.media import columns as c
from engine.media.columns import Plane
from engine.media.commands import G722
from engine.rtp.packet import HEADER_BYTES, write_header

SAMPLE_US = 125  # at 8 kHz, in which every timeline counts; `commit` doubles what a far end's clock wants doubled


@kernel
def may_send(p: Plane, row: int, now_us: int) -> bool:
    """Is there a destination that wants packets now?

    An address that has never sent to us gets at most 5 s of them: nobody can point us at a stranger.
    """
    leg = p.legs[row]
    if leg[c.SEND] == 0 or leg[c.CURRENT_LENGTH] == 0 or leg[c.STATE] != c.OPEN:
        return False
    if leg[c.CONFIRMED] == 1 or leg[c.SENDING_SINCE_US] == 0:
        return True
    return bool(now_us - leg[c.SENDING_SINCE_US] < p.settings[c.UNCONFIRMED_US])


@kernel
def begin_talkspurt(p: Plane, row: int, now_us: int) -> None:
    """Move the timeline to `now_us` (never back) and mark the next packet."""
    leg = p.legs[row]
    silent_us = now_us - leg[c.DUE_US]
    if silent_us > 0:
        leg[c.TIMESTAMP] = (leg[c.TIMESTAMP] + silent_us // SAMPLE_US) & 0xFFFFFFFF
        leg[c.DUE_US] = now_us
    leg[c.MARKER] = 1


@kernel
def out_slot(p: Plane) -> int:
    """The index of a free packet in `out`, or -1 (counted) when one call produced more than OUT_PACKETS."""
    if p.counters[c.OUT_COUNT] >= c.OUT_PACKETS:
        p.counters[c.SEND_FAILED] += 1
        return -1
    return p.counters[c.OUT_COUNT]  # type: ignore[no-any-return]


@kernel
def commit(p: Plane, row: int, slot: int, payload_bytes: int, marker: int, payload_type: int, sequence: int,
           timestamp: int, now_us: int) -> None:
    """Finish packet `slot`, whose payload is in place: header, queue, count. `timestamp` counts at 8 kHz."""
    leg = p.legs[row]
    if leg[c.CLOCK_RATE] == 16_000:
        timestamp <<= 1
    write_header(p.out[slot], marker, payload_type, sequence, timestamp, leg[c.SSRC])
    p.out_legs[slot, 0] = row
    p.out_legs[slot, 1] = HEADER_BYTES + payload_bytes
    p.counters[c.OUT_COUNT] += 1
    leg[c.PACKETS_OUT] += 1
    leg[c.OCTETS_OUT] += payload_bytes
    if leg[c.CONFIRMED] == 0 and leg[c.SENDING_SINCE_US] == 0:
        leg[c.SENDING_SINCE_US] = now_us


@kernel
def send_frame(p: Plane, row: int, slot: int, samples: int, now_us: int) -> None:
    """Code the frame that lies in packet `slot`, in the leg's law, and send it as the timeline's next one."""
    leg = p.legs[row]
    sequence, timestamp = leg[c.SEQUENCE], leg[c.TIMESTAMP]
    remember(p, row, slot, samples)
    record_heard(p, row, p.out[slot], HEADER_BYTES, samples, timestamp, leg[c.LAW_OUT])
    octets = coding.give_out(p, row, slot, samples, 0)
    commit(p, row, slot, octets, leg[c.MARKER], leg[c.PAYLOAD_TYPE_OUT], sequence, timestamp, now_us)
    leg[c.MARKER] = 0
    leg[c.SEQUENCE] = (sequence + 1) & 0xFFFF
    leg[c.TIMESTAMP] = (timestamp + samples) & 0xFFFFFFFF
    leg[c.DUE_US] += samples * SAMPLE_US
    leg[c.MAPPED] = 0


@kernel
def remember(p: Plane, row: int, slot: int, samples: int) -> None:
    """Keep the sound sent last: a change of path conceals from it instead of clicking."""
    leg = p.legs[row]
    width = 2 if leg[c.LAW_OUT] == coding.LINEAR else 1
    length = min(samples, c.LAST_BYTES // width)
    first = HEADER_BYTES + (samples - length) * width
    if leg[c.LAST_LAW] == coding.OCTETS:
        coding.recall(p, row)  # before what it recalls is gone
    for index in range(length * width):
        p.last[row, index] = p.out[slot, first + index]
    leg[c.LAST_LENGTH] = length
    leg[c.LAST_LAW] = leg[c.LAW_OUT]


@kernel
def remember_octets(p: Plane, row: int, slot: int, octets: int) -> None:
    """Keep a payload that passed untouched: the coder may have to go on from it (`coding.recall`)."""
    leg = p.legs[row]
    length = min(octets, c.LAST_BYTES)
    if leg[c.CODEC_OUT] != G722:
        length = 0
    for index in range(length):
        p.last[row, index] = p.out[slot, HEADER_BYTES + octets - length + index]
    leg[c.LAST_LENGTH] = length
    leg[c.LAST_LAW] = coding.OCTETS if length > 0 else leg[c.LAW_OUT]
    p.coding[row, c.ENCODING] = 0


@kernel
def record_heard(p: Plane, row: int, octets: Any, start: int, samples: int, timestamp: int, law: int) -> None:
    """What is sent to a leg goes to the right of its recording, and to whoever listens to it: its echo may come."""
    leg = p.legs[row]
    ears.remember_sent(p, row, octets, start, samples, timestamp, law)
    if leg[c.TAP] >= 0:
        right = c.SLOTS + 2 * leg[c.TAP] + 1
        playout.write(p, right, timestamp, leg[c.SSRC], octets, start, samples, law)
