"""Bridges: copied on arrival where frames agree, paced where they don't, and the way from one to the other."""

from __future__ import annotations

import random
from itertools import pairwise

import numpy as np
import pytest

from engine.media import columns as c
from engine.media import control, g711
from tests.media.rig import Rig, Sent, encoded, rtp, tone


def bridged(*, one: dict | None = None, other: dict | None = None) -> Rig:
    rig = Rig()
    rig.leg(0, **(one or {}))
    rig.leg(1, **(other or {}))
    rig.receive(rtp(30_000, 0, ssrc=77), 1)  # both have sent: no limit of 5 s
    rig.bridge()
    return rig


def test_a_packet_crosses_at_once_on_the_other_legs_timeline() -> None:
    rig = bridged()
    sent = rig.receive(rtp(5_000, 70_000, b"A" * 160, ssrc=1), 0)
    assert [(packet.row, packet.payload, packet.marker) for packet in sent] == [(1, b"A" * 160, 1)]
    assert (sent[0].ssrc, sent[0].sequence, sent[0].to) == (0xABC1, 100, ("192.0.2.10", 4_001))
    rig.now_us += 20_000
    after = rig.receive(rtp(5_001, 70_160, b"B" * 160, ssrc=1), 0)[0]
    assert (after.sequence, after.marker, after.timestamp - sent[0].timestamp) == (101, 0, 160)
    back = rig.receive(rtp(9, 9, b"C" * 160, ssrc=2), 1)
    assert [(packet.row, packet.payload) for packet in back] == [(0, b"C" * 160)]


def test_payload_types_are_mapped_per_side() -> None:
    rig = bridged(one={"codecs_in": ((96, 0),), "payload_type_out": 96}, other={"codecs_in": ((0, 0),)})
    assert rig.receive(rtp(1, 1, payload_type=96), 0)[0].payload_type == 0
    assert rig.receive(rtp(1, 1, payload_type=0), 1)[0].payload_type == 96
    assert rig.receive(rtp(2, 2, payload_type=0), 0) == []


@pytest.mark.parametrize(("incoming", "outgoing"), [(0, 8), (8, 0)])
def test_the_other_law_is_translated_on_arrival(incoming: int, outgoing: int) -> None:
    rig = bridged(other={"codec_out": outgoing, "payload_type_out": outgoing})
    octets = encoded(tone(0.02), g711.law_of(incoming))
    sent = rig.receive(rtp(1, 1, octets, payload_type=incoming), 0)[0]
    assert sent.payload == g711.encode(g711.decode(octets, g711.law_of(incoming)), g711.law_of(outgoing))
    assert sent.payload_type == outgoing


def test_loss_and_order_stay_visible() -> None:
    rig = bridged()
    numbers = []
    for number in [10, 11, 13, 12, 15]:
        rig.now_us += 20_000
        numbers += [packet.sequence for packet in rig.receive(rtp(number, 160 * number), 0)]
    assert numbers == [100, 101, 103, 102, 105]
    assert rig.plane.legs[1, c.SEQUENCE] == 106


def test_duplicates_do_not_cross() -> None:
    rig = bridged()
    rig.receive(rtp(1, 1), 0)
    assert rig.receive(rtp(1, 1), 0) == []


def test_events_never_cross_and_leave_no_hole() -> None:
    rig = bridged()
    for number in range(3):
        rig.receive(rtp(number, 160 * number), 0)
    for number in range(3, 9):
        assert rig.receive(rtp(number, 480, b"\x05\x0a\x00\xa0", payload_type=101), 0) == []
    rig.receive(rtp(9, 1_440), 0)
    assert [packet.sequence for packet in rig.sent] == [100, 101, 102, 103]
    assert rig.receive(rtp(8, 1_280), 0) == []  # late, from before: its number belongs to another packet now


def test_a_late_event_is_not_taken_for_an_advance() -> None:
    rig = bridged()
    for number in (1, 3):
        rig.receive(rtp(number, 160 * number), 0)
    rig.receive(rtp(2, 320, b"\x05\x0a\x00\xa0", payload_type=101), 0)
    rig.receive(rtp(4, 640), 0)
    assert [packet.sequence for packet in rig.sent] == [100, 102, 103]


def test_another_ssrc_is_anchored_behind_what_was_sent() -> None:
    rig = bridged()
    for number in range(5):
        rig.now_us += 20_000
        rig.receive(rtp(number, 160 * number, ssrc=1), 0)
    rig.now_us += 20_000
    after = rig.receive(rtp(60_000, 4_000_000_000, ssrc=2), 0)[0]
    assert (after.sequence, after.marker) == (105, 1)
    assert after.timestamp == rig.sent[-2].timestamp + 160


@pytest.mark.parametrize("jump", [1_000_000, -1_000_000, 20_000])
def test_a_timestamp_that_jumps_is_anchored_anew(jump: int) -> None:
    rig = bridged()
    for number in range(5):
        rig.now_us += 20_000
        rig.receive(rtp(number, 160 * number), 0)
    rig.now_us += 20_000
    after = rig.receive(rtp(5, 800 + jump), 0)[0]
    assert (after.marker, after.timestamp - rig.sent[-2].timestamp, after.sequence) == (1, 160, 105)


def test_a_pause_passes_through() -> None:
    """The far end was silent for 3 s and its timestamp moved on: so does ours."""
    rig = bridged()
    rig.receive(rtp(1, 160), 0)
    rig.now_us += 3_000_000
    after = rig.receive(rtp(2, 160 + 24_000, marker=1), 0)[0]
    assert (after.timestamp - rig.sent[0].timestamp, after.marker) == (24_000, 1)


def test_a_late_packet_from_before_the_anchor_is_dropped() -> None:
    rig = bridged()
    rig.receive(rtp(50, 8_000), 0)
    assert rig.receive(rtp(48, 7_680), 0) == []
    assert len(rig.receive(rtp(51, 8_160), 0)) == 1


def test_echo_sends_back_in_its_own_frame() -> None:
    rig = Rig()
    rig.leg()
    rig.apply(control.ECHO, 0, 1)
    assert rig.receive(rtp(1, 1, b"Z" * 240), 0)[0].payload == b"Z" * 240
    assert rig.receive(rtp(2, 241, b"Y" * 80), 0)[0].payload == b"Y" * 80


def test_one_source_may_have_many_listeners_and_loses_them() -> None:
    rig = Rig()
    for row in range(4):
        rig.leg(row)
    for row in (0, 1, 3):
        rig.apply(control.HEAR, row, 1, 2, 1)
    assert sorted(packet.row for packet in rig.receive(rtp(1, 1), 2)) == [0, 1, 3]
    rig.apply(control.STOP, 1, 1)
    assert sorted(packet.row for packet in rig.receive(rtp(2, 161), 2)) == [0, 3]
    rig.apply(control.CLOSE_LEG, 2, 1)
    assert rig.plane.legs[0, c.SOURCE] == c.NOTHING
    assert [int(rig.plane.legs[row, c.NEXT_LISTENER]) for row in (0, 1, 3)] == [-1, -1, -1]


def test_a_held_leg_is_not_heard_and_hears_nothing() -> None:
    rig = bridged()
    rig.set(0, receive=False, send=False)
    assert rig.receive(rtp(1, 1), 0) == []
    assert rig.receive(rtp(1, 1), 1) == []
    rig.set(0)
    resumed = rig.receive(rtp(2, 161), 1)[0]
    assert resumed.marker == 1


# --- other frames ------------------------------------------------------------------------------------------
def stream(rig: Rig, samples: np.ndarray, frame_ms: int, *, law: int = 0, first: int = 0, jitter_ms: int = 0,
           loss: float = 0.0, seed: int = 1, start_us: int = -1) -> list[Sent]:
    """Row 0's far end says `samples` in frames; the clock runs in steps of 10 ms. Returns what row 1's end is sent."""
    chance = random.Random(seed)
    octets, size, before = encoded(samples, law), frame_ms * 8, len(rig.sent)
    start = rig.now_us if start_us < 0 else start_us
    arrivals = sorted(
        (start + place * frame_ms * 1_000 + chance.randrange(jitter_ms * 1_000 + 1), place)
        for place in range(len(octets) // size) if chance.random() >= loss
    )
    end = start + len(octets) * 125
    while arrivals or rig.now_us < end:
        while arrivals and arrivals[0][0] <= rig.now_us + 10_000:
            _, place = arrivals.pop(0)
            rig.receive(rtp(first + place, (first + place) * size, octets[place * size : (place + 1) * size],
                            payload_type=8 if law else 0), 0)
        rig.tick(1, fine=True)
    return [packet for packet in rig.sent[before:] if packet.row == 1]


@pytest.mark.parametrize("frame_in", [10, 20, 30, 40, 60])
@pytest.mark.parametrize("frame_out", [10, 20, 30, 40, 60])
def test_every_frame_becomes_every_other(frame_in: int, frame_out: int) -> None:
    rig = bridged(other={"frame_ms_out": frame_out})
    samples = tone(3, 400)
    sent = stream(rig, samples, frame_in)
    assert {len(packet.payload) for packet in sent} == {frame_out * 8}
    assert [later.sequence - earlier.sequence for earlier, later in pairwise(sent)] == [1] * (len(sent) - 1)
    assert {later.timestamp - earlier.timestamp for earlier, later in pairwise(sent)} == {frame_out * 8}
    if frame_in != frame_out:
        assert {later.at_us - earlier.at_us for earlier, later in pairwise(sent)} == {frame_out * 1_000}
    heard = g711.decode(b"".join(packet.payload for packet in sent), 0).astype(float)
    middle = heard[4_000:20_000]
    assert 20 * np.log10(np.abs(np.fft.rfft(middle))[800] / 8_000 / 8_000 * 1) > -1.0  # the tone, at its level
    assert np.abs(np.diff(middle)).max() < 3_200  # a 400 Hz sine of this level steps by 2,500 at most: no click


def worst_step(sent: list[Sent], frame: int = 160) -> float:
    heard = g711.decode(b"".join(packet.payload for packet in sent), 0).astype(float)
    return float(np.abs(np.diff(heard[frame:])).max())


def test_a_change_of_frame_in_mid_call_does_not_click() -> None:
    rig = bridged()
    samples = tone(12, 400)
    stream(rig, samples[:16_000], 20)
    assert rig.plane.legs[1, c.SLOT] == -1
    stream(rig, samples[16_000:40_000], 30, first=67)
    assert rig.plane.legs[1, c.SLOT] >= 0
    stream(rig, samples[40_000:96_000], 20, first=500)
    assert rig.plane.legs[1, c.SLOT] == -1
    mine = [packet for packet in rig.sent if packet.row == 1]
    assert {len(packet.payload) for packet in mine} == {160}
    assert [later.sequence - earlier.sequence for earlier, later in pairwise(mine)] == [1] * (len(mine) - 1)
    assert worst_step(mine) < 4_500


def test_a_single_odd_packet_does_not_flap() -> None:
    rig = bridged()
    stream(rig, tone(1), 20)
    rig.receive(rtp(50, 8_000, b"\x55" * 80), 0)
    assert rig.plane.legs[1, c.SLOT] >= 0
    stream(rig, tone(1), 20, first=51)
    assert rig.plane.legs[1, c.SLOT] >= 0
    stream(rig, tone(2), 20, first=101)
    assert rig.plane.legs[1, c.SLOT] == -1
    assert rig.plane.counters[c.FREE_SLOTS] == c.SLOTS


def test_paced_silence_sends_nothing() -> None:
    rig = bridged(other={"frame_ms_out": 40})
    stream(rig, tone(1), 20)
    before = len(rig.sent)
    rig.tick(100)
    assert len(rig.sent) - before <= 6  # the buffer, then 60 ms of fading
    resumed = stream(rig, tone(1), 20, first=500)
    assert resumed[0].marker == 1


def test_without_a_free_buffer_frames_are_copied_as_they_are() -> None:
    rig = bridged(other={"frame_ms_out": 40})
    rig.plane.counters[c.FREE_SLOTS] = 0
    assert len(rig.receive(rtp(1, 1), 0)[0].payload) == 160
    assert rig.plane.counters[c.SLOTS_EXHAUSTED] == 1


def test_closing_gives_the_buffer_back() -> None:
    rig = bridged(other={"frame_ms_out": 40})
    rig.receive(rtp(1, 1), 0)
    assert rig.plane.counters[c.FREE_SLOTS] == c.SLOTS - 1
    rig.apply(control.CLOSE_LEG, 1, 1)
    assert rig.plane.counters[c.FREE_SLOTS] == c.SLOTS
