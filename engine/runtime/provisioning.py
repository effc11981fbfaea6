"""Boxes and phones fetch their configuration here: one address per device, unguessable, good once or for a while.

`ringdown provision DEVICE` makes the address (`/provision/TOKEN/` and the box adds its file's name). The first fetch of
the file with the password makes that password: it is new, its HA1 is kept, and the address is spent. So what was
overheard, or a box that was stolen, is worth nothing after the next `ringdown provision`. Addresses live in memory
only, as hashes; a restart forgets them.

Nothing of it is on /metrics' address, and nothing is on at all without `--provision ADDRESS`. Whoever guesses is
counted by his address and gets 429 for a minute after ten misses; what is logged are MAC address, owner and far end.
"""

from __future__ import annotations

import secrets as chance
import socket
import ssl
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

import h11
import msgspec

from engine import limits
from engine.dialplan.model import DeviceModel
from engine.errors import SiteError, UsageError
from engine.runtime import net, tls_files
from engine.runtime.admin import Answer, answer
from engine.runtime.provisioning_files import Facts, File, by_hand, files
from engine.runtime.scrape import TEXT, Page, Scrape

if TYPE_CHECKING:
    from engine.runtime.server import Server

PREFIX = "/provision/"
_GONE: Page = (404, TEXT, b"nothing here\n")


class Ticket(msgspec.Struct):
    """A device that may fetch: until `until_ms` of the engine's clock, once."""

    mac: str
    until_ms: int


class Misses(msgspec.Struct):
    """Wrong asks of one address since `since_ms`."""

    since_ms: int
    count: int = 0


class Guard:
    """Who guesses waits. At most `provision_addresses_max` addresses are remembered, the oldest goes first."""

    def __init__(self) -> None:
        self._misses: dict[str, Misses] = {}

    def shut(self, host: str, now_ms: int) -> bool:
        """Has this address guessed too often within the last minute?"""
        found = self._misses.get(host)
        if found is not None and now_ms - found.since_ms >= limits.provision_pause_ms:
            del self._misses[host]
            return False
        return found is not None and found.count >= limits.provision_misses_max

    def miss(self, host: str, now_ms: int) -> int:
        """One more wrong ask; how many there were within the minute."""
        found = self._misses.get(host)
        if found is None:
            while len(self._misses) >= limits.provision_addresses_max:
                del self._misses[next(iter(self._misses))]
            found = self._misses[host] = Misses(now_ms)
        found.count += 1
        return found.count


class Provisioning(Scrape):
    """The listener and its verb. `bind` early, `start` when calls are taken, `close` at the end."""

    def __init__(self, server: Server) -> None:
        super().__init__({})
        self.server = server
        self.guard = Guard()
        self.fetched: dict[str, tuple[int, str]] = {}  # MAC -> when (engine's ms), by which address
        self.tls: ssl.SSLContext | None = None
        self._tickets: dict[bytes, Ticket] = {}
        self._socket: socket.socket | None = None
        self._host = ""
        self._certificate = Path()

    # --- life
    def prepare(self, address: str, certificate: str) -> None:
        """Take the address of `--provision`, '' for none, and the certificate. Raises UsageError."""
        if certificate:
            self._certificate = Path(certificate)
            self.tls = context(self._certificate)
        if address:
            self._socket = self.bind(address)
            self._host = self._socket.getsockname()[0]
            if self.tls is None and not self._host.startswith("127.") and self._host != "::1":
                self.server.log.warning(
                    "provisioning without TLS: each password crosses the network in clear once (--provision-cert)"
                )

    async def open(self) -> None:
        """Begin to answer."""
        if self._socket is not None:
            sock, self._socket = self._socket, None
            await self.start(sock, tls=self.tls)

    async def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        await super().close()

    # --- operators
    async def verb(self, author: str, arguments: dict[str, str]) -> Answer:
        """`device` (a MAC address, an agent, a trunk): its address, made now; without one: the devices and their
        state. Raises SiteError."""
        if not arguments.get("device"):
            return answer([self._row(device) for device in self.server.site.devices.values()])
        if not self.address:
            raise SiteError("provisioning is off: start the engine with --provision ADDRESS:PORT (ringdown serve)")
        device = find(self.server.site.devices, arguments["device"])
        if device.transport and not any(each.startswith(f"{device.transport}:") for each in self.server.addresses):
            raise SiteError(f"nothing listens on {device.transport}, by which {device.mac} shall come: see --listen")
        token = chance.token_urlsafe(24)
        self._tickets = {key: each for key, each in self._tickets.items() if each.mac != device.mac}
        self._tickets[_key(token)] = Ticket(device.mac, self.server.now_ms() + limits.provision_valid_ms)
        self.server.log.info(f"{author} provisions {device.mac} ({device.profile}) for {device.agent or device.trunk}")
        host = self._host if self._host not in ("0.0.0.0", "::") else net.default_source(self._host)
        named = tls_files.certified_name(self._certificate, self._names(device, host)) if self.tls is not None else ""
        where = net.show(named or host or "127.0.0.1", int(self.address.rpartition(":")[2]))
        own = files(device.template, device.file, Facts(device.mac, "", 0, ""))[0].name
        base = f"{'https' if self.tls is not None else 'http'}://{where}{PREFIX}{token}/"
        facts = self._facts(device, host)
        return answer({
            "device": device.mac, "profile": device.profile, "owner": device.agent or device.trunk, "base": base,
            "url": base + own, "enter": device.enter, "minutes": limits.provision_valid_ms // 60_000,
            "by_hand": by_hand(device.template, facts),
        })  # fmt: skip

    def _row(self, device: DeviceModel) -> dict[str, object]:
        now_ms = self.server.now_ms()
        open_ = any(each.mac == device.mac and each.until_ms > now_ms for each in self._tickets.values())
        at_ms, host = self.fetched.get(device.mac, (0, ""))
        return {
            "device": device.mac, "profile": device.profile, "owner": device.agent or device.trunk,
            "state": "waiting" if open_ else "fetched" if host else "never asked",
            "fetched_ago_s": (now_ms - at_ms) // 1_000 if host else None, "by": host,
        }  # fmt: skip

    # --- devices
    async def answer(self, request: h11.Request, theirs: str = "", ours: str = "") -> Page:
        """The file that a device asks for. Only a whole GET of the file with the password spends its address."""
        self.requests += 1
        now_ms = self.server.now_ms()
        if self.guard.shut(theirs, now_ms):
            return 429, TEXT, b"too many wrong addresses: wait a minute\n"
        if request.method != b"GET":
            return 405, TEXT, b"only GET\n"
        path = request.target.decode("ascii", "replace").partition("?")[0]
        token, _, name = path.removeprefix(PREFIX).partition("/")
        ticket = self._tickets.get(_key(token)) if path.startswith(PREFIX) else None
        if ticket is None or ticket.until_ms <= now_ms:
            return self._missed(theirs, now_ms)
        device = self.server.site.devices.get(ticket.mac)
        if device is None:
            return _GONE  # a reload has taken it away
        offered = files(device.template, device.file, Facts(device.mac, "", 0, ""))
        name = name.lstrip("/").lower()  # some put a slash between the folder that they were told and the file
        asked = next((each for each in offered if each.name.lower() == name), None)
        if asked is None:
            return _GONE  # boxes ask for more than there is: firmware, the series' file
        return self._serve(device, asked, _key(token), theirs, ours)

    def _missed(self, theirs: str, now_ms: int) -> Page:
        if self.guard.miss(theirs, now_ms) == limits.provision_misses_max:
            self.server.log.warning(
                f"{theirs} asked {limits.provision_misses_max} times for addresses that don't exist, or no longer",
                "provisioning",
            )
        return _GONE

    def _serve(self, device: DeviceModel, asked: File, key: bytes, theirs: str, ours: str) -> Page:
        """The file itself; with it a new password, and the end of the address."""
        last = files(device.template, device.file, Facts(device.mac, "", 0, ""))[-1].name == asked.name
        password = ""
        try:
            if last and device.agent:
                password = self.server.secrets.rotate(self.server.site, device.agent).password
                self.server.secrets_changed()
        except (SiteError, OSError) as error:
            self.server.log.error(f"no configuration for {device.mac}: {error}", "provisioning")
            return 503, TEXT, b"no password could be made\n"
        made = files(device.template, device.file, self._facts(device, ours, password))
        found = next(each for each in made if each.name == asked.name)
        if last:
            del self._tickets[key]
            self.fetched[device.mac] = self.server.now_ms(), theirs
            owner = device.agent or device.trunk
            self.server.log.info(f"{device.mac} ({device.profile}, {owner}) fetched its configuration from {theirs}")
        return 200, found.kind, found.body

    def _names(self, device: DeviceModel, host: str) -> list[str]:
        """By which a device may reach us: who looks at a certificate must find there what it was told, and there are
        phones that look for names only, never for addresses. Another tenant's domain would be another house."""
        site = self.server.site
        tenant = site.tenants.get(site.agents[device.agent].tenant) if device.agent else None
        return [*tls_files.names_of(site.advertise, [tenant.domain] if tenant else [], ()), host]

    def _facts(self, device: DeviceModel, ours: str, password: str = "") -> Facts:
        """`ours`: the address by which the device has reached us, which is the one it can reach."""
        site = self.server.site
        wanted = device.transport if device.agent else site.trunks[device.trunk].transport
        transport, host, port = sip_address(self.server.addresses, ours, wanted)
        if transport == "tls":
            host = self.server.flows.certificates.name_for(self._names(device, host)) or host
        if device.agent:
            agent = site.agents[device.agent]
            tenant = site.tenants.get(agent.tenant)
            realm = tenant.realm if tenant else agent.tenant
            return Facts(device.mac, host, port, agent.number, transport, password, realm, agent.name,
                         codecs=device.codecs, srtp=agent.srtp or site.srtp)  # fmt: skip
        trunk = site.trunks[device.trunk]
        return Facts(device.mac, host, port, trunk.name, transport, line=device.line, lines=trunk.calls_max or 1,
                     codecs=device.codecs, srtp=trunk.srtp)  # fmt: skip


def _key(token: str) -> bytes:
    """What a token is kept as: its hash, so that looking it up tells nothing by how long it takes."""
    return blake2b(token.encode(), digest_size=16).digest()


def find(devices: dict[str, DeviceModel], wanted: str) -> DeviceModel:
    """The device of a MAC address, an agent ("tenant/number" or number) or a trunk. Raises SiteError."""
    mac = wanted.replace(":", "").replace("-", "").replace(".", "").lower()
    if mac in devices:
        return devices[mac]
    names = (wanted, f"default/{wanted}")
    found = [each for each in devices.values() if each.trunk == wanted or each.agent in names]
    if len(found) == 1:
        return found[0]
    if found:
        raise SiteError(f"{wanted} has {len(found)} devices: say which, by its MAC address: "
                        f"{', '.join(each.mac for each in found)}")  # fmt: skip
    known = ", ".join(f"{each.mac} ({each.agent or each.trunk})" for each in devices.values())
    raise SiteError(f"no device {wanted!r}: {known or 'devices.yaml of the site names none'}")


def sip_address(addresses: list[str], ours: str, wanted: str = "") -> tuple[str, str, int]:
    """(transport, host, port) that a device registers with: what is `wanted`, else UDP first and TLS last; who listens
    everywhere is reached at `ours`."""
    best = ("udp", ours, 5060)
    fitting = [each for each in addresses if wanted and each.startswith(f"{wanted}:")] or addresses
    for text in sorted(fitting, key=lambda each: ("udp", "tcp", "tls").index(each.partition(":")[0])):
        transport, host, port = net.parse_listen(text)
        if host in ("0.0.0.0", "::"):
            return transport, ours, port
        if host == ours:
            return transport, host, port
        best = best if best[1] != ours else (transport, host, port)
    return best


def context(path: Path) -> ssl.SSLContext:
    """TLS 1.2 or newer with the certificate chain and key of a PEM file. Raises UsageError."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        made.load_cert_chain(path)
    except (OSError, ssl.SSLError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"--provision-cert {path}: {reason}; it holds the certificates and the key, as PEM") from error
    return made
