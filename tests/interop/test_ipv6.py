"""IPv6, with audio: a phone at ::1 hears itself, and a trunk at ::1 carries the call of a phone at 127.0.0.1."""

from __future__ import annotations

import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import listening
import numpy as np
import pytest
from harness.baresip import Baresip
from harness.children import until
from harness.desks import desk
from harness.ports import free_port
from harness.rtp import Ear
from harness.server import DEMO, Engine
from harness.sipp import Sipp

HOST = "::1"
TONE = listening.tone((400.0,), 30, level=6_000)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, int, int]]:
    """The demo site on both families: (engine, its port at ::1, the port of the trunk at ::1)."""
    own, trunk = free_port(), free_port()
    site = tmp_path_factory.mktemp("six") / "site"
    shutil.copytree(DEMO, site)
    (site / "trunks.yaml").write_text(f"six: {{host: '{HOST}', port: {trunk}}}\n")
    (site / "outbound.yaml").write_text("0x.: {trunk: six, strip: 1}\n")
    listen = tuple(f"--listen={transport}:[{HOST}]:{own}" for transport in ("udp", "tcp"))
    with Engine(site, arguments=listen) as engine:
        yield engine, own, trunk


def level(samples: np.ndarray) -> float:
    """How loud the tone is at the end of what was heard."""
    cut = np.asarray(samples, float)[-4_000:]
    wave = np.exp(-2j * np.pi * 400.0 * np.arange(len(cut)) / listening.RATE)
    return float(abs(cut @ wave)) / max(len(cut), 1) * 2


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_baresip_hears_its_echo_over_ipv6(both: tuple[Engine, int, int], tmp_path: Path, transport: str) -> None:
    engine, port, _ = both
    with Baresip(
        tmp_path, (HOST, port), "six", microphone=TONE, register=False, host=HOST, transport=transport
    ) as phone:  # fmt: skip
        phone.command("dial", f"sip:9196@[{HOST}]:{port};transport={transport}")
        until(lambda: level(phone.heard()) > 2_000, 8, what="the phone's own tone in its ear")
        phone.command("hangup")
    engine.wait_idle(8)
    started = [each["data"] for each in engine.events() if each["kind"] == "call.started"]
    assert started[-1]["peer"].startswith(f"{transport}:{HOST}:")


def test_sipp_is_a_trunk_at_ipv6_and_an_ipv4_agent_hears_it(both: tuple[Engine, int, int], tmp_path: Path) -> None:
    """Its RTP echo comes back through the bridge between the families."""
    engine, _, port = both
    with (
        Sipp(tmp_path, "uas_answer.xml", port=port, host=HOST, seconds=20, more=("-rtp_echo",)) as far,
        desk(engine, "200", ready=False) as agent, Ear() as ear,
    ):  # fmt: skip
        time.sleep(0.3)
        dialog = agent.place("0555", media=ear.port)
        assert dialog.expect(200, within=6).status == 200
        dialog.ack()
        ear.start(dialog.media.host, dialog.media.port).play(TONE)
        assert dialog.media.host == "127.0.0.1"
        until(lambda: level(ear.heard(since=time.monotonic() - 1.5)[:-4_000]) > 2_000, 8, what="the trunk's echo")
        dialog.bye()
        far.wait(8).check()
    trunk = next(row for row in engine.ask("trunks") if row["trunk"] == "six")
    assert trunk["addresses"][0]["address"] == f"udp:[{HOST}]:{port}"


def test_what_we_write_has_brackets(both: tuple[Engine, int, int]) -> None:
    """Via, Contact and SDP of an answer, as a phone at ::1 reads them (RFC 3261 §25.1, RFC 4566 §5.7)."""
    _, port, _ = both
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as phone:
        phone.bind((HOST, 0))
        phone.settimeout(4)
        own = f"[{HOST}]:{phone.getsockname()[1]}"
        sdp = f"v=0\r\no=- 1 1 IN IP6 {HOST}\r\ns=-\r\nc=IN IP6 {HOST}\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n"
        head = (
            f"INVITE sip:9196@[{HOST}]:{port} SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bKsix;rport\r\n"
            f"From: <sip:six@[{HOST}]>;tag=six\r\nTo: <sip:9196@[{HOST}]:{port}>\r\n"
            f"Call-ID: six@{own}\r\nCSeq: 1 INVITE\r\n"
            f"Contact: <sip:six@{own}>\r\nMax-Forwards: 70\r\nContent-Type: application/sdp\r\n"
            f"Content-Length: {len(sdp)}\r\n\r\n"
        )
        phone.sendto((head + sdp).encode(), (HOST, port))
        answer = ""
        while " 200 " not in answer.partition("\r\n")[0]:
            answer = phone.recv(4_096).decode()
        assert f"@[{HOST}]:{port}" in next(line for line in answer.split("\r\n") if line.startswith("Contact:"))
        assert f"c=IN IP6 {HOST}\r\n" in answer and "IN IP4" not in answer
        to = next(line for line in answer.split("\r\n") if line.startswith("To:"))
        target = answer.partition("Contact: <")[2].partition(">")[0]
        rest = (
            f"Via: SIP/2.0/UDP {own};branch=z9hG4bK{{0}};rport\r\nFrom: <sip:six@[{HOST}]>;tag=six\r\n{to}\r\n"
            f"Call-ID: six@{own}\r\nCSeq: {{1}}\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        )
        phone.sendto(f"ACK {target} SIP/2.0\r\n{rest.format('a', '1 ACK')}".encode(), (HOST, port))
        phone.sendto(f"BYE {target} SIP/2.0\r\n{rest.format('b', '2 BYE')}".encode(), (HOST, port))
        while "BYE" not in answer:
            answer = phone.recv(4_096).decode()
        assert answer.startswith("SIP/2.0 200")
