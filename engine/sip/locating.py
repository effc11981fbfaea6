"""Where a SIP server is: what has to be asked of the DNS, and in which order its answers are used (RFC 3263, RFC 2782).

Nothing is asked here: the runtime asks, and every call draws its own order from what it found.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

SERVICES = {"SIP+D2U": "udp", "SIP+D2T": "tcp", "SIPS+D2T": "tls"}  # NAPTR services that we can use (RFC 3263 §4.1)
PLAIN_PORT = 5060
TLS_PORT = 5061


class Place(msgspec.Struct, frozen=True, array_like=True):
    """One address of a server. `priority` and `weight` as in its SRV record: lower priorities first."""

    host: str
    port: int
    transport: str
    priority: int = 0
    weight: int = 0


class Naptr(msgspec.Struct, frozen=True, array_like=True):
    """A NAPTR record, as far as RFC 3263 needs it."""

    order: int
    preference: int
    flags: str
    service: str
    replacement: str


def transports(records: list[Naptr]) -> list[tuple[str, str]]:
    """(name of the SRV record, transport), the server's wishes first (§4.1): lower order, then lower preference.

    Services that we don't speak and records that lead to no SRV record are left out.
    """
    usable = [each for each in records if each.flags.lower() == "s" and each.service.upper() in SERVICES]
    usable.sort(key=lambda each: (each.order, each.preference))
    return [(each.replacement.rstrip("."), SERVICES[each.service.upper()]) for each in usable]


def services(host: str, transport: str) -> list[tuple[str, str]]:
    """The SRV names to ask without NAPTR: of the transport that is said, else of UDP and TCP (§4.1)."""
    if transport == "tls":
        return [(f"_sips._tcp.{host}", "tls")]
    said = (transport,) if transport else ("udp", "tcp")
    return [(f"_sip._{each}.{host}", each) for each in said]


def ordered(places: list[Place], draw: Callable[[int], int]) -> list[Place]:
    """One order in which to try them: by priority, and within one by chance, as heavy as their weights (RFC 2782).

    `draw(n)` gives a whole number from 0 to n - 1.
    """
    found: list[Place] = []
    for priority in sorted({each.priority: None for each in places}):
        left = sorted((each for each in places if each.priority == priority), key=lambda each: each.weight != 0)
        while left:
            total = sum(each.weight for each in left)
            pick = draw(total + 1) if len(left) > 1 else 0
            running = 0
            for place in left:
                running += place.weight
                if running >= pick:
                    break
            left.remove(place)
            found.append(place)
    return found
