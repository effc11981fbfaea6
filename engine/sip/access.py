"""Address lists: which far ends are heard at all."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv6Address, ip_network

from engine.sip.flows import address_number

_CACHE_MAX = 4_096
_MAPPED = 0xFFFF << 32  # ::ffff:0:0/96, how a socket for both families names an IPv4 address
Nets = tuple[tuple[int, int, int, int], ...]  # (version, base, mask, bits), the longest first


@lru_cache(maxsize=256)
def nets(texts: tuple[str, ...]) -> Nets:
    """Networks as integers; texts that are none are left out (the reader has refused them)."""
    found = []
    for text in texts:
        try:
            net = ip_network(text, strict=False)
        except ValueError:
            continue
        found.append((net.version, int(net.network_address), int(net.netmask), net.prefixlen))
    return tuple(sorted(found, key=lambda each: -each[3]))


def plain(host: str) -> tuple[int, int] | None:
    """(version, address) of a literal, an IPv4 address that is written as IPv6 as what it is; None for a name."""
    number = address_number(host)
    if number is not None and number[0] == 6 and number[1] >> 32 == _MAPPED >> 32:
        return 4, number[1] & 0xFFFFFFFF
    return number


def longest(texts: tuple[str, ...], number: tuple[int, int] | None) -> int:
    """Bits of the longest of the networks that holds the address, -1 for none."""
    if number is None:
        return -1
    version, value = number
    return next((bits for kind, base, mask, bits in nets(texts) if kind == version and value & mask == base), -1)


@lru_cache(maxsize=_CACHE_MAX)
def admitted(host: str, allow: tuple[str, ...], deny: tuple[str, ...]) -> bool:
    """May this address come in? The longest network that holds it decides; with an `allow` list the others are out."""
    if not allow and not deny:
        return True
    number = plain(host)
    allowed, denied = longest(allow, number), longest(deny, number)
    return not allow if max(allowed, denied) < 0 else allowed > denied


@lru_cache(maxsize=_CACHE_MAX)
def source(host: str) -> str:
    """What is counted as one source: an IPv4 address, or the /64 that one IPv6 site has at least."""
    number = plain(host)
    if number is None or number[0] == 4:
        return host.removeprefix("::ffff:") if number is not None else host
    return f"{IPv6Address(number[1] >> 64 << 64)}/64"
