"""Carriers for tests: sites with several trunks, and a registrar that challenges."""

from __future__ import annotations

import msgspec

from engine.call.effects import SecretsLoaded
from engine.dialplan.model import OutboundRule, Site, TrunkModel
from engine.dialplan.trunk_model import EnrolModel, ProbeModel, Route
from engine.sim.phone import Habit, Phone
from engine.sim.world import ENGINE, World
from engine.sip import digest
from engine.sip.message import Message
from engine.sip.parser import parse
from engine.sip.writer import response
from tests.call.calls import SITE

A, B, C = "192.0.2.111", "192.0.2.112", "192.0.2.113"
PROBE = ProbeModel(10_000)
ENROL = EnrolModel("192.0.2.111", "carrier.test", "4412", "4412", 600)


def site(*routes: Route, version: str = "several", **fields: object) -> Site:
    """The busy site with the trunks a, b and c, all with these `fields`, behind 8…; each at its own address."""
    made = {
        name: msgspec.structs.replace(TrunkModel(name, host=host), **fields)
        for name, host in (("a", A), ("b", B), ("c", C))
    }
    chosen = routes or (Route("a", 1), Route("b", 2), Route("c", 3))
    rule = OutboundRule("default", "8x.", chosen[0].trunk, strip=1, routes=chosen)
    return msgspec.structs.replace(
        SITE, trunks={**SITE.trunks, **made}, outbound=(rule, *SITE.outbound), version=version
    )


def edited(base: Site, name: str, **fields: object) -> Site:
    """One trunk of the site changed, as a new version."""
    trunks = {**base.trunks, name: msgspec.structs.replace(base.trunks[name], **fields)}
    return msgspec.structs.replace(base, trunks=trunks, version=f"{base.version}+{name}")


def gateway(w: World, host: str, **habit: object) -> Phone:
    """The far end of a trunk."""
    found = w.phone(host.rpartition(".")[2], host=host, password="")
    found.habit = Habit(**habit)  # type: ignore[arg-type]
    return found


def invites(phone: Phone) -> list[str]:
    """The numbers it was asked to ring, repeats apart."""
    found: dict[str, str] = {}
    for data in phone.got:
        if data.startswith(b"INVITE "):
            message = parse(data)
            found.setdefault(message.call_id, message.uri)
    return list(found.values())


class Carrier(Phone):
    """A gateway that is a registrar too: it wants digest credentials, and says `status` where that isn't 200."""

    def __init__(self, host: str) -> None:
        super().__init__(host, "carrier", "", ENGINE)
        self.status, self.granted_s, self.secret = 200, 600, ("4412", "right")
        self.registers: list[Message] = []
        self.contact = ""

    def receive(self, source: tuple[str, int], data: bytes, now_ms: int) -> None:
        if not data.startswith(b"REGISTER "):
            super().receive(source, data, now_ms)
            return
        message = parse(data)
        value = message.index.get("authorization")
        given = digest.parse_credentials(value, "REGISTER") if value else None
        status, headers = self.status, []
        if status == 200 and (given is None or not digest.verify(given, digest.ha1(self.secret[0], "c", self.secret[1]),
                                                                 "REGISTER")):  # fmt: skip
            status = 401
            headers = [("www-authenticate", f'Digest realm="c", nonce="{self.tokens.hex(8)}", qop="auth"')]
        elif status == 200:
            seconds = min(self.granted_s, message.expires or 0)
            self.contact = message.index["contact"].strip("<>") if seconds else ""
            headers = [("contact", f"<{self.contact}>;expires={seconds}")] if seconds else []
        self.registers.append(message)
        if status:
            self.raw.append(response(message, status, "", "t", headers))


def carrier(w: World, host: str = A) -> Carrier:
    """A registrar at this address."""
    found = w.phones[host, 5060] = Carrier(host)
    return found


def secrets(w: World, *, password: str = "right") -> None:
    """The passwords as they are now, the trunk's among them."""
    room = w.switch.room
    w.trunk_passwords = {"a": ("4412", password)}
    w.give(SecretsLoaded(room.secrets, w.trunk_passwords, room.pins))
