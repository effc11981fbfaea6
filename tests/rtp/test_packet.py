"""RTP headers, byte by byte, and what else may arrive on a media port."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.rtp import packet


def octets(data: bytes) -> np.ndarray:
    return np.frombuffer(data.ljust(2_048, b"\xee"), np.uint8).copy()


def bounds(data: bytes) -> tuple[int, int]:
    start, end = packet.payload_bounds(octets(data), len(data))
    return int(start), int(end)


def test_a_header_is_written_as_rfc_3550_draws_it() -> None:
    target = np.zeros(12, np.uint8)
    packet.write_header(target, 1, 101, 0x1_2345, 0x1_89ABCDEF, 0xCAFEBABE)
    assert target.tobytes() == struct.pack(">BBHII", 0x80, 0x80 | 101, 0x2345, 0x89ABCDEF, 0xCAFEBABE)


def test_numbers_are_read_in_network_order() -> None:
    assert packet.read_u16(octets(b"\x00\xff\xfe"), 1) == 0xFFFE
    assert packet.read_u32(octets(b"\xff\xfe\xfd\xfc"), 0) == 0xFFFEFDFC


@pytest.mark.parametrize(
    ("first", "second", "kind"),
    [
        (0x80, 0, packet.IS_RTP), (0x80, 0x80 | 101, packet.IS_RTP), (0xBF, 127, packet.IS_RTP),
        (0x80, 200, packet.IS_RTCP), (0x81, 192, packet.IS_RTCP), (0x80, 223, packet.IS_RTCP),
        (0x80, 224, packet.IS_RTP), (0, 1, packet.IS_STUN), (3, 0, packet.IS_STUN), (20, 254, packet.IS_DTLS),
        (63, 0, packet.IS_DTLS), (64, 0, packet.IS_OTHER), (127, 0, packet.IS_OTHER), (192, 0, packet.IS_OTHER),
        (4, 0, packet.IS_OTHER),
    ],
)
def test_first_bytes_tell_protocols_apart(first: int, second: int, kind: int) -> None:
    assert packet.classify(octets(bytes([first, second])), 12) == kind


def test_too_short_to_tell() -> None:
    assert packet.classify(octets(b"\x80"), 1) == packet.IS_OTHER


PLAIN = struct.pack(">BBHII", 0x80, 0, 1, 2, 3)


def test_plain_payload() -> None:
    assert bounds(PLAIN + b"x" * 160) == (12, 172)
    assert bounds(PLAIN) == (12, 12)


def test_contributing_sources_are_skipped() -> None:
    assert bounds(b"\x83" + PLAIN[1:] + bytes(12) + b"x" * 20) == (24, 44)


def test_header_extension_is_skipped() -> None:
    extension = b"\xbe\xde\x00\x02" + bytes(8)
    assert bounds(b"\x90" + PLAIN[1:] + extension + b"x" * 160) == (24, 184)


def test_padding_is_cut() -> None:
    assert bounds(b"\xa0" + PLAIN[1:] + b"x" * 160 + b"\0\0\0\x04") == (12, 172)


@pytest.mark.parametrize(
    "data",
    [
        PLAIN[:11],
        b"\x40" + PLAIN[1:],  # version 1
        b"\x8f" + PLAIN[1:] + bytes(20),  # fifteen CSRCs, five there
        b"\x90" + PLAIN[1:] + b"\0\0",  # extension cut
        b"\x90" + PLAIN[1:] + b"\0\0\xff\xff" + bytes(160),  # extension longer than the packet
        b"\xa0" + PLAIN[1:] + b"xxx\0",  # padding of nothing
        b"\xa0" + PLAIN[1:] + b"xxx\xff",  # padding longer than the packet
    ],
)
def test_malformed_packets_have_no_payload(data: bytes) -> None:
    assert bounds(data) == (0, 0)


@given(st.binary(max_size=300))
def test_any_bytes_give_bounds_inside_the_packet(data: bytes) -> None:
    start, end = bounds(data)
    assert (start, end) == (0, 0) or 12 <= start <= end <= len(data)
