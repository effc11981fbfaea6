"""One address per device, once; a fetch rotates the password; guessing costs time; nothing secret is logged."""

from __future__ import annotations

import asyncio
import ssl
import xml.etree.ElementTree as tree
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from engine import limits
from engine.dialplan.model import AgentModel, DeviceModel, TenantModel, TrunkModel
from engine.dialplan.tls import TlsModel
from engine.errors import SiteError, UsageError
from engine.runtime.provisioning import Guard, Provisioning, context, find, sip_address
from engine.runtime.secrets import Secrets
from engine.runtime.tls import Certificates
from engine.sip import digest
from tests.runtime import certificates
from tests.runtime.authority import Authority
from tests.runtime.fakes import quiet_log, run, site

MAC = "805ec0112233"
DEVICES = {
    MAC: DeviceModel(MAC, "yealink", "yealink", "{mac}.cfg", "there", agent="default/201", codecs=("PCMU",)),
    "000b821a2b3c": DeviceModel("000b821a2b3c", "box", "grandstream-fxo", "cfg{mac}.xml", "there", trunk="office",
                                line="100"),
    "0004f2000001": DeviceModel("0004f2000001", "poly-vvx", "poly", "{mac}.cfg", "there", agent="default/202"),
}  # fmt: skip


class World:
    def __init__(self, folder: Path) -> None:
        self.log, self.lines = quiet_log()
        self.site = site(
            devices=DEVICES, tenants={"default": TenantModel("default", realm="ringdown")},
            agents={f"default/{n}": AgentModel("default", n, "Ben") for n in ("201", "202")},
            trunks={"office": TrunkModel("office", host="192.168.1.30", calls_max=1)},
        )  # fmt: skip
        self.secrets = Secrets(folder)
        self.addresses = ["tcp:127.0.0.1:5061", "udp:127.0.0.1:5064"]
        self.flows = SimpleNamespace()
        self.told = 0
        self.ms = 1_000
        self.provisioning = Provisioning(self)  # type: ignore[arg-type]

    def now_ms(self) -> int:
        return self.ms

    def secrets_changed(self) -> None:
        self.told += 1

    async def make(self, device: str) -> Any:
        reply = await self.provisioning.verb("ann", {"device": device})
        return msgspec.json.decode(reply.data)

    async def rows(self) -> list[dict[str, Any]]:
        rows = msgspec.json.decode((await self.provisioning.verb("ann", {})).data)
        assert isinstance(rows, list)
        return rows

    async def get(self, url: str, method: str = "GET", tls: ssl.SSLContext | None = None) -> tuple[int, bytes]:
        host, _, port = url.split("/")[2].rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port), ssl=tls)
        path = "/" + url.split("/", 3)[3]
        writer.write(f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        writer.close()
        assert b"no-store" in head
        return int(head.split()[1]), body


def play(folder: Path, scene: Callable[[World], Awaitable[None]], certificate: str = "") -> World:
    world: list[World] = []

    async def work() -> None:
        world.append(World(folder))
        part = world[0].provisioning
        part.prepare("127.0.0.1:0", certificate)
        await part.open()
        try:
            await scene(world[0])
        finally:
            await part.close()

    run(work(), 20)
    return world[0]


def password_of(body: bytes) -> str:
    line = next(each for each in body.decode().split("\n") if each.startswith("account.1.password"))
    return line.partition(" = ")[2]


def test_a_phone_gets_a_new_password_once_and_its_hash_is_kept(tmp_path: Path) -> None:
    async def scene(world: World) -> None:
        made = await world.make("201")
        assert made["url"] == f"{made['base']}{MAC}.cfg" and made["minutes"] == 15
        status, body = await world.get(made["url"])
        assert status == 200 and b"account.1.sip_server.1.address = 127.0.0.1" in body and b"port = 5064" in body
        first = password_of(body)
        kept = Secrets(tmp_path).loaded(world.site).agents["default/201"]
        assert kept == digest.ha1("201", "ringdown", first) and world.told == 1
        assert first.encode() not in (tmp_path / "secrets.json").read_bytes()
        assert (await world.get(made["url"]))[0] == 404, "spent"
        again = await world.make(MAC)
        assert again["base"] != made["base"]
        status, body = await world.get(again["url"])
        assert status == 200 and password_of(body) != first, "provisioning again makes a new one"
        token = again["base"].split("/")[-2]
        said = world.lines.getvalue()
        assert token not in said and first not in said and password_of(body) not in said
        assert f"{MAC} (yealink, default/201) fetched its configuration from 127.0.0.1" in said
        assert "ann provisions" in said

    play(tmp_path, scene)


def test_an_address_ends_after_its_minutes_and_a_new_one_ends_the_old(tmp_path: Path) -> None:
    async def scene(world: World) -> None:
        old, new = await world.make("201"), await world.make("201")
        assert (await world.get(old["url"]))[0] == 404
        world.ms += limits.provision_valid_ms
        assert (await world.get(new["url"]))[0] == 404 and world.told == 0

    play(tmp_path, scene)


def test_asking_for_other_files_or_otherwise_spends_nothing(tmp_path: Path) -> None:
    async def scene(world: World) -> None:
        made = await world.make("201")
        for name in ("y000000000028.cfg", "", "firmware.rom", "../etc/passwd"):
            assert (await world.get(made["base"] + name))[0] == 404
        for method in ("HEAD", "PUT", "POST"):
            assert (await world.get(made["url"], method))[0] == 405
        assert (await world.get(made["base"] + f"/{MAC.upper()}.CFG"))[0] == 200, "some ask in capitals, after a slash"

    play(tmp_path, scene)


def test_a_phone_with_two_files_gets_both(tmp_path: Path) -> None:
    async def scene(world: World) -> None:
        made = await world.make("202")
        status, master = await world.get(made["url"])
        assert status == 200 and world.told == 0, "the master holds no secret and makes none"
        assert (await world.get(made["url"]))[0] == 200
        name = tree.fromstring(master).get("CONFIG_FILES")
        status, body = await world.get(f"{made['base']}{name}")
        assert status == 200 and b"reg.1.auth.password" in body and world.told == 1
        assert (await world.get(f"{made['base']}{name}"))[0] == 404

    play(tmp_path, scene)


def test_a_gateway_gets_no_password_and_is_told_what_is_left(tmp_path: Path) -> None:
    async def scene(world: World) -> None:
        made = await world.make("office")
        assert "User ID 100, Sip Server 127.0.0.1, port 5064" in made["by_hand"][1]
        status, body = await world.get(made["url"])
        assert status == 200 and b"<P747>127.0.0.1:5064</P747>" in body and world.told == 0
        assert not (tmp_path / "secrets.json").exists()
        states = {row["device"]: row["state"] for row in await world.rows()}
        assert states == {MAC: "never asked", "000b821a2b3c": "fetched", "0004f2000001": "never asked"}

    play(tmp_path, scene)


def test_who_guesses_waits_and_a_good_device_behind_another_address_does_not(tmp_path: Path) -> None:
    async def scene(world: World) -> None:
        made = await world.make("201")
        base = made["base"].rsplit("/", 2)[0]
        for _ in range(limits.provision_misses_max):
            assert (await world.get(f"{base}/AAAA/{MAC}.cfg"))[0] == 404
        assert (await world.get(made["url"]))[0] == 429
        assert "asked 10 times for addresses that don't exist" in world.lines.getvalue()
        world.ms += limits.provision_pause_ms
        assert (await world.get(made["url"]))[0] == 200

    play(tmp_path, scene)


def test_the_guard_remembers_so_many_and_no_more() -> None:
    guard = Guard()
    for number in range(limits.provision_addresses_max + 50):
        guard.miss(f"h{number}", 0)
    assert len(guard._misses) == limits.provision_addresses_max and "h0" not in guard._misses


def test_over_tls(tmp_path: Path) -> None:
    certificates.certificate(tmp_path, 30)
    pem = tmp_path / "both.pem"
    pem.write_bytes(b"".join(path.read_bytes() for path in sorted(tmp_path.glob("*.pem"))))

    async def scene(world: World) -> None:
        made = await world.make("201")
        assert made["url"].startswith("https://127.0.0.1:")
        trusting = ssl.create_default_context(cafile=str(pem))
        assert (await world.get(made["url"], tls=trusting))[0] == 200

    play(tmp_path, scene, str(pem))


def test_a_certificate_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--provision-cert .*nothing\.pem: No such file"):
        context(tmp_path / "nothing.pem")
    (tmp_path / "bad.pem").write_text("no certificate")
    with pytest.raises(UsageError, match="it holds the certificates and the key, as PEM"):
        context(tmp_path / "bad.pem")


def test_without_a_listener_nothing_is_made(tmp_path: Path) -> None:
    async def work() -> None:
        world = World(tmp_path)
        with pytest.raises(SiteError, match="provisioning is off: start the engine with --provision"):
            await world.make("201")
        assert len(await world.rows()) == 3

    run(work())


def test_a_device_is_found_by_what_people_say() -> None:
    for said in ("80:5E:C0:11:22:33", "805ec0112233", "201", "default/201", "80-5e-c0-11-22-33"):
        assert find(DEVICES, said).mac == MAC
    assert find(DEVICES, "office").mac == "000b821a2b3c"
    with pytest.raises(SiteError, match="no device '999': 805ec0112233"):
        find(DEVICES, "999")
    both = {**DEVICES, "805ec0112234": msgspec.structs.replace(DEVICES[MAC], mac="805ec0112234")}
    with pytest.raises(SiteError, match="has 2 devices: say which"):
        find(both, "201")


@pytest.mark.parametrize(
    ("addresses", "ours", "found"),
    [
        (["tcp:10.0.0.1:5060", "udp:10.0.0.1:5062"], "10.0.0.1", ("udp", "10.0.0.1", 5062)),
        (["udp:0.0.0.0:5070"], "10.0.0.7", ("udp", "10.0.0.7", 5070)),
        (["udp:10.0.0.1:5060", "udp:10.0.9.1:5066"], "10.0.9.1", ("udp", "10.0.9.1", 5066)),
        (["tcp:10.0.0.1:5061"], "10.0.0.9", ("tcp", "10.0.0.1", 5061)),
    ],
)
def test_a_device_is_told_the_address_that_it_can_reach(
    addresses: list[str], ours: str, found: tuple[str, str, int]
) -> None:
    assert sip_address(addresses, ours) == found


def test_a_device_is_told_the_transport_that_it_shall_come_by() -> None:
    addresses = ["udp:0.0.0.0:5060", "tcp:10.0.0.1:5060", "tls:10.0.9.1:5061"]
    assert sip_address(addresses, "10.0.0.1", "tls") == ("tls", "10.0.9.1", 5061), "never another, unencrypted"
    assert sip_address(addresses, "10.0.0.1", "tcp") == ("tcp", "10.0.0.1", 5060)
    assert sip_address(addresses, "10.0.0.1") == ("udp", "10.0.0.1", 5060)
    assert sip_address(["tls:10.0.0.1:5061", "tcp:10.0.0.1:5060"], "10.0.0.1") == ("tcp", "10.0.0.1", 5060)


def secure(world: World, folder: Path) -> None:
    """The phone by TLS, with SRTP; a certificate for a name, which the site says is its own."""
    authority = Authority(folder)
    authority.issue("sip", "sip.example.net", "127.0.0.1")
    made = Certificates(world.log)
    phone = msgspec.structs.replace(DEVICES[MAC], transport="tls")
    world.site = msgspec.structs.replace(
        world.site, devices={**DEVICES, MAC: phone}, advertise="sip.example.net", srtp="required",
        tls=TlsModel("sip.pem", "sip.key"),
    )  # fmt: skip
    made.use(world.site, folder)
    world.flows = SimpleNamespace(certificates=made)


def test_a_phone_by_tls_is_told_the_name_that_our_certificate_is_for(tmp_path: Path) -> None:
    async def scene(world: World) -> None:
        secure(world, tmp_path)
        with pytest.raises(SiteError, match=f"nothing listens on tls, by which {MAC} shall come"):
            await world.make("201")
        world.addresses.append("tls:127.0.0.1:5071")
        made = await world.make("201")
        assert "whoever signed the engine's" in made["by_hand"][-1]
        _, body = await world.get(made["url"])
        told = dict(line.split(" = ") for line in body.decode().split("\n")[1:-1])
        assert told["account.1.sip_server.1.address"] == "sip.example.net"
        assert told["account.1.sip_server.1.port"] == "5071" and told["account.1.srtp_encryption"] == "2"
        assert told["account.1.sip_server.1.transport_type"] == "2"
        world.site = msgspec.structs.replace(world.site, advertise="other.example.net")
        _, body = await world.get((await world.make("201"))["url"])
        assert b"sip_server.1.address = 127.0.0.1\n" in body, "the certificate is not for that name"

    play(tmp_path, scene)


def test_the_address_of_a_file_has_the_name_of_its_certificate(tmp_path: Path) -> None:
    async def scene(world: World) -> None:
        world.site = msgspec.structs.replace(world.site, advertise="sip.example.net")
        assert (await world.make("201"))["url"].startswith("https://sip.example.net:")
        world.site = msgspec.structs.replace(world.site, advertise="other.example.net")
        assert (await world.make("201"))["url"].startswith("https://127.0.0.1:")

    pem, key = Authority(tmp_path).issue("web", "sip.example.net", "127.0.0.1")
    both = tmp_path / "both.pem"
    both.write_bytes(pem.read_bytes() + key.read_bytes())
    play(tmp_path, scene, str(both))


def test_a_warning_where_passwords_would_cross_in_clear(tmp_path: Path) -> None:
    async def work() -> None:
        world = World(tmp_path)
        part = world.provisioning
        part.bind = lambda text: SimpleNamespace(getsockname=lambda: ("10.0.0.1", 1), close=lambda: None)  # type: ignore
        part.prepare("10.0.0.1:1", "")
        assert "in clear once (--provision-cert)" in world.lines.getvalue()
        await part.close()

    run(work())
