"""Where the servers of trunks are: NAPTR, SRV, A and AAAA, asked without holding anything up (RFC 3263).

The engine asks by `ResolveWanted`; `Resolved` follows with every address that the DNS knows, each with its record's
priority and weight, and with the shortest time to live of all that was used. What is done with them is decided in the
Switch. A name of /etc/hosts is found too: where the DNS knows no address, the system's own resolver is asked.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Iterable

import dns.asyncresolver
import dns.exception
import dns.rdatatype
import dns.resolver

from engine import limits
from engine.call.effects import Resolved, ResolveWanted
from engine.sip.locating import PLAIN_PORT, TLS_PORT, Naptr, Place, services, transports

SERVERS = "RINGDOWN_DNS"  # "127.0.0.1:5353 10.0.0.53": asked instead of those of /etc/resolv.conf
answer_s_max = 4.0  # of one question, repeats among all servers included
find_s_max = 15.0
system_kept_ms = 60_000
UNDER_WAY_MAX = 64
SRV_MAX = 16
KINDS = (("A", socket.AF_INET), ("AAAA", socket.AF_INET6))
RANK = 65_536  # a later service's priorities come behind an earlier one's


class Names:
    """The DNS, as far as RFC 3263 needs it. `servers`: (host, port) to ask instead of the system's."""

    def __init__(self, servers: Iterable[tuple[str, int]] = ()) -> None:
        own = list(servers)
        try:
            self._resolver = dns.asyncresolver.Resolver(configure=not own)
        except dns.resolver.NoResolverConfiguration:  # no /etc/resolv.conf: literal addresses and /etc/hosts still work
            self._resolver = dns.asyncresolver.Resolver(configure=False)
        if own:
            self._resolver.nameservers = [dns.nameserver.Do53Nameserver(host, port) for host, port in own]
        self._resolver.lifetime = answer_s_max
        self.silent = False  # the DNS has not answered a question of this search

    async def ask(self, name: str, kind: str) -> tuple[list[object], int]:
        """(records, time to live in ms); none when there is no such name, or nobody answers."""
        try:
            answer = await self._resolver.resolve(name, kind, raise_on_no_answer=False, search=False)
        except dns.resolver.NXDOMAIN:
            return [], 0
        except (dns.exception.DNSException, OSError, UnicodeError, ValueError):
            self.silent = True
            return [], 0
        if answer.rrset is None:
            return [], 0
        return list(answer.rrset), 1_000 * int(answer.rrset.ttl)


class Search:
    """One look-up. `families`: those that we listen on; addresses of others could never be reached."""

    def __init__(self, names: Names, families: tuple[socket.AddressFamily, ...]) -> None:
        self._names, self._families = names, families
        self._ttl_ms = limits.name_ttl_ms_max

    async def find(self, wanted: ResolveWanted) -> Resolved:
        """Never raises: what isn't found says so in `detail`."""
        try:
            self._names.silent = False
            places = await asyncio.wait_for(self._places(wanted), find_s_max)
        except TimeoutError:
            places = []
            self._names.silent = True
        if places:
            places.sort(key=lambda each: (each.priority, -each.weight))  # the lightest may have to go
            return Resolved(wanted.trunk, wanted.host, tuple(places[: limits.trunk_hops_max]), self._ttl_ms)
        why = "the DNS doesn't answer for" if self._names.silent else "no address for the name"
        return Resolved(wanted.trunk, wanted.host, (), 0, f"{why} {wanted.host}")

    async def _places(self, wanted: ResolveWanted) -> list[Place]:
        if wanted.find != "host":
            found = await self._by_service(wanted)
            if found:
                return found
        plain = TLS_PORT if wanted.transport == "tls" else PLAIN_PORT
        port = wanted.port if wanted.find == "host" else plain
        return [Place(each, port, wanted.transport) for each in await self._addresses(wanted.host)]

    async def _by_service(self, wanted: ResolveWanted) -> list[Place]:
        """RFC 3263 §4.1 and §4.2: by NAPTR where the site says nothing, then by SRV."""
        named: list[tuple[str, str]] = []
        if wanted.find == "naptr":
            records, ttl_ms = await self._names.ask(wanted.host, "NAPTR")
            named = transports([
                Naptr(int(each.order), int(each.preference), each.flags.decode("ascii", "replace"),  # type: ignore[attr-defined]
                      each.service.decode("ascii", "replace"), str(each.replacement))  # type: ignore[attr-defined]
                for each in records
            ])  # fmt: skip
            self._lives(ttl_ms if named else 0)
        named = named or services(wanted.host, wanted.transport if wanted.find == "srv" else "")
        answers = await asyncio.gather(*(self._names.ask(name, "SRV") for name, _ in named))
        places: list[Place] = []
        for rank, ((_, transport), (records, ttl_ms)) in enumerate(zip(named, answers, strict=True)):
            targets = [each for each in records[:SRV_MAX] if str(each.target) != "."]  # type: ignore[attr-defined]
            self._lives(ttl_ms)
            hosts = [str(each.target).rstrip(".") for each in targets]  # type: ignore[attr-defined]
            for each, addresses in zip(targets, await asyncio.gather(*map(self._addresses, hosts)), strict=True):
                places += [
                    Place(address, int(each.port), transport, RANK * rank + int(each.priority), int(each.weight))  # type: ignore[attr-defined]
                    for address in addresses
                ]
        return places

    async def _addresses(self, host: str) -> list[str]:
        """IPv4 before IPv6, of the families that we speak."""
        kinds = [kind for kind, family in KINDS if family in self._families]
        found: list[str] = []
        for records, ttl_ms in await asyncio.gather(*(self._names.ask(host, kind) for kind in kinds)):
            found += [str(each.address) for each in records]  # type: ignore[attr-defined]
            self._lives(ttl_ms)
        return found or await self._by_system(host)

    async def _by_system(self, host: str) -> list[str]:
        """As /etc/hosts and nsswitch.conf have it."""
        try:
            rows = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_DGRAM)
        except (OSError, UnicodeError):
            return []
        self._lives(system_kept_ms)
        rows = [row for row in rows if row[0] in self._families]
        rows.sort(key=lambda row: row[0] != socket.AF_INET)
        return list(dict.fromkeys(str(row[4][0]) for row in rows))

    def _lives(self, ttl_ms: int) -> None:
        if ttl_ms:
            self._ttl_ms = min(self._ttl_ms, ttl_ms)


def servers_of(text: str) -> list[tuple[str, int]]:
    """`127.0.0.1:5353 [::1]:53 10.0.0.53` -> (host, port). What is no such address is left out."""
    found = []
    for word in text.replace(",", " ").split():
        host, colon, port = word.rpartition(":")
        if not colon or (":" in host and not host.startswith("[")):
            host, port = word, "53"
        if port.isdigit() and int(port) < 65_536:
            found.append((host.strip("[]"), int(port)))
    return found


class Naming:
    """The look-ups of one server. `deliver` gets Resolved; `hosts` are the addresses that it listens on."""

    def __init__(self, deliver: Callable[[Resolved], None], hosts: Callable[[], Iterable[str]]) -> None:
        self._deliver, self._hosts = deliver, hosts
        self._servers = servers_of(os.environ.get(SERVERS, ""))
        self._under_way: dict[int, asyncio.Task[None]] = {}

    def wanted(self, wanted: ResolveWanted) -> None:
        """Look it up; a newer question for the same trunk replaces an older one."""
        old = self._under_way.pop(wanted.trunk, None)
        if old is not None:
            old.cancel()
        if len(self._under_way) >= UNDER_WAY_MAX:
            return  # the engine asks again
        self._under_way[wanted.trunk] = asyncio.get_running_loop().create_task(self._find(wanted))

    async def _find(self, wanted: ResolveWanted) -> None:
        families = tuple(
            dict.fromkeys(socket.AF_INET6 if ":" in host else socket.AF_INET for host in self._hosts())
        ) or (socket.AF_INET,)  # fmt: skip
        found = await Search(Names(self._servers), families).find(wanted)
        self._under_way.pop(wanted.trunk, None)
        self._deliver(found)

    def close(self) -> None:
        """Forget what is under way."""
        for task in self._under_way.values():
            task.cancel()
        self._under_way.clear()
