"""What a carrier learns of the house behind us, read from the wire by tshark: Kamailio is the carrier.

The agents' phones (baresip, and a scripted one that puts inner names into everything it says) are at an address of
their own. What they say to us is collected from the capture: addresses, Call-IDs, tags, branches, programs, owners of
descriptions. None of it may be in anything that the carrier gets.
"""

from __future__ import annotations

import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from harness import shark
from harness.baresip import Baresip
from harness.children import until
from harness.kamailio import Kamailio
from harness.phone import SDP, Dialog, Phone
from harness.server import DEMO, MEDIA, Engine

from tools.load import wire

PASSWORD = secrets.token_hex(12)
INNER = "127.0.0.77"  # where the phones are
HOUSE = "desk-7.inner.test"
NUMBERS = "  4412: {dialplan: interop, entry: main}\n"
DIALPLAN = """\
ringdown: 1
about: The carrier's number rings agent 200.
entry: main

flows:
  main:
    - dial: {to: 200, ring: 20s, busy: over, failed: over}
    - hangup: served
  over:
    - hangup: {outcome: failed, cause: 17}
"""
SAID = (
    "sip.Call-ID", "sip.from.tag", "sip.to.tag", "sip.Via.branch", "sip.Via.sent-by.address", "sip.contact.host",
    "sip.User-Agent", "sip.Server", "sip.Organization", "sip.Subject", "sdp.owner.username", "sdp.owner.sessionid",
    "sdp.owner.address", "sdp.connection_info.address", "sdp.session_name", "sdp.session_info",
)  # fmt: skip
SHOWN = (
    "sip.Method", "sip.Status-Code", "sip.CSeq.method", "sip.Via.sent-by.address", "sip.Via.sent-by.port",
    "sip.contact.host", "sip.contact.port", "sip.Record-Route", "sip.User-Agent", "sip.Server", "sdp.owner.address",
    "sdp.connection_info.address",
)  # fmt: skip
PLANTED = [
    ("User-Agent", f"Deskphone 9 at {HOUSE}"), ("Server", f"Deskphone 9 at {HOUSE}"), ("Organization", HOUSE),
    ("Subject", f"from {HOUSE}"), ("Call-Info", f"<http://{HOUSE}/face.png>;purpose=icon"),
    ("P-Preferred-Identity", f"<sip:200@{HOUSE}>"), ("Reply-To", f"<sip:200@{HOUSE}>"),
    ("Warning", f'399 {HOUSE} "said by {HOUSE}"'), ("X-Inner", HOUSE), ("Reason", f'SIP;cause=486;text="{HOUSE}"'),
]  # fmt: skip


@dataclass
class House:
    engine: Engine
    carrier: Kamailio
    far: Phone


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("topology")
    patch = pytest.MonkeyPatch()
    patch.setenv("RINGDOWN_TRUNK_FIRST", PASSWORD)
    site = folder / "site"
    shutil.copytree(DEMO, site)
    with Phone(("127.0.0.1", 9), "far") as far, Kamailio(folder, far.port, PASSWORD) as carrier:
        far.server = ("127.0.0.1", carrier.port)
        (site / "trunks.yaml").write_text(
            f"first:\n  host: 127.0.0.1\n  port: {carrier.port}\n  user: '4412'\n  addresses: [127.0.0.99]\n"
            "  register: {domain: carrier.test, expires: 1min}\n"
        )
        (site / "outbound.yaml").write_text("0x.: {trunks: [first], strip: 1}\n")
        with Engine(site, edits={"site.yaml": ("numbers:\n", "numbers:\n" + NUMBERS)}, extra=DIALPLAN) as engine:
            until(lambda: "trunk first is registered" in engine.output(), 8, what="registered at the carrier")
            yield House(engine, carrier, far)
    patch.undo()


@dataclass
class Seen:
    """SIP of one capture: `inner` are the values that the phone said, `outer` the messages that the carrier got."""

    inner: set[str]
    outer: list[tuple[dict[str, str], str]]

    def kinds(self) -> set[str]:
        """INVITE, or 200 INVITE."""
        return {f"{row['sip.Status-Code']} {row['sip.CSeq.method']}".strip() for row, _ in self.outer}


def fields(path: Path, port: int, which: str, names: tuple[str, ...]) -> list[dict[str, str]]:
    command = ["tshark", "-n", "-r", str(path), "-d", f"udp.port=={port},sip", "-Y", f"sip && ({which})"]
    command += ["-T", "fields", "-E", "separator=/t", "-E", "aggregator=;"]
    command += [word for name in names for word in ("-e", name)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    return [dict(zip(names, line.split("\t"), strict=True)) for line in done.stdout.splitlines()]


@contextmanager
def watched(house: House, folder: Path, phone_port: int) -> Iterator[Seen]:
    """Filled in at the end."""
    watch = shark.Watch(folder, shark.Ports((house.engine.port,), media=MEDIA))
    watch.ready()
    time.sleep(0.3)
    seen = Seen(set(), [])
    try:
        yield seen
        time.sleep(0.3)
    finally:
        path = watch.end()
    port = house.engine.port
    for row in fields(path, port, f"udp.srcport == {phone_port}", SAID):
        seen.inner |= {word for name in SAID for word in row[name].split(";")}
    to_him = f"udp.srcport == {port} && udp.dstport == {phone_port}"
    told = fields(path, port, to_him, ("sip.Via.branch", "sip.from.tag"))
    ours = {word for row in told for value in row.values() for word in value.split(";")}
    seen.inner |= {word for word in ours if word}  # what we said to the phone is between us and the phone, too
    seen.inner = {word for word in seen.inner if len(word) > 5} - {"127.0.0.1"}
    which = f"udp.srcport == {port} && udp.dstport == {house.carrier.port}"
    for row in fields(path, port, which, (*SHOWN, "udp.payload")):
        seen.outer.append((row, bytes.fromhex(row["udp.payload"].replace(":", "")).decode()))


def check(house: House, seen: Seen, phone_port: int, *wanted: str) -> None:
    """The carrier got these, and none of it tells of the phone; where an address stands it is the engine's or his."""
    assert set(wanted) <= seen.kinds(), seen.kinds()
    words = seen.inner | {INNER, HOUSE, "inner.test", f":{phone_port}", "Deskphone"}
    leaks = {(word, row["sip.CSeq.method"]) for row, text in seen.outer for word in words if word in text}
    assert not leaks, leaks
    for row, text in seen.outer:
        request = bool(row["sip.Method"])
        hops = row["sip.Via.sent-by.port"].split(";")
        assert hops == [str(house.engine.port)] if request else str(house.engine.port) not in hops, text
        assert row["sip.contact.host"] in ("", "127.0.0.1") and not (request and row["sip.Record-Route"]), text
        assert row["sip.contact.port"] in ("", str(house.engine.port)), text
        assert "ringdown" in row["sip.User-Agent"].lower() or not row["sip.User-Agent"], text
        assert {row["sdp.owner.address"], row["sdp.connection_info.address"]} <= {"", "127.0.0.1"}, text


def test_a_softphone_calls_out_and_stays_unknown(house: House, tmp_path: Path) -> None:
    """baresip's INVITE, his hold, the far end's re-INVITE, his BYE."""
    words = house.engine.passwords()["200"]
    with Baresip(tmp_path, house.engine.address, "200", words, host=INNER) as phone:
        phone.registered()
        with watched(house, tmp_path, phone.port) as seen:
            place = phone.dial("0555001")
            dialog = house.far.wait_call()
            dialog.ring()
            dialog.answer()
            phone.wait_event("CALL_ESTABLISHED", after=place)
            phone.command("hold")
            time.sleep(0.3)
            phone.command("resume")
            dialog.target = wire.uri_of(dialog.invite.get("contact"))
            assert dialog.offer(held()).status == 200
            phone.command("hangup")
            dialog.expect_bye()
            house.engine.wait_idle()
    check(house, seen, phone.port, "INVITE", "ACK", "200 INVITE", "BYE")
    assert any(word.startswith("baresip") for word in seen.inner), "the phone says what it is"
    assert INNER in seen.inner


def held() -> str:
    return wire.offer("127.0.0.1", 9, direction="sendonly", version=2)


def described(version: int = 1) -> str:
    """The inner phone's SDP."""
    text = wire.offer(INNER, 9, session=9_876_543_210, version=version, codecs=(0,))
    return text.replace("o=- ", "o=desk-seven ").replace("s=-", f"s=call at {HOUSE}\r\ni={HOUSE}")


class Desk(Phone):
    """Agent 200's phone, which names its house wherever it can."""

    def contact(self, user: str = "") -> tuple[str, str]:
        return "Contact", f'"{HOUSE}" <sip:{user or self.user}@{self.host}:{self.port};house={HOUSE}>'

    def planted(self) -> list[tuple[str, str]]:
        return [self.contact(), *PLANTED]


@pytest.fixture
def desk(house: House) -> Iterator[Desk]:
    with Desk(house.engine.address, "200", house.engine.passwords()["200"], host=INNER) as phone:
        assert phone.register().status == 200
        house.engine.login("200")
        house.engine.wait_agent("200", "ready")
        phone.drain(0.3)
        yield phone
        house.engine.wait_idle()
        phone.register(expires=0, contact="*")
        house.engine.logout("200")


def called(house: House, desk: Desk) -> tuple[Dialog, Dialog]:
    """The carrier's caller, and the agent's side: rung."""
    outside = Phone(("127.0.0.1", house.carrier.port), "outside")
    near = outside.invite("4412")
    far = desk.wait_call()
    far.reply(far.invite, 180, "Ringing", headers=desk.planted())
    return near, far


def test_a_carriers_call_is_answered_held_moved_and_ended_by_nobody_known(
    house: House, desk: Desk, tmp_path: Path
) -> None:
    """The agent's 180, 200, re-INVITE and BYE; the carrier's re-INVITE; and ours, after an outage that cost a port."""
    with watched(house, tmp_path, desk.port) as seen:
        near, far = called(house, desk)
        far.reply(far.invite, 200, "OK", headers=[*desk.planted(), *SDP], body=described())
        far.expect("ACK")
        near.expect(200)
        near.ack()
        assert near.offer(held()).status == 200
        far.request("INVITE", headers=[*desk.planted(), *SDP], body=described(version=2))
        assert far.expect(200).status == 200
        far.ack()
        time.sleep(1)  # what an engine takes up again has been still for a moment
        moved(house, near)
        far.request("BYE", headers=PLANTED)
        far.expect(200, method="BYE")
        near.expect_bye()
    near.phone.close()
    check(house, seen, desk.port, "180 INVITE", "200 INVITE", "INVITE", "BYE")
    assert {HOUSE, INNER, "desk-seven"} <= seen.inner


def moved(house: House, near: Dialog) -> None:
    """The engine is killed, and the port that the carrier sends to is another's when it comes back: a re-INVITE."""
    port = near.media.port
    house.engine.kill()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", port))
        house.engine.start()
        offer = near.expect("INVITE", within=10)
        assert wire.Media(offer.body).port != port
        near.reply(offer, 200, "OK", headers=[near.phone.contact(), *SDP], body=wire.offer("127.0.0.1", 9, version=3))
        near.expect("ACK")


@pytest.mark.parametrize("status", [486, 603])
def test_a_refusal_tells_nothing(house: House, desk: Desk, tmp_path: Path, status: int) -> None:
    with watched(house, tmp_path, desk.port) as seen:
        near, far = called(house, desk)
        far.reply(far.invite, status, f"No, says {HOUSE}", headers=desk.planted())
        far.expect("ACK")
        near.expect(*range(400, 700))
        near.ack()
    near.phone.close()
    check(house, seen, desk.port, "180 INVITE")
    assert HOUSE in " ".join(seen.inner)
