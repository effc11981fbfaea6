"""RTCP reports: written and read in place (RFC 3550 §6, RFC 3611 §4.7), with what each side knows by them.

One leg's knowledge is a row of FIELDS int64 words. Times are microseconds; NTP times are 32.32 fixed point since 1900,
their middle 32 bits count 1/65,536 s. A compound packet is taken whole or not at all; report blocks about other
streams than ours change nothing.
"""

from __future__ import annotations

from typing import Any

from engine.jit import i64, kernel
from engine.rtp import quality
from engine.rtp.packet import read_u16, read_u32

(
    NEXT_US,  # when the next one is due; 0 none yet
    SEED,
    PACKETS_AT,  # our own packets when the last report went out …
    EXPECTED_AT,  # … and what had been expected …
    RECEIVED_AT,  # … and received of theirs
    HEARD,  # compound packets
    HEARD_US,
    SENDER_MIDDLE,  # NTP time of their last sender report …
    SENDER_US,  # … and when it came; 0 none yet
    ABOUT,  # report blocks about our stream
    FAR_LOST,
    FAR_FRACTION,  # of 256, in the last interval they report
    FAR_FRACTION_MAX,
    FAR_JITTER_US,
    FAR_JITTER_MAX_US,
    ROUND_TRIPS,
    ROUND_TRIP_SUM_US,
    ROUND_TRIP_MAX_US,
    FAR_DISCARDED,  # of 256: came too late for their jitter buffer (VoIP metrics, RFC 3611 §4.7)
    FAR_DELAY_MS,  # their end system's, jitter buffer included
    FAR_OPINION,  # MOS-CQ times ten, 0 unknown
) = range(21)
FIELDS = 21

SENDER, RECEIVER, DESCRIPTION, EXTENDED = 200, 201, 202, 207
NAME_BYTES = 16  # of a CNAME: 96 random bits in base64 (RFC 7022 §4.2)
BYTES_MAX = 28 + 24 + 28
_BLOCK = 24
_VOIP_METRICS, _VOIP_BYTES = 7, 36
_NTP_EPOCH_S = 2_208_988_800  # 1900 to 1970
_INTERVAL_US = 5_000_000  # RFC 3550 §6.2: two parties never need more than the minimum
_ROUND_TRIP_US_MAX = 30_000_000  # more is nonsense
_UNKNOWN = 127  # RFC 3611 §4.7.5
_RECENT_US = 10_000_000


@kernel
def _put16(packet: Any, at: int, value: int) -> None:
    packet[at] = (value >> 8) & 0xFF
    packet[at + 1] = value & 0xFF


@kernel
def _put32(packet: Any, at: int, value: int) -> None:
    _put16(packet, at, value >> 16)
    _put16(packet, at + 2, value)


@kernel
def middle(wall_us: int) -> int:
    """The middle 32 bits of the NTP time of a wall clock (Unix microseconds)."""
    seconds, rest = wall_us // 1_000_000, wall_us % 1_000_000
    value: int = (((seconds + _NTP_EPOCH_S) & 0xFFFF) << 16) | ((rest << 16) // 1_000_000)
    return value


# --- when ---------------------------------------------------------------------------------------------------
@kernel
def _draw(state: Any) -> int:
    """0–65,535 from the leg's own sequence: nobody's security hangs on it, only that legs don't report in step."""
    state[SEED] = (state[SEED] * 1_103_515_245 + 12_345) & 0x7FFFFFFF
    value: int = state[SEED] >> 15
    return value


@kernel
def due(state: Any, now_us: int) -> bool:
    """Is it time for a report? Starts the clock at the first call: half the interval for the first (§6.2, §6.3.1)."""
    if state[NEXT_US] == 0:
        state[NEXT_US] = now_us + _INTERVAL_US // 4 + _INTERVAL_US // 2 * _draw(state) // 65_536
        return False
    return bool(now_us >= state[NEXT_US])


# --- writing ------------------------------------------------------------------------------------------------
@kernel
def write(
    packet: Any, state: Any, stream: Any, name: Any, ssrc: int, timestamp: int, packets: int, octets: int,
    rate: int, wall_us: int, now_us: int,
) -> int:  # fmt: skip
    """Write our compound report and return its length: a sender report if packets went out since the last, else a
    receiver report; a block about their stream if it was heard lately; our CNAME.

    `timestamp`: the RTP time of now on our timeline; `rate`: of theirs.
    """
    sends = packets != state[PACKETS_AT]
    hears = stream[quality.LIVE] == 1 and now_us - stream[quality.LAST_US] < _RECENT_US
    at = 28 if sends else 8
    packet[0] = 0x81 if hears else 0x80
    packet[1] = SENDER if sends else RECEIVER
    _put32(packet, 4, ssrc)
    if sends:
        _put32(packet, 8, wall_us // 1_000_000 + _NTP_EPOCH_S)
        _put32(packet, 12, ((wall_us % 1_000_000) << 32) // 1_000_000)
        _put32(packet, 16, timestamp)
        _put32(packet, 20, packets)
        _put32(packet, 24, octets)
    if hears:
        _write_block(packet, at, state, stream, rate, now_us)
        at += _BLOCK
    _put16(packet, 2, at // 4 - 1)
    packet[at] = 0x81
    packet[at + 1] = DESCRIPTION
    _put16(packet, at + 2, 6)
    _put32(packet, at + 4, ssrc)
    packet[at + 8] = 1  # CNAME
    packet[at + 9] = NAME_BYTES
    for index in range(NAME_BYTES):
        packet[at + 10 + index] = name[index]
    packet[at + 26] = 0
    packet[at + 27] = 0
    state[PACKETS_AT] = packets
    state[NEXT_US] = now_us + _INTERVAL_US // 2 + _INTERVAL_US * _draw(state) // 65_536
    return at + 28


@kernel
def _write_block(packet: Any, at: int, state: Any, stream: Any, rate: int, now_us: int) -> None:
    """§6.4.1: what we received of them, over all and since the last report (A.3)."""
    received = stream[quality.RECEIVED]
    expected = stream[quality.HIGHEST] - stream[quality.BASE] + 1
    lost = max(expected - received, 0)
    if expected < state[EXPECTED_AT]:  # another run of theirs: its counts begin anew
        state[EXPECTED_AT] = 0
        state[RECEIVED_AT] = 0
    in_interval = expected - state[EXPECTED_AT]
    lost_now = in_interval - (received - state[RECEIVED_AT])
    fraction = min(lost_now * 256 // in_interval, 255) if in_interval > 0 and lost_now > 0 else 0
    state[EXPECTED_AT] = expected
    state[RECEIVED_AT] = received
    since_us = now_us - state[SENDER_US]
    _put32(packet, at, stream[quality.SSRC])
    packet[at + 4] = fraction
    packet[at + 5] = (min(lost, 0x7FFFFF) >> 16) & 0xFF
    _put16(packet, at + 6, min(lost, 0x7FFFFF))
    _put32(packet, at + 8, stream[quality.HIGHEST])
    _put32(packet, at + 12, quality.jitter_us(stream) * rate // 1_000_000)
    _put32(packet, at + 16, state[SENDER_MIDDLE] if state[SENDER_US] > 0 else 0)
    _put32(packet, at + 20, (since_us << 16) // 1_000_000 if state[SENDER_US] > 0 else 0)


# --- reading ------------------------------------------------------------------------------------------------
@kernel
def well_formed(packet: Any, length: int) -> bool:
    """Appendix A.2: version 2 throughout, known types, lengths that fill the datagram; padding in the last part only.

    A report need not come first: far ends that were told so may send less (RFC 5506).
    """
    at = 0
    while at + 4 <= length:
        whole = 4 * (read_u16(packet, at + 2) + 1)
        last = at + whole == length
        if packet[at] >> 6 != 2 or not 192 <= packet[at + 1] <= 223 or at + whole > length:
            return False
        if packet[at] & 0x20:
            padding = i64(packet[length - 1])
            if not last or padding == 0 or padding % 4 != 0 or padding > whole - 4:
                return False
        at += whole
    return at == length and length > 0


@kernel
def read(packet: Any, length: int, state: Any, ssrc: int, rate: int, wall_us: int, now_us: int) -> bool:
    """Take in a compound packet: False (and nothing changed) when it is malformed. `ssrc` is our own stream's."""
    if not well_formed(packet, length):
        return False
    state[HEARD] += 1
    state[HEARD_US] = now_us
    at = 0
    while at + 8 <= length:
        end = at + 4 * (read_u16(packet, at + 2) + 1)
        kind = packet[at + 1]
        if kind == SENDER and end - at >= 28:
            state[SENDER_MIDDLE] = read_u32(packet, at + 10)
            state[SENDER_US] = now_us
        if kind in (SENDER, RECEIVER):
            block = at + (28 if kind == SENDER else 8)
            for _ in range(packet[at] & 31):
                if block + _BLOCK <= end and read_u32(packet, block) == ssrc:
                    _read_block(packet, block, state, rate, wall_us)
                block += _BLOCK
        elif kind == EXTENDED:
            _read_extended(packet, at + 8, end, state, ssrc)
        at = end
    return True


@kernel
def _read_block(packet: Any, at: int, state: Any, rate: int, wall_us: int) -> None:
    state[ABOUT] += 1
    lost = (i64(packet[at + 5]) << 16) | read_u16(packet, at + 6)
    state[FAR_LOST] = lost if lost < 0x800000 else 0  # negative: duplicates made up for all of it
    state[FAR_FRACTION] = packet[at + 4]
    state[FAR_FRACTION_MAX] = max(state[FAR_FRACTION_MAX], state[FAR_FRACTION])
    jitter_us = read_u32(packet, at + 12) * 1_000_000 // rate
    state[FAR_JITTER_US] = jitter_us if jitter_us < _ROUND_TRIP_US_MAX else 0
    state[FAR_JITTER_MAX_US] = max(state[FAR_JITTER_MAX_US], state[FAR_JITTER_US])
    reported, waited = read_u32(packet, at + 16), read_u32(packet, at + 20)
    if reported == 0:
        return
    units = (middle(wall_us) - reported - waited) & 0xFFFFFFFF
    trip_us = units * 1_000_000 >> 16
    if units >= 0xFFFFFF00:  # their waiting is rounded: a trip of nothing may come out below it
        trip_us = 0
    if trip_us <= _ROUND_TRIP_US_MAX:
        state[ROUND_TRIPS] += 1
        state[ROUND_TRIP_SUM_US] += trip_us
        state[ROUND_TRIP_MAX_US] = max(state[ROUND_TRIP_MAX_US], trip_us)


@kernel
def _read_extended(packet: Any, at: int, end: int, state: Any, ssrc: int) -> None:
    """VoIP metrics among the blocks of an extended report."""
    while at + 4 <= end:
        after = at + 4 * (read_u16(packet, at + 2) + 1)
        wanted = packet[at] == _VOIP_METRICS and after - at == _VOIP_BYTES and after <= end
        if wanted and read_u32(packet, at + 4) == ssrc:
            state[FAR_DISCARDED] = packet[at + 9]
            state[FAR_DELAY_MS] = read_u16(packet, at + 18)
            opinion = i64(packet[at + 27])
            state[FAR_OPINION] = opinion if 10 <= opinion <= 50 and opinion != _UNKNOWN else 0
        at = after
