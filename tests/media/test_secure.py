"""A secured leg among plain ones: what it takes, what it sends, and that nothing plain passes."""

from __future__ import annotations

import numpy as np
import pytest

from engine.media import columns as c
from engine.media import control, secure
from engine.media.commands import MediaMissing
from engine.rtp import rtcp, srtp
from tests.media.rig import FAR, Rig, rtp
from tests.rtp.test_srtp import MASTER, RTCP, Side

OTHER = bytes(range(30))


def set_key(rig: Rig, row: int, side: int, suite: int, master: bytes, *streams: int) -> None:
    octets = master[: srtp.MASTER_BYTES[suite]].ljust(32, b"\0")
    words = [int.from_bytes(octets[at : at + 8], "little", signed=True) for at in range(0, 32, 8)]
    rig.apply(control.SET_KEY, row, 1, suite, side, *words, len(streams) // 4, *streams)


def secured(suite: int = srtp.CM_80) -> tuple[Rig, Side, Side]:
    """(a rig whose leg 0 is secured, its far end's sending side, its receiving side)"""
    rig = Rig()
    rig.leg(0)
    set_key(rig, 0, c.INBOUND, suite, MASTER)
    set_key(rig, 0, c.OUTBOUND, suite, OTHER)
    count = srtp.MASTER_BYTES[suite]
    return rig, Side(suite, sending=True, master=MASTER[:count]), Side(suite, sending=False, master=OTHER[:count])


def closed(rig: Rig, packet: bytes, row: int = 0) -> bytes | None:
    """What the loop would put on the wire for a packet that the plane sent."""
    out = np.zeros(1_500, np.uint8)
    out[: len(packet)] = np.frombuffer(packet, np.uint8)
    length = secure.protect(rig.plane, row, out, len(packet))
    return bytes(out[:length]) if length >= 0 else None


@pytest.mark.parametrize("suite", [srtp.CM_80, srtp.CM_32, srtp.GCM])
def test_what_comes_is_opened_and_what_leaves_is_closed(suite: int) -> None:
    rig, sender, receiver = secured(suite)
    rig.leg(1)
    rig.bridge(0, 1)
    heard = rig.receive(sender.protect(rtp(1, 160, b"\x12" * 160)) or b"", 0)
    assert [packet.payload for packet in heard] == [b"\x12" * 160] and heard[0].row == 1
    back = rig.receive(rtp(7, 160, b"\x34" * 160), 1)
    assert [packet.row for packet in back] == [0]
    plain = rtp(back[0].sequence, back[0].timestamp, back[0].payload, ssrc=back[0].ssrc)
    wire = closed(rig, plain)
    assert wire is not None and back[0].payload[:16] not in wire and receiver.unprotect(wire) == plain


def test_nothing_plain_passes_and_no_packet_twice() -> None:
    rig, sender, _ = secured()
    rig.leg(1)
    rig.bridge(0, 1)
    assert rig.receive(rtp(1, 160), 0) == [] and rig.receive(RTCP, 0) == []
    packet = sender.protect(rtp(1, 160)) or b""
    assert rig.receive(packet[:-1] + bytes((packet[-1] ^ 1,)), 0) == []
    assert len(rig.receive(packet, 0)) == 1 and rig.receive(packet, 0) == []
    assert rig.plane.legs[0, c.IGNORED] == 3 and rig.plane.streams[0, c.INBOUND, srtp.REFUSED] == 3
    assert rig.plane.counters[c.PACKETS_IGNORED] == 4, "a report that isn't genuine is no lost audio"


def test_a_stranger_without_the_key_moves_nothing() -> None:
    """Symmetric RTP learns of genuine packets only."""
    rig, sender, _ = secured()
    rig.receive(sender.protect(rtp(1, 160)) or b"", 0)
    for number in range(2, 20):
        rig.now_us += 700_000
        rig.receive(rtp(number, 160 * number), 0, host="198.51.100.66", port=9)
    address = bytes(rig.plane.addresses[0, c.CURRENT])
    assert address[4:8] == bytes(int(part) for part in FAR.split("."))


def test_reports_are_a_sign_of_life() -> None:
    rig, sender, _ = secured()
    rig.receive(sender.protect(rtp(1, 160)) or b"", 0)
    rig.now_us += 2_000_000
    rig.receive(sender.protect_rtcp(bytes.fromhex("80c9000100000063")) or b"", 0)  # an empty receiver report
    assert rig.plane.reports[0, rtcp.HEARD_US] == rig.now_us


def test_packets_under_another_key_are_told() -> None:
    rig, _, _ = secured()
    stranger = Side(srtp.CM_80, sending=True, master=bytes(30))
    for number in range(170):
        rig.receive(stranger.protect(rtp(number, 160 * number)) or b"", 0)
        rig.tick()
    assert rig.take(MediaMissing)[0].refused >= 149


def test_a_side_without_a_key_is_silent() -> None:
    rig, sender, _ = secured()
    rig.apply(control.SET_KEY, 0, 1, -1, c.OUTBOUND)
    assert closed(rig, rtp(1, 160)) is None
    rig.apply(control.SET_KEY, 0, 1, -1, c.INBOUND)
    packet = sender.protect(rtp(1, 160)) or b""
    rig.receive(packet, 0)
    assert rig.plane.legs[0, c.IGNORED] == 1 and rig.plane.legs[0, c.CIPHER] == 1


def test_a_new_key_forgets_the_packets_of_the_old_one() -> None:
    rig, sender, _ = secured()
    rig.receive(sender.protect(rtp(9, 160)) or b"", 0)
    set_key(rig, 0, c.INBOUND, srtp.GCM, OTHER)
    fresh = Side(srtp.GCM, sending=True, master=OTHER[:28])
    rig.receive(fresh.protect(rtp(9, 160)) or b"", 0)
    assert rig.plane.legs[0, c.IGNORED] == 0
    rig.receive(sender.protect(rtp(10, 320)) or b"", 0)
    assert rig.plane.legs[0, c.IGNORED] == 1


def test_numbers_go_on_behind_an_outage() -> None:
    """Three roll-overs behind the start, with what was heard before shut out."""
    rig, sender, receiver = secured()
    for number in range(0, 200_000, 20_000):
        sender.protect(rtp(number, 0))
    last = sender.protect(rtp(200_000, 0)) or b""
    set_key(rig, 0, c.INBOUND, srtp.CM_80, MASTER, 1, 99, 200_000, 0)
    set_key(rig, 0, c.OUTBOUND, srtp.CM_80, OTHER, 1, 0, 131_080, 7)
    rig.receive(last, 0)
    assert rig.plane.legs[0, c.IGNORED] == 1
    rig.receive(sender.protect(rtp(200_001, 0)) or b"", 0)
    assert rig.plane.legs[0, c.IGNORED] == 1
    assert closed(rig, rtp(131_080, 0)) is None  # sent by the dead plane
    wire = closed(rig, rtp(131_081, 0)) or b""
    receiver.row[[srtp.KNOWN, srtp.SSRC, srtp.INDEX]] = 1, 99, 131_000
    assert receiver.unprotect(wire) == rtp(131_081, 0)
    assert rig.plane.streams[0, c.OUTBOUND, srtp.RTCP_INDEX] == 7


def test_the_leg_s_end_wipes_its_keys() -> None:
    rig, _, _ = secured()
    assert rig.plane.sides[0].any() and not rig.plane.secret.any() and not rig.plane.scratch[64:].any()
    rig.apply(control.CLOSE_LEG, 0, 1)
    assert not rig.plane.sides[0].any() and not rig.plane.streams[0].any() and not rig.plane.salts[0].any()
    rig.leg(0)
    assert rig.plane.legs[0, c.CIPHER] == 0
    rig.receive(rtp(1, 160), 0)
    assert rig.plane.legs[0, c.IGNORED] == 0


def test_plain_again() -> None:
    rig, _, _ = secured()
    rig.apply(control.SET_KEY, 0, 1, srtp.PLAIN)
    rig.receive(rtp(1, 160), 0)
    assert rig.plane.legs[0, c.IGNORED] == 0 and not rig.plane.sides[0].any()


@pytest.mark.parametrize("generation", [1, 2])
def test_a_record_holds_no_key_once_it_is_applied(generation: int) -> None:
    """Whether the leg was there or not."""
    rig = Rig()
    rig.leg(0)
    record = np.zeros(c.COMMAND_WORDS, np.int64)
    record[:9] = control.SET_KEY, 0, generation, srtp.CM_80, c.INBOUND, 11, 12, 13, 14
    control.apply(rig.plane, record, rig.now_us)
    assert record[:5].tolist() == [control.SET_KEY, 0, generation, srtp.CM_80, c.INBOUND] and not record[5:].any()
    assert (rig.plane.legs[0, c.CIPHER] == 1) == (generation == 1)


def test_a_payload_type_that_looks_like_a_report_is_audio() -> None:
    """75 with a marker reads as RTCP's 203 (RFC 5761 §4); what we send as audio is closed as audio."""
    rig, _, receiver = secured()
    packet = rtp(3, 160, payload_type=75, marker=1)
    assert receiver.unprotect(closed(rig, packet) or b"") == packet
