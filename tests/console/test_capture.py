"""Captures: headers, checksums, sequence numbers; every length as it was."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import pytest

from engine.console import capture
from engine.console.capture import Message, checksum, full_length, messages, pcapng

TEXT = b"OPTIONS sip:x SIP/2.0\r\nCall-ID: a\r\nContent-Length: 0\r\n\r\n"


def packets(content: bytes) -> Iterator[tuple[int, int, bytes]]:
    """(Unix ms, original length, packet) of every block, with the file's structure checked on the way."""
    at, first = 0, True
    while at < len(content):
        kind, length = struct.unpack_from("<II", content, at)
        assert length % 4 == 0 and struct.unpack_from("<I", content, at + length - 4)[0] == length
        assert (kind == 0x0A0D0D0A) == first
        first = False
        if kind == 6:
            _, high, low, kept, original = struct.unpack_from("<IIIII", content, at + 8)
            yield high << 32 | low, original, content[at + 28 : at + 28 + kept]
        at += length
    assert at == len(content)


def sent(*found: Message) -> list[tuple[int, int, bytes]]:
    return list(packets(pcapng(found, "call bako-0")))


def test_the_internet_checksum_of_the_rfc() -> None:
    assert checksum(bytes.fromhex("0001f203f4f5f6f7")) == ~0xDDF2 & 0xFFFF
    assert checksum(b"\x01") == ~0x0100 & 0xFFFF


def test_udp_over_ipv4() -> None:
    ((at_ms, original, packet),) = sent(Message(1_700_000_000_123, "192.0.2.1:5062", "192.0.2.9:5060", "udp", 1, TEXT))
    assert at_ms == 1_700_000_000_123 and original == len(packet) == 28 + len(TEXT)
    assert packet[0] == 0x45 and packet[9] == 17 and checksum(packet[:20]) == 0
    assert packet[12:20] == bytes((192, 0, 2, 1, 192, 0, 2, 9))
    source, target, length, value = struct.unpack("!HHHH", packet[20:28])
    assert (source, target, length) == (5062, 5060, 8 + len(TEXT)) and packet[28:] == TEXT and value
    assert checksum(packet[12:20] + struct.pack("!BBH", 0, 17, length) + packet[20:]) == 0


def test_udp_over_ipv6() -> None:
    ((_, _, packet),) = sent(Message(1, "2001:db8::1:5062", "2001:db8::9:5060", "udp", 1, TEXT))
    assert packet[0] >> 4 == 6 and packet[6] == 17 and struct.unpack("!H", packet[4:6])[0] == 8 + len(TEXT)
    pseudo = packet[8:40] + struct.pack("!IBBBB", 8 + len(TEXT), 0, 0, 0, 17)
    assert checksum(pseudo + packet[40:]) == 0


def test_tcp_sequence_numbers_follow_both_directions() -> None:
    us, far = "192.0.2.9:5060", "192.0.2.1:40000"
    found = sent(
        Message(1, far, us, "tcp", 7, TEXT), Message(2, us, far, "tcp", 7, TEXT[:-2] + b"\r\n"),
        Message(3, far, us, "tcp", 7, TEXT), Message(4, far, us, "tcp", 8, TEXT),
    )  # fmt: skip
    heads = [struct.unpack("!HHII", packet[20:32]) for _, _, packet in found]
    size = len(TEXT)
    assert [head[2:] for head in heads] == [(1, 1), (1, 1 + size), (1 + size, 1 + size), (1, 1)]
    for _, _, packet in found:
        assert packet[33] == 0x18
        assert checksum(packet[12:20] + struct.pack("!BBH", 0, 6, len(packet) - 20) + packet[20:]) == 0


def test_a_message_that_was_kept_in_part_says_how_long_it_was() -> None:
    whole = b"MESSAGE sip:x SIP/2.0\r\nl: 9000\r\n\r\n"
    assert full_length(whole) == len(whole) + 9_000 and full_length(b"no end") == 0 and full_length(TEXT) == len(TEXT)
    ((_, original, packet),) = sent(Message(1, "192.0.2.1:1", "192.0.2.9:2", "udp", 1, whole + b"x" * 100))
    assert len(packet) == 28 + len(whole) + 100 and original == 28 + len(whole) + 9_000
    assert struct.unpack("!H", packet[2:4])[0] == original and packet[26:28] == b"\0\0"


@pytest.mark.parametrize("end", ["", "proxy.example:5060", "192.0.2.1:99999", "nonsense"])
def test_an_end_that_is_no_address_harms_nothing(end: str) -> None:
    ((_, _, packet),) = sent(Message(1, end, "192.0.2.9:5060", "udp", 1, TEXT))
    assert packet[28:] == TEXT
    ((_, _, packet),) = sent(Message(1, end, "2001:db8::9:5060", "udp", 1, TEXT))
    assert packet[0] >> 4 == 6


def test_hops_become_messages_with_their_bytes() -> None:
    hop = {
        "at_ms": 5,
        "way": "in",
        "transport": "udp",
        "far_end": "192.0.2.1:1",
        "here": "192.0.2.9:2",
        "text": "t",
        "flow": 3,
    }
    incoming, outgoing = messages([hop, {**hop, "way": "out", "data": "AAE="}])
    assert (incoming.source, incoming.target, incoming.data) == ("192.0.2.1:1", "192.0.2.9:2", b"t")
    assert (outgoing.source, outgoing.target, outgoing.data) == ("192.0.2.9:2", "192.0.2.1:1", b"\0\1")


def test_the_file_says_what_it_is() -> None:
    content = pcapng([], "call bako-0")
    assert b"call bako-0" in content and b"overwritten" in content and list(packets(content)) == []
    assert capture.LINKTYPE_RAW == 101
