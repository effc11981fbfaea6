"""Bad input: dropped or answered as RFC 3261 says, counted, and a call beside it goes on untouched."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.children import until
from harness.phone import FINAL, Dialog, Phone
from harness.ports import free_port
from harness.rtp import Ear
from harness.server import ROOT, Engine

from tools.load import wire

TORTURE = ROOT / "tests" / "vectors" / "rfc4475"


@pytest.fixture
def beside(engine: Engine) -> Iterator[tuple[Dialog, Ear]]:
    """A call with music that must not notice anything."""
    with engine.phone("listener", secret=False) as phone, Ear() as ear:
        dialog = phone.call("9664", media=ear.port)
        ear.start(dialog.media.host, dialog.media.port)
        until(lambda: ear.count() > 20, 4, what="music")
        began, heard = time.monotonic(), ear.count()
        yield dialog, ear
        passed = time.monotonic() - began
        assert ear.count() - heard > 50 * passed * 0.9 - 5, "the call beside it lost packets"
        assert ear.timeline_faults() == []
        assert dialog.bye().status == 200


def messages() -> list[Path]:
    files = sorted(TORTURE.glob("*.dat"))
    assert len(files) == 49
    return files


def test_the_torture_messages(engine: Engine, beside: object) -> None:
    """All 49 of RFC 4475 over UDP, and cut up over TCP; the engine answers OPTIONS after each."""
    with engine.phone("torturer", secret=False) as phone:
        for file in messages():
            phone.sock.sendto(file.read_bytes(), engine.address)
            _still_answers(phone, file.name)
        for file in messages():
            with socket.create_connection(engine.address, timeout=2) as link:
                data = file.read_bytes()
                link.sendall(data[:100])
                link.sendall(data[100:])
            _still_answers(phone, file.name + " over TCP")


def test_random_bytes_and_huge_datagrams(engine: Engine, beside: object) -> None:
    rng = random.Random(4475)
    via = ("Via", "SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1")
    sample = wire.build("INVITE sip:100@127.0.0.1 SIP/2.0", [via], b"v=0\r\n")
    with engine.phone("fuzzer", secret=False) as phone:
        for size in (1, 3, 64, 1_400, 9_000, 65_507):
            phone.sock.sendto(rng.randbytes(size), engine.address)
            phone.sock.sendto((sample * (size // len(sample) + 1))[:size], engine.address)
        for _ in range(500):
            broken = bytearray(sample)
            for _ in range(rng.randint(1, 12)):
                broken[rng.randrange(len(broken))] = rng.randrange(256)
            phone.sock.sendto(bytes(broken[: rng.randint(1, len(broken))]), engine.address)
        _still_answers(phone, "the fuzz")
    lines = [line for line in engine.output().splitlines() if "refus" in line.lower() or "drop" in line.lower()]
    assert len(lines) < 400, f"{len(lines)} log lines for one minute of rubbish"


VIAS = [
    "SIP/2.0/UDP no-such-host.invalid:5060", "SIP/2.0/UDP 127.0.0.1:0", "SIP/2.0/UDP [2001:db8::1]:5060",
    "SIP/2.0/TCP 127.0.0.1:9", "SIP/2.0/UDP 127.0.0.1:99999", "SIP/2.0/UDP 255.255.255.255:5060",
    "SIP/2.0/UDP 0.0.0.0", "SIP/2.0/SCTP 127.0.0.1", "SIP/2.0/UDP host_with_underscore;maddr=239.1.1.1;ttl=255",
    "SIP/2.0/UDP 127.0.0.1:5060;received=256.1.1.1;rport=70000",
]  # fmt: skip


@pytest.mark.parametrize("via", VIAS)
def test_a_via_meant_to_break_transports(engine: Engine, beside: object, via: str) -> None:
    """RFC 3261 §18.2.2, RFC 3581: where the answer goes may be nowhere; nothing closes."""
    with engine.phone("via", secret=False) as phone:
        for rport in ("", ";rport"):
            head = [
                ("Via", f"{via};branch=z9hG4bK{wire.fresh()}{rport}"), ("Max-Forwards", "70"), ("To", "<sip:9100@x>"),
                ("From", "<sip:via@x>;tag=1"), ("Call-ID", wire.fresh()), ("CSeq", "1 INVITE"), phone.contact(),
                ("Content-Type", "application/sdp"),
            ]  # fmt: skip
            phone.send(wire.build(f"INVITE {phone.uri('4711471')} SIP/2.0", head, wire.offer("127.0.0.1", 9)))
        _still_answers(phone, via)


CONTACTS = [
    "<sip:x@no-such-host.invalid>", "<sip:x@127.0.0.1:0>", "<sip:x@[2001:db8::1]>", "<sip:x@127.0.0.1:9;transport=tcp>",
    "<sip:x@127.0.0.1;transport=tls>", "<sips:x@127.0.0.1>", "<tel:+4711>", "<sip:x@0.0.0.0:1>", "*", "<>", "<sip:>",
]  # fmt: skip


@pytest.mark.parametrize("contact", CONTACTS)
def test_a_contact_meant_to_break_transports(engine: Engine, beside: object, contact: str) -> None:
    """We must send a BYE in this dialog later (9102 hangs up): it may fail, and nothing else may."""
    with engine.phone("contact", secret=False) as phone:
        dialog = phone.invite("9100")
        phone.drain(0.1)
        head = [("Contact", contact), ("Content-Type", "application/sdp")]
        odd = phone.request("INVITE", phone.uri("9100"), headers=head, body=wire.offer("127.0.0.1", 9))
        reply = phone.expect(*FINAL, call_id=odd.get("call-id"), method="INVITE")
        assert reply.status in (200, 400, 416, 488, 503), reply.start
        if reply.status == 200:
            other = Dialog(phone, odd)
            other.final, other.remote, other.target = reply, reply.get("to"), phone.uri("9100")
            other.ack()
            until(lambda: engine.calls_now() >= 2, 2)
            for call in engine.ask("calls"):
                if call.get("caller") == "contact":
                    engine.ask("call.hangup", call=str(call["call"]))
        dialog.final = None
        phone.drain(0.3)
        _still_answers(phone, contact)
        for call in engine.ask("calls"):
            if call.get("caller") == "contact":
                engine.ask("call.hangup", call=str(call["call"]))


def test_a_registered_contact_that_leads_nowhere(engine: Engine, beside: object) -> None:
    with engine.phone("207") as phone, engine.phone("201") as caller:
        assert phone.register(contact="<sip:207@no-such-host.invalid:5060>").status in (200, 400)
        dialog = caller.place("207")
        final = dialog.expect(*FINAL, within=36)
        assert final.status in (408, 480, 404, 486, 503), final.start
        dialog.ack()
        phone.register(expires=0, contact="*")


def test_a_tcp_peer_that_never_finishes(engine: Engine, beside: object) -> None:
    """Half a message, no Content-Length, an endless header: others are served meanwhile, and memory is bounded."""
    half = b"INVITE sip:100@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bKx\r\nContent-Length: 500\r\n"
    links = [socket.create_connection(engine.address, timeout=2) for _ in range(30)]
    try:
        for number, link in enumerate(links):
            link.sendall((half, half + b"\r\nv=0", b"INVITE sip:100")[number % 3])
        endless = links[0]
        with pytest.raises(OSError):
            for _ in range(4_000):
                endless.sendall(b"X-Endless: " + b"a" * 1_000 + b"\r\n")
        with engine.phone("other", secret=False, transport="tcp") as phone:
            assert phone.call("9100").bye().status == 200
    finally:
        for link in links:
            link.close()


def test_contradictory_stream_framing_closes_that_connection_only(engine: Engine, beside: object) -> None:
    with socket.create_connection(engine.address, timeout=3) as link:
        link.sendall(b"OPTIONS sip:x SIP/2.0\r\nContent-Length: 4\r\nContent-Length: 9\r\n\r\nabcd")
        link.settimeout(3)
        data = link.recv(4096)
        assert data == b"" or b" 400 " in data


def test_rtp_from_strangers_is_ignored(engine: Engine, beside: tuple[Dialog, Ear]) -> None:
    """Another source's tone, short packets, wrong payload types, STUN and RTCP at the call's port."""
    dialog, _ = beside
    where = (dialog.media.host, dialog.media.port)
    rng = random.Random(1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.1", free_port()))
        for number in range(200):
            head = b"\x80\x00" + number.to_bytes(2, "big") + (number * 160).to_bytes(4, "big") + b"EVIL"
            stranger.sendto(head + b"\x80" * 160, where)
            stranger.sendto(rng.randbytes(rng.randint(1, 200)), where)
            if number % 10 == 0:
                time.sleep(0.02)
        stranger.settimeout(0.3)
        with pytest.raises(TimeoutError):
            stranger.recv(2000)


def test_a_flood_of_bad_registers_bans_nobody(engine: Engine, beside: object) -> None:
    with engine.phone("flood", secret=False) as phone, engine.phone("205") as good:
        began = time.monotonic()
        for number in range(1_000):
            phone.request("REGISTER", phone.uri(), to=phone.uri(f"u{number}"), headers=[phone.contact()])
            if number % 50 == 0:
                phone.drain(0.01)
        assert good.register().status == 200
        assert time.monotonic() - began < 10
        assert good.register(expires=0, contact="*").status == 200


def _still_answers(phone: Phone, after: str) -> None:
    sent = phone.request("OPTIONS", phone.uri("100"), headers=[phone.contact()])
    try:
        phone.expect(200, call_id=sent.get("call-id"), method="OPTIONS", within=3)
    except AssertionError:
        raise AssertionError(f"no answer to OPTIONS after {after}") from None
    finally:
        phone.backlog.clear()
