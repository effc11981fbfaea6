"""The judge of captures itself: what is sound passes; each kind of wrong is found, with its maker and its test."""

from __future__ import annotations

import socket
import struct
import time
from pathlib import Path

import pytest
from harness import shark
from harness.ports import free_port
from harness.server import Engine

OURS, PHONE, AUDIO, EAR = 11_000, 11_002, 20_000, 11_004
PORTS = shark.Ports((OURS,), media=(20_000, 20_009))
BEGAN = 1_000.0
SDP = f"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {AUDIO} RTP/AVP 0\r\n"
HEAD = (
    f"Via: SIP/2.0/UDP 127.0.0.1:{OURS};branch=z9hG4bK1\r\nMax-Forwards: 70\r\nFrom: <sip:a@127.0.0.1>;tag=1\r\n"
    f"To: <sip:b@127.0.0.1>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\nContact: <sip:a@127.0.0.1:{OURS}>\r\n"
)
INVITE = f"INVITE sip:b@127.0.0.1 SIP/2.0\r\n{HEAD}Content-Type: application/sdp\r\n"
RTP = struct.pack(">BBHII", 0x80, 0, 1, 160, 7) + bytes(160)
SENDER = struct.pack(">BBHIIIIII", 0x80, 200, 6, 7, 0, 0, 160, 1, 160)
CUT = SENDER[:3] + b"\x09" + SENDER[4:]  # it says that it is longer than it is


def invite(body: str = SDP) -> bytes:
    return f"{INVITE}Content-Length: {len(body)}\r\n\r\n{body}".encode()


def pcap(path: Path, *frames: tuple[int, int, bytes]) -> Path:
    """UDP at 127.0.0.1: (source port, destination port, payload), a second apart."""
    data = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 1)
    for number, (source, target, payload) in enumerate(frames):
        udp = struct.pack(">HHHH", source, target, len(payload) + 8, 0) + payload
        head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, len(udp) + 20, 1, 0, 64, 17, 0, *[b"\x7f\x00\x00\x01"] * 2)
        frame = bytes(12) + b"\x08\x00" + head + udp
        data += struct.pack("<IIII", int(BEGAN) + number, 0, len(frame), len(frame)) + frame
    path.write_bytes(data)
    return path


@pytest.fixture(autouse=True)
def _tests_then(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Two tests ran: a polite one, and from the second second on one that is rude."""
    names = [(BEGAN, "tests/interop/test_polite.py::test_a"), (BEGAN + 1, "tests/interop/test_edge.py::test_b[1]")]
    notes = shark.Notes(on=True, tests=[*names, *shark.NOTES.tests[-1:]])
    monkeypatch.setattr(shark, "NOTES", notes)
    monkeypatch.setattr(shark, "KEEP", tmp_path / "kept")


def wrong(tmp_path: Path, *frames: tuple[int, int, bytes]) -> list[str]:
    return shark.read(pcap(tmp_path / "a.pcap", *frames), PORTS).wrong


def test_a_sound_call_passes(tmp_path: Path) -> None:
    path = pcap(tmp_path / "a.pcap", (OURS, PHONE, invite()), (AUDIO, EAR, RTP), (AUDIO + 1, EAR + 1, SENDER))
    assert shark.read(path, PORTS) == shark.Reading(3, 1, 1, 1, [])


def test_nothing_said_is_nothing_wrong(tmp_path: Path) -> None:
    assert shark.read(pcap(tmp_path / "a.pcap"), PORTS) == shark.Reading(0, 0, 0, 0, [])


@pytest.mark.parametrize(
    ("source", "data", "said"),
    [
        (AUDIO + 1, CUT, "malformed"),
        (OURS, invite("this is no SDP\r\n"), "malformed"),
        (OURS, b"Here stands something, but no SIP", "not SIP"),
        (OURS, invite().replace(b"Content-Length: ", b"Content-Length: x"), "malformed"),
    ],
    ids=["rtcp", "sdp", "no sip", "length"],
)
def test_what_is_wrong_with_ours_is_found(tmp_path: Path, source: int, data: bytes, said: str) -> None:
    """In a rude test too: frame, whose, ports, what, and when."""
    found = wrong(tmp_path, (OURS, PHONE, invite()), (source, EAR + 1, data))
    assert len(found) == 1, found
    assert found[0].startswith(f"frame 2, the engine's, port {source} to {EAR + 1}, "), found
    assert said in found[0] and found[0].endswith("during tests/interop/test_edge.py::test_b[1]"), found


def test_a_far_ends_garbage_is_excused_in_rude_tests_alone(tmp_path: Path) -> None:
    bad = (PHONE, OURS, invite("this is no SDP\r\n"))
    found = wrong(tmp_path, bad, bad)
    assert len(found) == 1 and found[0].startswith("frame 1, a far end's"), found
    assert found[0].endswith("during tests/interop/test_polite.py::test_a"), found


@pytest.mark.parametrize(("module", "faults"), [("test_polite", 1), ("test_encrypted", 0)])
def test_reports_are_noise_where_a_plain_profile_is_encrypted(tmp_path: Path, module: str, faults: int) -> None:
    """tshark takes them for plain ones: what they then seem to hold is chance."""
    shark.NOTES.tests[:] = [(BEGAN, f"tests/interop/{module}.py::test_a")]
    assert len(wrong(tmp_path, (OURS, PHONE, invite()), (EAR + 1, AUDIO + 1, CUT))) == faults
    bad = (OURS, PHONE, invite("this is no SDP\r\n"))
    assert len(wrong(tmp_path, bad)) == 1  # nothing else is excused there


def send(source: int, target: int, *payloads: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", source))
        for payload in payloads:
            sock.sendto(payload, ("127.0.0.1", target))


def test_a_bad_frame_on_the_wire_fails_and_its_file_is_kept(tmp_path: Path) -> None:
    port = free_port()
    watch = shark.Watch(tmp_path, shark.Ports((port,), media=(1, 1)))
    watch.ready()
    send(port, free_port(), invite(), invite("this is no SDP\r\n"))
    time.sleep(0.3)
    with pytest.raises(AssertionError, match=r"1 frames wrong in .*\nframe 2, the engine's") as told:
        watch.judge()
    kept = list((tmp_path / "kept").iterdir())
    assert len(kept) == 1 and str(kept[0]) in str(told.value)
    assert shark.read(kept[0], watch.ports).sip == 2
    watch.judge()  # a second end is none


def test_a_flood_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shark, "frames_max", 10)
    port = free_port()
    watch = shark.Watch(tmp_path, shark.Ports((port,), media=(1, 1)))
    watch.ready()
    send(port, free_port(), *[invite()] * 50)
    time.sleep(0.3)
    watch.judge()
    assert shark.NOTES.frames == 10 and "10 SIP" in shark.NOTES.said[0] and "no more were taken" in shark.NOTES.said[0]


def test_an_engine_that_stops_is_judged() -> None:
    """A bad packet from its port, after it has gone but before its end is declared, is found in its capture."""
    with pytest.raises(AssertionError, match="frames wrong in"), Engine() as engine:
        with engine.phone("stranger", secret=False) as phone:
            phone.call("9196").bye()
        engine.kill()
        send(engine.port, free_port(), invite("this is no SDP\r\n"))
        time.sleep(0.3)
