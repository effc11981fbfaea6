"""RTCP of a leg: when and where to it goes, whose is believed, what becomes of it."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from engine.media import columns as c
from engine.media import control, reports, wire
from engine.media.commands import G722, L16_16, LegClosed
from engine.rtp import rtcp, srtp
from tests.media.rig import FAR, Rig, rtp
from tests.media.test_secure import OTHER, secured
from tests.rtp.test_srtp import by_hand

SSRC = 0xABC0
EMPTY = b"\x80\xc9\0\1" + bytes(4)


def talk(rig: Rig, seconds: int = 10, *, first: int = 0, lose: int = 0) -> None:
    """The far end sends a frame each tick."""
    for number in range(first, first + 50 * seconds):
        rig.tick()
        if not lose or number % lose:
            rig.receive(rtp(number, 160 * number))


def block(lost: int = 0, fraction: int = 0, ssrc: int = SSRC, last: int = 0, delay: int = 0) -> bytes:
    body = struct.pack(">IIIIII", ssrc, fraction << 24 | lost, 0, 80, last, delay)
    return struct.pack(">BBHI", 0x81, 201, 7, 99) + body


def test_reports_go_out_beside_the_audio_and_say_what_was_heard() -> None:
    rig = Rig()
    rig.leg()
    rig.clip(1, np.full(8_000 * 12, 1_000, np.int16))
    rig.play(1)
    talk(rig, 12, lose=10)
    assert 2 <= len(rig.reports) <= 5
    gaps = [later.at_us - earlier.at_us for earlier, later in zip(rig.reports, rig.reports[1:], strict=False)]
    assert all(2_500_000 <= gap <= 7_700_000 for gap in gaps)
    for report in rig.reports:
        assert report.to == (FAR, 4_001)
        first, kind, _, ssrc = struct.unpack_from(">BBHI", report.data)
        assert (first, kind, ssrc) == (0x81, 200, SSRC)
        _, _, timestamp, packets, octets = struct.unpack_from(">IIIII", report.data, 8)
        sent = [each for each in rig.sent if each.at_us <= report.at_us]
        assert packets in (len(sent), len(sent) - 1) and octets == 160 * packets
        assert abs(timestamp - (sent[-1].timestamp + 160)) <= 160, "RTP time of the moment at which it was sent"
        assert struct.unpack_from(">I", report.data, 28) == (99,)
        assert 20 <= report.data[32] <= 32, "a tenth of 256"
        assert report.data[-18:-2] == wire.pack_name(b"twelve bytes")[0].to_bytes(8, "little") + wire.pack_name(
            b"twelve bytes"
        )[1].to_bytes(8, "little")


def test_who_sends_nothing_is_a_receiver() -> None:
    rig = Rig()
    rig.leg(send=False)
    talk(rig)
    assert rig.reports
    assert all(each.data[1] == 201 for each in rig.reports)


def test_nobody_is_reported_to_who_has_sent_nothing_and_gets_nothing() -> None:
    rig = Rig()
    rig.leg()
    rig.tick(1_000)
    assert rig.reports == []


@pytest.mark.parametrize(
    ("changes", "to"),
    [({}, (FAR, 4_001)), ({"report_port": 4_777}, (FAR, 4_777)), ({"report_mux": True}, (FAR, 4_000))],
)
def test_where_they_want_them(changes: dict[str, object], to: tuple[str, int]) -> None:
    rig = Rig()
    rig.leg(**changes)
    talk(rig)
    assert {each.to for each in rig.reports} == {to}


def test_behind_a_nat_they_go_to_where_theirs_come_from() -> None:
    rig = Rig()
    rig.leg(report_port=4_777)
    for number in range(400):
        rig.tick()
        rig.receive(rtp(number, 160 * number), host="198.51.100.7", port=61_000)
    assert {each.to for each in rig.reports} == {("198.51.100.7", 61_001)}
    rig.reports.clear()
    rig.receive_report(EMPTY, host="198.51.100.7", port=3_333)
    for number in range(400, 1_000):
        rig.tick()
        rig.receive(rtp(number, 160 * number), host="198.51.100.7", port=61_000)
    assert {each.to for each in rig.reports} == {("198.51.100.7", 3_333)}


def test_without_a_port_for_them_there_are_none_unless_they_share_the_other() -> None:
    rig = Rig()
    rig.apply(control.OPEN_LEG, 0, 1, 50, SSRC, 1, 1)
    rig.set()
    talk(rig)
    assert rig.reports == []
    rig.set(report_mux=True)
    talk(rig, first=500)
    assert rig.reports


def test_the_port_above_the_last_is_none() -> None:
    rig = Rig()
    rig.leg(port=65_535)
    for number in range(500):
        rig.tick()
        rig.receive(rtp(number, 160 * number), port=65_535)
    assert rig.reports == []


@pytest.mark.parametrize("muxed", [False, True])
def test_what_they_say_of_us_is_in_the_figures(muxed: bool) -> None:
    rig = Rig()
    rig.leg(report_mux=muxed)
    talk(rig, 1)
    wall_us = int(rig.plane.settings[c.WALL_US]) + rig.now_us
    ago = (rtcp.middle(wall_us) - (1 << 16) - 6_554) & 0xFFFFFFFF  # a second and 0.1 s of way
    data = block(lost=7, fraction=51, last=ago, delay=1 << 16)
    (rig.receive if muxed else rig.receive_report)(data)
    (rig.receive if muxed else rig.receive_report)(block(lost=9, ssrc=5))
    rig.apply(control.CLOSE_LEG, 0, 1)
    sound = rig.take(LegClosed)[0].sound
    assert (sound.reports, sound.about, sound.far_lost, sound.far_fraction_max) == (2, 1, 7, 51)
    assert abs(sound.round_trip_us - 100_000) < 100 and sound.far_jitter_us == 10_000


def test_strangers_and_noise_are_ignored_and_count_as_no_audio() -> None:
    rig = Rig()
    rig.leg()
    talk(rig, 1)
    rig.receive_report(block(lost=7), host="198.51.100.1")
    rig.receive_report(block(lost=7)[:-1])
    rig.receive(block(lost=7), port=5_999)
    rig.receive_report(b"")
    assert (rig.plane.counters[c.PACKETS_IGNORED], rig.plane.legs[0, c.IGNORED]) == (4, 0)
    assert rig.plane.reports[0, rtcp.HEARD] == 0
    rig.apply(control.CLOSE_LEG, 0, 1)
    assert rig.take(LegClosed)[0].sound.round_trip_us == -1
    rig.receive_report(block(lost=7))
    assert rig.plane.counters[c.REPORTS_HEARD] == 0


def test_figures_of_a_living_leg_are_a_second_old_at_most() -> None:
    rig = Rig()
    rig.leg()
    words = np.zeros(reports.FIGURES, np.int64)
    talk(rig, 3, lose=5)
    reports.read_live(rig.plane.live_shared[0], words)
    live = wire.closed(words.tolist())
    assert live.generation == 1
    assert 70 <= live.packets_in <= 120 and 18 <= live.lost <= 30
    assert live.sound.loss_runs == live.lost


def test_a_leg_begins_without_what_the_row_knew() -> None:
    rig = Rig()
    rig.leg()
    talk(rig, 1)
    rig.receive_report(block(lost=7))
    rig.apply(control.CLOSE_LEG, 0, 1)
    rig.open(generation=2)
    rig.apply(control.CLOSE_LEG, 0, 2)
    first, second = rig.take(LegClosed)
    assert first.sound.about == 1
    assert second == LegClosed(0, 2, *[0] * 10)


@pytest.mark.parametrize("suite", [srtp.CM_80, srtp.CM_32, srtp.GCM])
@pytest.mark.parametrize("muxed", [False, True])
def test_reports_of_a_secured_leg_are_closed_on_whatever_port_they_leave(suite: int, muxed: bool) -> None:
    """RFC 3711 §3.4, opened by our kernels and made again by the second implementation."""
    rig, sender, receiver = secured(suite)
    rig.set(report_mux=muxed)
    for number in range(600):
        rig.tick()
        rig.receive(sender.protect(rtp(number, 160 * number)) or b"")
    assert len(rig.reports) > 1 and {each.to for each in rig.reports} == {(FAR, 4_000 if muxed else 4_001)}
    for index, each in enumerate(rig.reports, 1):
        plain = receiver.unprotect_rtcp(each.data)
        assert plain is not None and plain[:2] == b"\x81\xc9" and struct.unpack_from(">I", plain, 8) == (99,)
        master = OTHER[: srtp.MASTER_BYTES[suite]]
        assert by_hand(suite, plain, 8, SSRC, index, control=True, master=master) == each.data


def test_a_secured_leg_without_a_key_of_ours_reports_nothing() -> None:
    rig, sender, _ = secured()
    rig.apply(control.SET_KEY, 0, 1, -1, c.OUTBOUND)
    for number in range(600):
        rig.tick()
        rig.receive(sender.protect(rtp(number, 160 * number)) or b"")
    assert rig.reports == []


@pytest.mark.parametrize(("codec", "step"), [(0, 160), (G722, 160), (L16_16, 320)])
def test_the_time_in_a_report_counts_as_the_packets_do(codec: int, step: int) -> None:
    """RFC 3550 §6.4.1; G.722's clock runs at 8 kHz (RFC 3551 §4.5.2)."""
    rig = Rig()
    rig.leg(codec_out=codec, payload_type_out=97, codecs_in=((97, codec),))
    rig.clip(1, np.full(8_000 * 12, 1_000, np.int16))
    rig.play(1)
    octets = bytes(640 if codec == L16_16 else 160)
    for number in range(500):
        rig.tick()
        rig.receive(rtp(number, step * number, octets, payload_type=97))
    assert rig.reports
    for each in rig.reports:
        last = [packet for packet in rig.sent if packet.at_us <= each.at_us][-1]
        assert abs(struct.unpack_from(">I", each.data, 16)[0] - (last.timestamp + step)) <= step
    assert rig.sent[1].timestamp - rig.sent[0].timestamp == step


@pytest.mark.parametrize(("codec", "step", "rate"), [(0, 160, 8_000), (L16_16, 320, 16_000)])
def test_their_jitter_is_told_in_the_clock_of_what_they_send(codec: int, step: int, rate: int) -> None:
    """RFC 3550 §6.4.1: whatever we send to them."""
    rig = Rig()
    other = L16_16 if codec == 0 else 0
    rig.leg(codec_out=other, payload_type_out=97, codecs_in=((96, codec), (97, other)))
    octets = bytes(640 if codec == L16_16 else 160)
    for number in range(500):
        rig.tick()
        rig.now_us += 8_000 if number % 2 else -8_000
        rig.receive(rtp(number, step * number, octets, payload_type=96))
    assert rig.reports
    for each in rig.reports:
        jitter = struct.unpack_from(">I", each.data, 20)[0]
        assert 0.007 < jitter / rate < 0.009


def test_another_target_forgets_where_the_reports_of_the_one_before_came_from() -> None:
    """A gateway moves a call to another pair of ports of its own: both streams go there."""
    rig = Rig()
    rig.leg()
    talk(rig, 1)
    rig.receive_report(EMPTY, port=3_333)
    sender = struct.pack(">BBHIIIIII", 0x80, 200, 6, 99, 1, 2, 3, 4, 5)
    rig.receive_report(sender, port=3_333)
    assert rig.plane.legs[0, c.REPORT_LENGTH] == 16 and rig.plane.reports[0, rtcp.SENDER_US] > 0
    rig.set(port=6_000)
    assert rig.plane.legs[0, c.REPORT_LENGTH] == 0 and rig.plane.reports[0, rtcp.SENDER_US] == 0
    for number in range(50, 600):
        rig.tick()
        rig.receive(rtp(number, 160 * number, ssrc=5), port=6_000)
    assert {each.to for each in rig.reports} == {(FAR, 6_001)}


def test_a_refresh_and_the_first_packet_keep_where_reports_come_from() -> None:
    rig = Rig()
    rig.leg()
    rig.receive_report(EMPTY, port=3_333)
    rig.receive(rtp(0, 0))
    rig.set()
    talk(rig, first=1)
    assert {each.to for each in rig.reports} == {(FAR, 3_333)}
