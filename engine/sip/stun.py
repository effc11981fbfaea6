"""STUN on a SIP port: the keep-alive of RFC 5626 §3.5.2, as far as a server needs RFC 8489's Binding method.

A phone behind a NAT asks "which address do you see me at?" every half minute. The question holds the NAT's mapping
open, and another answer than before tells the phone that its flow has failed. No SIP message begins with a byte below
32, so the two are told apart by the first one.
"""

from __future__ import annotations

from ipaddress import IPv4Address, ip_address

COOKIE = 0x2112_A442
HEADER_BYTES = 20
REQUEST, SUCCESS = 0x0001, 0x0101
XOR_MAPPED_ADDRESS = 0x0020
BYTES_MAX = 548  # RFC 8489 §6.1: what a datagram surely carries


def looks_like(data: bytes) -> bool:
    """Is this STUN? Two zero bits, the cookie, and a length that fits (RFC 8489 §5, RFC 7983)."""
    return (
        HEADER_BYTES <= len(data) <= BYTES_MAX
        and data[0] < 0x40
        and int.from_bytes(data[4:8]) == COOKIE
        and int.from_bytes(data[2:4]) == len(data) - HEADER_BYTES
        and len(data) % 4 == 0
    )


def answer(data: bytes, host: str, port: int) -> bytes | None:
    """The answer to a Binding request that came from host:port; None for everything else.

    It is never more than 24 bytes longer than the question, and at most 44: nobody gains by sending it elsewhere.
    Unknown attributes are passed over: a keep-alive has none that matter (§3.5.2: no authentication).
    """
    if not looks_like(data) or int.from_bytes(data[:2]) != REQUEST:
        return None
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    family = 1 if isinstance(address, IPv4Address) else 2
    mask = data[4:20][: len(address.packed)]  # the cookie, then the transaction id (§14.2)
    mapped = bytes(a ^ b for a, b in zip(address.packed, mask, strict=True))
    value = bytes((0, family)) + (port ^ (COOKIE >> 16)).to_bytes(2) + mapped
    attribute = XOR_MAPPED_ADDRESS.to_bytes(2) + len(value).to_bytes(2) + value
    return SUCCESS.to_bytes(2) + len(attribute).to_bytes(2) + data[4:20] + attribute
