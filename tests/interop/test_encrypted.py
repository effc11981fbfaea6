"""Encrypted media with a softphone that we did not write, and no file of the engine that holds a key."""

from __future__ import annotations

import base64
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import listening
import numpy as np
import pytest
from harness.baresip import Baresip
from harness.children import until
from harness.server import Engine
from listening import Samples

from engine.rtp import srtp
from engine.runtime.plane_memory import file_of
from tests.rtp.test_srtp import Side, rtp

TONES = {name: listening.tone((hertz,), 60, level=6_000) for name, hertz in (("caller", 400.0), ("agent", 700.0))}
ONLY = "srtp-mand"  # baresip's word for RTP/SAVP
NUMBERS = "  8700: {dialplan: interop, entry: support, public: yes}\n"
DIALPLAN = """\
ringdown: 1
about: 8700 is the support queue with nothing but music.
entry: support

flows:
  support:
    - answer
    - queue: {name: support, full: over, no_agents: over, timeout: over}
    - hangup: served
  over:
    - hangup: {outcome: failed, cause: 17}
"""


def house(policy: str) -> Engine:
    site = f"srtp: {policy}\nnumbers:\n{NUMBERS}"
    edits = {"queues.yaml": ("wrap_up: 10s", "wrap_up: 1s"), "site.yaml": ("numbers:\n", site)}
    return Engine(edits=edits, extra=DIALPLAN)


@pytest.fixture(scope="module")
def open_house() -> Iterator[Engine]:
    with house("optional") as running:
        yield running


@pytest.fixture
def strict_house() -> Iterator[Engine]:
    with house("required") as running:
        yield running


def level(samples: Samples, hertz: float) -> float:
    """How loud a tone is in the last half second of what was heard."""
    cut = np.asarray(samples, float)[-4_000:]
    wave = np.exp(-2j * np.pi * hertz * np.arange(len(cut)) / listening.RATE)
    return float(abs(cut @ wave)) / max(len(cut), 1) * 2


def hears(phone: Baresip, hertz: float, since: int = 0, what: str = "") -> None:
    until(lambda: level(phone.heard()[since:], hertz) > 2_000, 8, what=what or f"{hertz} Hz in {phone.user}'s ear")


def keys_of(phone: Baresip) -> list[str]:
    """The keys of both sides, as they stood in the messages on the wire."""
    return re.findall(r"a=crypto:\d+ \S+ inline:([A-Za-z0-9+/=]{38,40})", phone.child.output())


def answered_profile(phone: Baresip) -> str:
    return re.findall(r"m=audio \d+ (\S+)", phone.child.output())[-1]


@pytest.mark.parametrize(("transport", "way", "profile"), [
    ("udp", "srtp", "RTP/AVP"), ("tcp", "srtp-mand", "RTP/SAVP"),
])
def test_baresip_hears_its_echo_encrypted(
    open_house: Engine, tmp_path: Path, transport: str, way: str, profile: str
) -> None:
    with Baresip(
        tmp_path, open_house.address, "stranger", microphone=TONES["caller"], register=False, transport=transport,
        srtp=way,
    ) as phone:  # fmt: skip
        phone.command("dial", f"sip:9196@127.0.0.1:{open_house.port};transport={transport}")
        hears(phone, 400.0)
        assert answered_profile(phone) == profile and len(set(keys_of(phone))) >= 2
        phone.command("hangup")
    open_house.wait_idle(8)


def test_encrypted_caller_and_plain_agent(open_house: Engine, tmp_path: Path) -> None:
    """Each leg by its own rule; the bridge between them knows plain packets."""
    words = open_house.passwords()
    with (
        Baresip(tmp_path, open_house.address, "safe", microphone=TONES["caller"], register=False, srtp=ONLY) as caller,
        Baresip(tmp_path, open_house.address, "200", words["200"], microphone=TONES["agent"]) as agent,
    ):
        agent.registered()
        open_house.login("200")
        caller.wait_event("CALL_ESTABLISHED", after=caller.dial("8700"))
        agent.wait_event("CALL_INCOMING", 8)
        agent.command("accept")
        hears(agent, 400.0)
        hears(caller, 700.0)
        caller.command("hangup")
        agent.wait_event("CALL_CLOSED", 8)
    open_house.logout("200")
    open_house.wait_idle(8)


class FarEnd:
    """Media of a scripted phone: keys chosen by the test, packets made by the RFCs' rules."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0.05)
        self.number, self.says, self.hears = 0, Side(srtp.CM_80, sending=True), Side(srtp.CM_80, sending=False)
        self.target = ("127.0.0.1", 0)

    def offer(self, key: bytes, version: int) -> str:
        """An offer with this key of ours, after which packets are made under it."""
        self.says = Side(srtp.CM_80, sending=True, master=key)
        text = base64.b64encode(key).decode()
        return (
            f"v=0\r\no=- 1 {version} IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
            f"m=audio {self.socket.getsockname()[1]} RTP/SAVP 0\r\n"
            f"a=crypto:4 AES_CM_128_HMAC_SHA1_80 inline:{text}\r\n"
        )

    def answered(self, sdp: str) -> str:
        """Take the answer's key and port; the key."""
        self.target = ("127.0.0.1", int(re.findall(r"m=audio (\d+) RTP/SAVP", sdp)[0]))
        (key,) = re.findall(r"a=crypto:4 AES_CM_128_HMAC_SHA1_80 inline:(\S{40})", sdp)
        return str(key)

    def echoes(self, packets: int, *, plain: bool = False) -> int:
        """Say so many packets; how many came back genuine."""
        back = 0
        for _ in range(packets):
            self.number += 1
            packet = rtp(self.number, bytes([self.number & 0x7F]) * 160)
            sent = packet if plain else self.says.protect(packet)
            assert sent is not None
            self.socket.sendto(sent, self.target)
            try:
                heard = self.socket.recv(2_048)
            except TimeoutError:
                continue
            opened = self.hears.unprotect(heard)
            back += opened is not None and opened[12:] == packet[12:]
        return back


def test_a_re_invite_changes_the_key_and_nothing_plain_is_heard(open_house: Engine) -> None:
    """A scripted phone that knows its keys: another one mid-call, packets in clear, and one packet twice."""
    far, first, second = FarEnd(), bytes(range(30)), bytes(range(100, 130))
    with open_house.phone("keyed", secret=False) as phone:
        dialog = phone.call("9196", sdp=far.offer(first, 1))
        assert dialog.final is not None
        key = far.answered(dialog.final.body.decode())
        far.hears = Side(srtp.CM_80, sending=False, master=base64.b64decode(key))
        assert far.echoes(10) >= 8
        assert far.echoes(5, plain=True) == 0
        reply = dialog.offer(far.offer(second, 2))
        assert reply.status == 200 and far.answered(reply.body.decode()) == key  # ours stays: its packets count on
        time.sleep(0.2)
        assert far.echoes(10) >= 8
        far.says = Side(srtp.CM_80, sending=True, master=first)
        assert far.echoes(5) == 0
        dialog.bye()
    far.socket.close()
    open_house.wait_idle(8)


def test_both_go_on_after_a_crash_and_no_file_holds_a_key(strict_house: Engine, tmp_path: Path) -> None:
    engine = strict_house
    words, memory = engine.passwords(), file_of(engine.data)
    vault = memory.with_suffix(".keys")
    with (
        Baresip(tmp_path, engine.address, "safe", microphone=TONES["caller"], register=False, srtp=ONLY) as caller,
        Baresip(tmp_path, engine.address, "200", words["200"], microphone=TONES["agent"], srtp=ONLY) as agent,
    ):
        agent.registered()
        engine.login("200")
        caller.wait_event("CALL_ESTABLISHED", after=caller.dial("8700"))
        agent.wait_event("CALL_INCOMING", 8)
        agent.command("accept")
        hears(agent, 400.0)
        hears(caller, 700.0)
        call = engine.ask("calls")[0]["call"]
        shown = engine.command("why", call, "--sip").stdout
        assert vault.stat().st_mode & 0o777 == 0o600
        before = vault.read_bytes()
        engine.kill()
        time.sleep(0.3)
        engine.start()
        places = agent.mark(), caller.mark()
        time.sleep(0.7)
        hears(agent, 400.0, places[0], "the caller after the crash")
        hears(caller, 700.0, places[1], "the agent after the crash")
        keys = list(dict.fromkeys(keys_of(caller) + keys_of(agent)))
        caller.command("hangup")
        agent.wait_event("CALL_CLOSED", 8)
    engine.wait_idle(8)
    raw = [base64.b64decode(key) for key in keys]
    used = [key for key in raw if key in before]
    assert len(keys) >= 4 and len(used) >= 4, "the vault held the keys of both legs while they talked"
    assert not any(key in vault.read_bytes() for key in used), "a call's end wipes its keys"
    # what tshark is to read of the wire is no file of the engine's; there SDES lies in the open over UDP
    wire = set(engine.folder.glob("wire-*.pcap"))
    searched = [path for path in (*engine.folder.rglob("*"), memory) if path.is_file() and path not in wire]
    assert any(path.suffix == ".journal" for path in searched)
    for path in searched:
        content = path.read_bytes()
        for key, octets in zip(keys, raw, strict=True):
            for form in (key.encode(), key.rstrip("=").encode(), octets, octets[:16], octets.hex().encode()):
                assert form not in content, f"a key in {path}"
    assert not any(key in shown for key in keys)
    with Baresip(tmp_path, engine.address, "plain", register=False) as plain:
        plain.dial("9196")
        closed = plain.wait_event("CALL_CLOSED", 5)
        assert "488" in str(closed.get("param"))
    engine.stop()
    assert not vault.exists()
