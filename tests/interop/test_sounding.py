"""How a call sounds, told by the engine: reports exchanged with real phones, bad lines named, everything for tshark."""

from __future__ import annotations

import json
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import listening
import pytest
from harness import baresip
from harness.baresip import Baresip
from harness.children import Child, until
from harness.linphone import Linphone
from harness.phone import Dialog, Phone
from harness.rough import RoughEar
from harness.rtp import Ear
from harness.server import WORKER, Engine

from tools.load import wire

SPEECH = listening.chirps(311, 20)
FIELDS = (
    "ip.src", "udp.srcport", "udp.dstport", "_ws.malformed", "_ws.expert.severity", "_ws.expert.message",
    "rtp.ssrc", "rtcp.pt", "rtcp.sdes.text", "rtcp.timestamp.ntp.msw", "rtcp.timestamp.ntp.lsw", "rtcp.ssrc.lsr",
    "sip.CSeq.method",
)  # fmt: skip
FIRST = 18_000 + 2_000 * int(WORKER.removeprefix("gw") or 0)
MEDIA = (FIRST, FIRST + 1_999) if WORKER else (16_384, 32_767)  # the engine's ports (`harness.server`)
ERROR = 0x800000  # tshark's severities: 0x600000 is a warning
Rows = list[dict[str, str]]


def tshark(path: Path, port: int) -> Rows:
    """Packets as tshark reads them: media is found by the SDP, as an engineer would have it. Nothing may be wrong."""
    command = ["tshark", "-n", "-r", str(path), "-d", f"udp.port=={port},sip", "-T", "fields", "-E", "separator=|"]
    command += [word for field in FIELDS for word in ("-e", field)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    rows = [dict(zip(FIELDS, line.split("|"), strict=True)) for line in done.stdout.splitlines()]
    assert rows, done.stderr
    malformed = [row for row in rows if row["_ws.malformed"]]
    wrong = [row for row in rows if any(int(each) >= ERROR for each in row["_ws.expert.severity"].split(",") if each)]
    assert (malformed, wrong) == ([], [])
    return rows


@contextmanager
def captured(engine: Engine, path: Path) -> Iterator[None]:
    """What the engine sends and gets by UDP meanwhile, and not another worker's."""
    only = f"udp port {engine.port} or udp portrange {MEDIA[0]}-{MEDIA[1]}"
    watch = Child(["tshark", "-n", "-q", "-i", "lo", "-f", only, "-w", str(path)], path.with_suffix(".txt"))
    watch.wait_for("Capturing on", 10)
    time.sleep(0.5)
    try:
        yield
        time.sleep(0.5)
    finally:
        watch.stop()


def reports(rows: Rows, *, ours: bool, port: int) -> Rows:
    """RTCP between the engine's media ports and a phone's: `port`, where RTP shares it, or the one above."""
    found = []
    for row in rows:
        here, there = ("udp.srcport", "udp.dstport") if ours else ("udp.dstport", "udp.srcport")
        if row["rtcp.pt"] and MEDIA[0] <= int(row[here]) <= MEDIA[1] and int(row[there]) in (port, port + 1):
            found.append(row)
    return found


def stamps(rows: Rows) -> set[int]:
    """The middle bits of the times of sender reports."""
    sent = [(row["rtcp.timestamp.ntp.msw"], row["rtcp.timestamp.ntp.lsw"]) for row in rows]
    return {(int(high) & 0xFFFF) << 16 | int(low) >> 16 for high, low in sent if high}


def answered(rows: Rows) -> set[int]:
    """Which of the other side's reports these name as the last."""
    return {int(each) for row in rows for each in row["rtcp.ssrc.lsr"].split(",") if each} - {0}


def knows_the_way(engine: Engine, caller: str) -> bool:
    """Has his phone answered a report of ours with one of its own?"""
    legs = engine.ask("sound", call=caller)["legs"]
    return bool(legs) and legs[0]["round_trip_us"] >= 0


def quality(engine: Engine, dialled: str, caller: str) -> dict[str, Any]:
    """The caller's leg in the record of his call."""
    legs = json.loads(engine.last_call(dialled=dialled, caller=caller)["quality"])
    return dict(next(leg for leg in legs if leg["leg"] == "caller"))


def test_baresip_and_linphone_report_and_tshark_finds_nothing_wrong(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two echo calls at once, baresip's with reports on its RTP port; each side knows the other's loss and the way."""
    monkeypatch.setattr(baresip, "CONFIG", baresip.CONFIG + "rtcp_mux yes\n")
    path = tmp_path / "wire.pcap"
    with (
        captured(engine, path),
        Baresip(tmp_path, engine.address, "stranger", microphone=SPEECH, register=False) as first,
        Linphone(tmp_path, engine.address, "202", engine.passwords()["202"]) as second,
    ):
        until(lambda: engine.agent("202")["reachable"], 10, what="linphone registered")
        second.call("9196")
        first.wait_event("CALL_ESTABLISHED", after=first.dial("9196"))
        second.child.wait_for(r"Call 1 with .* connected", 10)
        second.say(f"play {listening.write_wav(tmp_path / 'said.wav', SPEECH)}")
        until(lambda: all(knows_the_way(engine, caller) for caller in ("stranger", "202")), 12, what="their reports")
        shown = engine.command("call", "stranger", "sound")
        first.command("hangup")
        second.say("terminate")
        engine.wait_idle(8)
    rows = tshark(path, engine.port)
    assert {"INVITE", "BYE"} <= {row["sip.CSeq.method"] for row in rows}
    sources = {int(row["udp.srcport"]) for row in rows if row["rtp.ssrc"]}
    far = sorted(port for port in sources if not MEDIA[0] <= port <= MEDIA[1])
    assert len(far) == 2, sources
    for port in far:
        sent, came = reports(rows, ours=True, port=port), reports(rows, ours=False, port=port)
        assert sent and came, (port, len(sent), len(came))
        assert all(row["rtcp.pt"].startswith("200,202") for row in sent), "a sender report, then who we are"
        assert len({row["rtcp.sdes.text"] for row in sent}) == 1 and len(sent[0]["rtcp.sdes.text"]) == 16
        assert stamps(sent) & answered(came), "they name our report as the last that they got"
    shared = [port for port in far if any(int(row["udp.srcport"]) == port and row["rtcp.pt"] for row in rows)]
    assert len(shared) == 1, "baresip offered to share, linphone has a port of its own for reports"
    assert len({row["rtcp.sdes.text"] for row in rows if row["rtcp.sdes.text"]}) >= 4, "every leg has its own name"
    for caller in ("stranger", "202"):
        leg = quality(engine, "9196", caller)
        assert leg["mos_in"] > 4 and leg["mos_out"] > 4, leg
        assert 0 <= leg["round_trip_us"] < 300_000 and leg["far_lost"] >= 0, leg
    assert "MOS" in shown.stdout and "there and back" in shown.stdout, shown.stdout + shown.stderr


class Reporter:
    """The RTCP of a scripted phone: says each second that it lost `lost` of ours and got our report `away_s` ago."""

    def __init__(self, ear: Ear, *, fraction: int, lost: int, away_s: float) -> None:
        self.ear, self.fraction, self.lost, self.away_s = ear, fraction, lost, away_s
        self.heard: list[bytes] = []
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.bind(("127.0.0.1", ear.port + 1))
        self._sock.settimeout(0.05)
        self._over = threading.Event()
        self._far = ("", 0)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self, host: str, port: int) -> None:
        self._far = (host, port + 1)
        self._thread.start()

    def close(self) -> None:
        self._over.set()
        self._thread.join(2)
        self._sock.close()

    def _run(self) -> None:
        """Their report is answered when it comes: it was `away_s` on its way, and as long ours will be."""
        while not self._over.is_set():
            try:
                data = self._sock.recv(2_048)
            except TimeoutError:
                continue
            self.heard.append(data)
            ssrc, = struct.unpack_from(">I", data, 4)
            last, = struct.unpack_from(">I", data, 10) if data[1] == 200 else (0,)
            time.sleep(2 * self.away_s)
            block = struct.pack(">IIIIII", ssrc, self.fraction << 24 | self.lost, 0, 40, last, 0)
            self._sock.sendto(struct.pack(">BBHI", 0x81, 201, 7, self.ear.ssrc) + block, self._far)


@pytest.fixture
def bad_line(engine: Engine, caller: Phone) -> Iterator[tuple[Dialog, RoughEar, Reporter]]:
    """An echo call whose caller's network loses 6 % on the way here and 3 % back, 45 ms each way."""
    with RoughEar(loss=0.06, jitter_ms=4, seed=5) as ear:
        reporter = Reporter(ear, fraction=8, lost=9, away_s=0.045)
        dialog = caller.call("9196", sdp=wire.offer("127.0.0.1", ear.port))
        ear.start(dialog.media.host, dialog.media.port)
        reporter.start(dialog.media.host, dialog.media.port)
        ear.play(SPEECH)
        try:
            yield dialog, ear, reporter
        finally:
            reporter.close()


def test_a_bad_line_is_named_while_the_call_lives_and_afterwards(
    engine: Engine, bad_line: tuple[Dialog, RoughEar, Reporter], tmp_path: Path
) -> None:
    dialog, ear, reporter = bad_line
    time.sleep(5)
    legs = engine.ask("sound", call="last")["legs"]
    dialog.bye()
    loss = 100 * ear.lost / ear.sent
    assert reporter.heard and all(data[:2] in (b"\x81\xc8", b"\x80\xc8") for data in reporter.heard)
    leg = quality(engine, "9196", "stranger")
    for told in (legs[0], leg):
        assert abs(100 * told["lost"] / (told["lost"] + told["packets_in"]) - loss) < 2, (told, loss)
        assert 85_000 < told["round_trip_us"] < 140_000 and told["far_lost"] == 9, told
        assert told["side"] == "theirs" and told["cause"].startswith("their network loses "), told
        assert 1 < told["mos_in"] < 4.2 and 1 < told["mos_out"] < 4.3
    told = engine.command("why", "last").stdout
    assert "How it sounded:" in told and "because their network loses" in told and "(their side)" in told, told
    capture = tmp_path / "last.pcapng"
    done = engine.command("tail", "--pcap", str(capture), "last")
    assert done.returncode == 0, done.stderr
    assert tshark(capture, engine.port)
    assert b"BECAUSE their network loses" in capture.read_bytes()


def test_a_phone_behind_a_nat_that_sends_nothing_is_named(engine: Engine, caller: Phone) -> None:
    """9100 is silent: nothing goes to the address that the SDP names."""
    dialog = caller.call("9100", sdp=wire.offer("192.168.1.20", 4_000))
    time.sleep(3.3)
    dialog.bye()
    leg = quality(engine, "9100", "stranger")
    assert (leg["mos_in"], leg["side"]) == (1.0, "theirs")
    assert leg["cause"].startswith(
        "no packets from the phone: its SDP names 192.168.1.20, a private address, and it signals from 127.0.0.1"
    )
