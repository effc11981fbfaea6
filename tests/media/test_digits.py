"""Digits out: RFC 4733 packets to the letter, or the tones themselves."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from engine.media import columns as c
from engine.media import commands as m
from engine.media import control, g711, wire
from tests.media.rig import Rig, Sent, rtp, tone


def events(sent: list[Sent]) -> list[tuple[int, int, int]]:
    """(code, end, duration) of each telephone-event packet."""
    return [
        (packet.payload[0], packet.payload[1] >> 7, int.from_bytes(packet.payload[2:4], "big"))
        for packet in sent if packet.payload_type == 101
    ]


def test_one_digit_packet_by_packet() -> None:
    rig = Rig()
    rig.leg()
    rig.digits("7", on_ms=100)
    sent = rig.tick(12)
    assert events(sent) == [(7, 0, 160), (7, 0, 320), (7, 0, 480), (7, 0, 640), (7, 1, 800), (7, 1, 800), (7, 1, 800)]
    assert [packet.marker for packet in sent] == [1, 0, 0, 0, 0, 0, 0]
    assert len({packet.timestamp for packet in sent}) == 1
    assert [packet.sequence for packet in sent] == list(range(100, 107))
    assert {later.at_us - earlier.at_us for earlier, later in pairwise(sent)} == {20_000}


def test_one_digit_after_another_with_its_gap() -> None:
    rig = Rig()
    rig.leg()
    rig.digits("1*#D", on_ms=60, gap_ms=60)
    sent = rig.tick(60)
    starts = [packet for packet in sent if packet.marker]
    assert [packet.payload[0] for packet in starts] == [1, 10, 11, 15]
    assert {later.at_us - earlier.at_us for earlier, later in pairwise(starts)} == {120_000}
    assert {later.timestamp - earlier.timestamp for earlier, later in pairwise(starts)} == {960}


def test_what_plays_is_suspended_and_goes_on_where_it_was() -> None:
    rig = Rig()
    samples = tone(1)
    rig.clip(1, samples)
    rig.leg()
    rig.play(1)
    rig.tick(5)
    rig.digits("5")
    rig.tick(60)
    audio = [packet for packet in rig.sent if packet.payload_type == 0]
    assert b"".join(packet.payload for packet in audio) == g711.encode(samples, 0)
    digit = [packet for packet in rig.sent if packet.payload_type == 101]
    assert not any(digit[0].at_us <= packet.at_us <= digit[-1].at_us for packet in audio)
    resumed = audio[5]
    assert resumed.marker == 1
    assert resumed.timestamp - digit[0].timestamp == (resumed.at_us - digit[0].at_us) // 125


def test_a_bridge_is_suspended_and_resumes() -> None:
    rig = Rig()
    rig.leg(0)
    rig.leg(1)
    rig.bridge()
    rig.digits("5", row=1)
    for number in range(30):
        rig.tick(1)
        rig.receive(rtp(number, 160 * number), 0)
    mine = [packet for packet in rig.sent if packet.row == 1]
    kinds = [packet.payload_type for packet in mine]
    assert kinds == [101] * 7 + [0] * (len(kinds) - 7) and len(kinds) > 20
    assert mine[7].marker == 1
    assert [packet.sequence for packet in mine] == list(range(100, 100 + len(mine)))


def test_without_telephone_event_the_tones_are_sent() -> None:
    rig = Rig()
    rig.leg(events_out=-1)
    rig.digits("8", on_ms=100)
    sent = rig.tick(20)
    assert {packet.payload_type for packet in sent} == {0}
    samples = g711.decode(b"".join(packet.payload for packet in sent), 0)[:800]
    spectrum = np.abs(np.fft.rfft(samples.astype(float), 8_000))
    assert abs(int(spectrum[:1_000].argmax()) - 852) <= 6
    assert abs(1_000 + int(spectrum[1_000:].argmax()) - 1_336) <= 6
    assert [packet.timestamp - sent[0].timestamp for packet in sent] == [160 * n for n in range(len(sent))]


def test_tones_keep_the_sound_flowing_to_the_end_of_their_gaps() -> None:
    """A phone may hold back what it hears until its buffer is full: 200 ms of each press, never a tone alone."""
    rig = Rig()
    rig.leg(events_out=-1)
    rig.digits("55", on_ms=90, gap_ms=110)
    sent = rig.tick(40)
    assert [packet.timestamp - sent[0].timestamp for packet in sent] == [160 * n for n in range(20)]
    assert {later.at_us - earlier.at_us for earlier, later in pairwise(sent)} == {20_000}
    levels = [float(np.abs(g711.decode(packet.payload, 0).astype(float)).max()) for packet in sent]
    assert [level > 1_000 for level in levels] == ([True] * 5 + [False] * 5) * 2
    assert max(levels[5:10]) < 10


def test_tones_can_be_wanted_although_events_were_agreed() -> None:
    rig = Rig()
    rig.leg()
    rig.apply(*wire.pack_digits(m.SendDigits(0, 1, "5", 60, 60, tones=True)))
    rig.digits("6", on_ms=60)
    sent = rig.tick(30)
    assert [packet.payload_type for packet in sent] == [0] * (3 + 3) + [101] * 5
    assert {code for code, _, _ in events(sent)} == {6}


def test_a_late_tick_skips_packets_of_the_digit() -> None:
    rig = Rig()
    rig.leg()
    rig.digits("3", on_ms=200)
    rig.tick(2)
    rig.now_us += 80_000
    sent = rig.tick(1)
    assert events(sent) == [(3, 0, 7 * 160)]


@pytest.mark.parametrize(("asked", "sent"), [(0, 320), (20, 320), (100_000, 64_000)])
def test_durations_are_bounded(asked: int, sent: int) -> None:
    rig = Rig()
    rig.leg()
    rig.digits("3", on_ms=asked)
    assert rig.plane.legs[0, c.DIGIT_ON] == sent
    rig.tick(500)
    durations = [duration for _, end, duration in events(rig.sent) if end]
    assert durations == ([sent] * 3 if asked < 1_000 else durations)


def test_the_queue_is_bounded_and_drains() -> None:
    rig = Rig()
    rig.leg()
    rig.receive(rtp(1, 1))  # a confirmed address: more than 5 s are sent
    for _ in range(3):
        rig.digits("1234567890" * 5, on_ms=40, gap_ms=40)
    assert rig.plane.legs[0, c.DIGIT_COUNT] == c.DIGITS_QUEUED
    rig.tick(c.DIGITS_QUEUED * 10)
    assert rig.plane.legs[0, c.DIGIT_COUNT] == 0
    assert len([packet for packet in rig.sent if packet.marker]) == c.DIGITS_QUEUED


def test_a_leg_that_may_not_send_lets_its_digits_pass() -> None:
    rig = Rig()
    rig.leg(send=False)
    rig.digits("12")
    assert rig.tick(40) == []
    assert rig.plane.legs[0, c.DIGIT_PHASE] == 0
    rig.apply(control.STOP, 0, 1)
