"""A call's kept signalling as a capture file for the carrier: pcapng with rebuilt IP and UDP or TCP headers.

Packets have the addresses, ports and times that the messages had, and right checksums. TCP segments are rebuilt from
whole messages, so sequence numbers count what is in the file, without handshake. Secrets were overwritten before, in
the same length.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

import msgspec

LINKTYPE_RAW = 101  # bare IPv4 and IPv6, told apart by their version
COMMENT = "signalling kept by ringdown; digest answers, nonces, keys and digits are overwritten by x or *"
_CONTENT_LENGTH = re.compile(rb"(?im)^(?:content-length|l)[ \t]*:[ \t]*(\d{1,7})[ \t]*\r?$")
_UDP, _TCP = 17, 6
_PSH_ACK = 0x18

Address = IPv4Address | IPv6Address


class Message(msgspec.Struct, frozen=True):
    """One SIP message: Unix ms, who sent it to whom (host:port literals), its transport and connection."""

    at_ms: int
    source: str
    target: str
    transport: str
    flow: int
    data: bytes


def messages(hops: Iterable[dict[str, Any]]) -> list[Message]:
    """From the admin socket's hops (asked for with `raw`)."""
    from base64 import b64decode

    found = []
    for hop in hops:
        here, there = str(hop.get("here") or ""), str(hop["far_end"])
        source, target = (there, here) if hop["way"] == "in" else (here, there)
        data = b64decode(hop["data"]) if hop.get("data") else str(hop["text"]).encode()
        found.append(Message(hop["at_ms"], source, target, str(hop["transport"]), int(hop.get("flow", 0)), data))
    return found


def pcapng(found: Iterable[Message], comment: str = "") -> bytes:
    """The whole file."""
    parts = [_section(f"{comment}; {COMMENT}" if comment else COMMENT), _interface()]
    streams: dict[tuple[int, str], int] = {}  # (flow, sender) -> next sequence number
    for number, message in enumerate(found, 1):
        source, source_port = _end(message.source)
        target, target_port = _end(message.target)
        if source.version != target.version:
            source, target = _six(source), _six(target)
        length = max(len(message.data), full_length(message.data))
        if message.transport == "udp":
            kind, segment = _UDP, _udp(source, source_port, target, target_port, message.data, length)
        else:
            ours = streams.setdefault((message.flow, message.source), 1)
            theirs = streams.setdefault((message.flow, message.target), 1)
            streams[message.flow, message.source] = (ours + length) % 2**32
            kind, segment = _TCP, _tcp(source, source_port, target, target_port, ours, theirs, message.data, length)
        head = _ip(source, target, kind, len(segment) - len(message.data) + length, number)
        parts.append(_packet(message.at_ms, head + segment, length - len(message.data)))
    return b"".join(parts)


def full_length(data: bytes) -> int:
    """How long the message was by its Content-Length, when only its beginning was kept; 0 when it doesn't say."""
    head, gap, _ = data.partition(b"\r\n\r\n")
    found = _CONTENT_LENGTH.search(head) if gap else None
    return min(len(head) + 4 + int(found[1]), 65_000) if found else 0


# --- addresses ------------------------------------------------------------------------------------------------------
def _end(text: str) -> tuple[Address, int]:
    """host:port; what is no literal (a connection that is long forgotten) becomes the unspecified address."""
    host, _, port = text.rpartition(":")
    try:
        address: Address = ip_address(host.strip("[]"))
    except ValueError:
        address = IPv4Address(0)
    return address, int(port) if port.isdigit() and int(port) < 65_536 else 0


def _six(address: Address) -> Address:
    return address if address.version == 6 else IPv6Address(b"\0" * 10 + b"\xff\xff" + address.packed)


# --- headers --------------------------------------------------------------------------------------------------------
def _ip(source: Address, target: Address, kind: int, length: int, number: int) -> bytes:
    """RFC 791 with its checksum, or RFC 8200."""
    if source.version == 6:
        return struct.pack("!IHBB", 6 << 28, length, kind, 64) + source.packed + target.packed
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, number & 0xFFFF, 0x4000, 64, kind, 0)
    head += source.packed + target.packed
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:]


def _udp(source: Address, source_port: int, target: Address, target_port: int, data: bytes, length: int) -> bytes:
    """RFC 768. The checksum of a message that was kept only in part can't be known: 0, "none was made"."""
    head = struct.pack("!HHHH", source_port, target_port, 8 + length, 0)
    value = 0 if length > len(data) else checksum(_pseudo(source, target, _UDP, 8 + length) + head + data) or 0xFFFF
    return head[:6] + struct.pack("!H", value) + data


def _tcp(
    source: Address, source_port: int, target: Address, target_port: int, sequence: int, acknowledged: int,
    data: bytes, length: int,
) -> bytes:  # fmt: skip
    """RFC 9293: a data segment with PSH and ACK."""
    head = struct.pack(
        "!HHIIBBHHH", source_port, target_port, sequence, acknowledged, 5 << 4, _PSH_ACK, 65_535, 0, 0
    )
    value = 0 if length > len(data) else checksum(_pseudo(source, target, _TCP, 20 + length) + head + data)
    return head[:16] + struct.pack("!H", value) + head[18:] + data


def _pseudo(source: Address, target: Address, kind: int, length: int) -> bytes:
    if source.version == 6:
        return source.packed + target.packed + struct.pack("!IBBBB", length, 0, 0, 0, kind)
    return source.packed + target.packed + struct.pack("!BBH", 0, kind, length)


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


# --- blocks of the file ---------------------------------------------------------------------------------------------
def _block(kind: int, body: bytes) -> bytes:
    length = 12 + len(body)
    return struct.pack("<II", kind, length) + body + struct.pack("<I", length)


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + value + b"\0" * (-len(value) % 4)


def _section(comment: str) -> bytes:
    options = _option(1, comment.encode()) + _option(4, b"ringdown") + _option(0, b"")
    return _block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + options)


def _interface() -> bytes:
    """Times in ms (if_tsresol 3), no length limit."""
    return _block(1, struct.pack("<HHI", LINKTYPE_RAW, 0, 0) + _option(2, b"sip") + _option(9, b"\3") + _option(0, b""))


def _packet(at_ms: int, data: bytes, missing: int) -> bytes:
    head = struct.pack("<IIIII", 0, at_ms >> 32, at_ms & 0xFFFFFFFF, len(data), len(data) + missing)
    return _block(6, head + data + b"\0" * (-len(data) % 4))
