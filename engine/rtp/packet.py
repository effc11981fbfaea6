"""The layout of RTP packets (RFC 3550 §5.1, §5.3.1) and what shares their port (RFC 5761, RFC 7983).

Kernels read and write bytes in place: `packet` is a one-dimensional uint8 array, `length` its used part.
"""

from __future__ import annotations

from typing import Any

from engine.jit import i64, kernel

HEADER_BYTES = 12
IS_RTP, IS_RTCP, IS_STUN, IS_DTLS, IS_OTHER = range(5)


@kernel
def classify(packet: Any, length: int) -> int:
    """What a datagram on a media port is, by its first bytes: IS_RTP, IS_RTCP, IS_STUN, IS_DTLS or IS_OTHER.

    Bytes 192–223 in second place are RTCP packet types (RFC 5761 §4): payload types 64–95 are never used for RTP.
    """
    if length < 2:
        return IS_OTHER
    first = packet[0]
    if 128 <= first <= 191:
        return IS_RTCP if 192 <= packet[1] <= 223 else IS_RTP
    if first <= 3:
        return IS_STUN
    if 20 <= first <= 63:
        return IS_DTLS
    return IS_OTHER


@kernel
def read_u16(packet: Any, at: int) -> int:
    """Two bytes in network order."""
    value: int = (i64(packet[at]) << 8) | i64(packet[at + 1])
    return value


@kernel
def read_u32(packet: Any, at: int) -> int:
    """Four bytes in network order."""
    high: int = (i64(packet[at]) << 24) | (i64(packet[at + 1]) << 16)
    return high | read_u16(packet, at + 2)


@kernel
def payload_bounds(packet: Any, length: int) -> tuple[int, int]:
    """(start, end) of the payload behind CSRCs and header extension and before padding; (0, 0) if malformed.

    An empty payload gives start == end > 0.
    """
    if length < HEADER_BYTES or packet[0] >> 6 != 2:
        return 0, 0
    start = HEADER_BYTES + 4 * (i64(packet[0]) & 15)
    if packet[0] & 0x10:
        if start + 4 > length:
            return 0, 0
        start += 4 + 4 * read_u16(packet, start + 2)
    end = length
    if packet[0] & 0x20:
        padding = i64(packet[length - 1])
        if padding == 0:
            return 0, 0
        end -= padding
    if start > end:
        return 0, 0
    return start, end


@kernel
def write_header(packet: Any, marker: int, payload_type: int, sequence: int, timestamp: int, ssrc: int) -> None:
    """Write the twelve bytes of a header without CSRCs, extension or padding. Numbers wrap to their width."""
    packet[0] = 0x80
    packet[1] = ((marker & 1) << 7) | (payload_type & 0x7F)
    packet[2] = (sequence >> 8) & 0xFF
    packet[3] = sequence & 0xFF
    packet[4] = (timestamp >> 24) & 0xFF
    packet[5] = (timestamp >> 16) & 0xFF
    packet[6] = (timestamp >> 8) & 0xFF
    packet[7] = timestamp & 0xFF
    packet[8] = (ssrc >> 24) & 0xFF
    packet[9] = (ssrc >> 16) & 0xFF
    packet[10] = (ssrc >> 8) & 0xFF
    packet[11] = ssrc & 0xFF
