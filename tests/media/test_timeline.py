"""One SSRC, sequence and timestamp for life, through every change of source."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.media import columns as c
from engine.media import control, timeline
from tests.media.rig import Rig, Sent, rtp, tone


def continuous(sent: list[Sent]) -> None:
    """Sequence numbers without a hole, timestamps that never go back, one SSRC."""
    for earlier, later in pairwise(sent):
        assert later.sequence == (earlier.sequence + 1) & 0xFFFF
        assert 0 <= (later.timestamp - earlier.timestamp) & 0xFFFFFFFF < 1 << 31
        assert later.ssrc == earlier.ssrc


def test_the_timeline_begins_where_it_was_told() -> None:
    rig = Rig()
    rig.clip(1, tone(1))
    rig.open(0, sequence=65_535, timestamp=2**32 - 100)
    rig.set(0)
    rig.play(1)
    first, second = rig.tick(2)
    assert (first.sequence, first.ssrc, first.marker) == (65_535, 0xABC0, 1)
    assert (second.sequence, second.marker) == (0, 0)
    assert second.timestamp == (first.timestamp + 160) & 0xFFFFFFFF


def test_silence_advances_the_timestamp_without_packets_and_marks_what_follows() -> None:
    rig = Rig()
    rig.clip(1, tone(0.1))
    rig.leg()
    rig.play(1)
    before = rig.tick(5)[-1]
    assert rig.tick(100) == []  # 2 s of silence
    rig.play(1)
    after = rig.tick(1)[0]
    assert after.marker == 1
    assert after.timestamp - before.timestamp == 101 * 160
    assert after.sequence == before.sequence + 1


def test_a_change_of_source_is_marked_and_goes_on() -> None:
    rig = Rig()
    rig.clip(1, tone(5))
    rig.leg(0)
    rig.leg(1)
    rig.play(1)
    rig.tick(10)
    rig.apply(control.HEAR, 0, 1, 1, 1)
    for number in range(10):
        rig.now_us += 20_000
        rig.receive(rtp(700 + number, 50_000 + 160 * number), 1)
    rig.play(1)
    rig.tick(10)
    mine = [packet for packet in rig.sent if packet.row == 0]
    continuous(mine)
    assert [place for place, packet in enumerate(mine) if packet.marker] == [0, 10, 20]


def test_late_ticks_skip_frames_and_never_burst() -> None:
    rig = Rig()
    rig.clip(1, tone(5))
    rig.leg()
    rig.play(1)
    before = rig.tick(3)[-1]
    rig.now_us += 100_000  # a stall: five ticks missed
    sent = rig.tick(2)
    assert len(sent) == 2
    assert sent[0].timestamp - before.timestamp == 6 * 160
    assert (sent[0].marker, sent[1].marker) == (1, 0)
    assert sent[1].timestamp - sent[0].timestamp == 160
    assert rig.plane.counters[c.FRAMES_MISSED] == 5
    continuous(rig.sent)


def test_what_was_missed_is_not_lost_from_the_prompt() -> None:
    """A stall delays a prompt; it doesn't cut a word out."""
    rig = Rig()
    rig.clip(1, tone(1))
    rig.leg()
    rig.play(1)
    rig.tick(10)
    rig.now_us += 200_000
    rig.tick(60)
    heard = b"".join(packet.payload for packet in rig.sent)
    assert heard == bytes(rig.plane.audio[rig.taken - 16_000 : rig.taken - 8_000])


def test_nothing_is_sent_before_the_leg_is_set_or_while_it_may_not() -> None:
    rig = Rig()
    rig.clip(1, tone(5))
    rig.open()
    rig.play(1)
    assert rig.tick(5) == []
    rig.set(send=False)
    assert rig.tick(5) == []
    rig.set()
    assert len(rig.tick(5)) == 5
    rig.set(host="0.0.0.0", send=False)  # hold
    assert rig.tick(5) == []
    rig.set()
    resumed = rig.tick(1)[0]
    assert resumed.marker == 1
    continuous(rig.sent)


def test_an_address_that_never_sends_gets_five_seconds() -> None:
    rig = Rig()
    rig.clip(1, tone(20))
    rig.leg()
    rig.play(1)
    assert len(rig.tick(400)) == 250
    rig.receive(rtp(1, 1))
    assert len(rig.tick(300)) == 300


def test_a_new_signalled_address_has_its_own_five_seconds() -> None:
    rig = Rig()
    rig.clip(1, tone(30))
    rig.leg()
    rig.play(1)
    rig.tick(260)
    rig.set(host="192.0.2.77")
    assert len(rig.tick(400)) == 250
    rig.set(host="192.0.2.77")  # a refresh is no new address
    assert rig.tick(10) == []


def test_frames_of_every_length_keep_their_pace() -> None:
    for frame_ms in (10, 20, 30, 40, 60):
        rig = Rig()
        rig.clip(1, tone(3))
        rig.leg(frame_ms_out=frame_ms)
        rig.play(1)
        sent = rig.tick(60, fine=frame_ms % 20 > 0)
        assert {len(packet.payload) for packet in sent} == {frame_ms * 8}
        assert {later.at_us - earlier.at_us for earlier, later in pairwise(sent)} == {frame_ms * 1_000}
        assert {later.timestamp - earlier.timestamp for earlier, later in pairwise(sent)} == {frame_ms * 8}
        assert rig.plane.counters[c.FINE_LEGS] == (1 if frame_ms % 20 else 0)
        rig.apply(control.CLOSE_LEG, 0, 1)
        assert rig.plane.counters[c.FINE_LEGS] == 0


def test_a_frame_may_change_in_the_middle_of_a_play() -> None:
    rig = Rig()
    samples = tone(1)
    rig.clip(1, samples)
    rig.leg()
    rig.play(1)
    rig.tick(10)
    rig.set(frame_ms_out=60)
    rig.tick(6)
    rig.set(codec_out=8, payload_type_out=8, frame_ms_out=60)
    rig.tick(50)
    lengths = [len(packet.payload) for packet in rig.sent]
    assert lengths[:10] == [160] * 10 and set(lengths[10:]) == {480}
    assert sum(lengths) >= samples.size
    assert {packet.payload_type for packet in rig.sent} == {0, 8}
    continuous(rig.sent)


def test_begin_talkspurt_never_goes_back() -> None:
    rig = Rig()
    rig.leg()
    leg = rig.plane.legs[0]
    leg[c.DUE_US] = rig.now_us + 15_000
    before = int(leg[c.TIMESTAMP])
    timeline.begin_talkspurt(rig.plane, 0, rig.now_us)
    assert leg[c.TIMESTAMP] == before


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(["play", "stop", "digits", "hear", "echo", "stall", "wait", "packets"]), max_size=25))
def test_any_sequence_of_sources_keeps_one_timeline(acts: list[str]) -> None:
    rig = Rig()
    rig.clip(1, tone(0.3))
    rig.leg(0)
    rig.leg(1)
    number = 0
    for act in acts:
        if act == "play":
            rig.play(1)
        elif act == "stop":
            rig.apply(control.STOP, 0, 1)
        elif act == "digits":
            rig.digits("5")
        elif act == "hear":
            rig.apply(control.HEAR, 0, 1, 1, 1)
        elif act == "echo":
            rig.apply(control.ECHO, 0, 1)
        elif act == "stall":
            rig.now_us += 90_000
        elif act == "wait":
            rig.tick(7)
        for _ in range(5):
            rig.tick(1)
            number += 1
            for row in range(2):
                rig.receive(rtp(number, 160 * number, ssrc=row), row)
    mine = [packet for packet in rig.sent if packet.row == 0]
    for earlier, later in pairwise(mine):
        assert later.sequence == (earlier.sequence + 1) & 0xFFFF
        assert (later.timestamp - earlier.timestamp) & 0xFFFFFFFF < 1 << 31
    audio = [packet for packet in mine if packet.payload_type == 0]
    for earlier, later in pairwise(audio):
        elapsed = (later.at_us - earlier.at_us) // 125
        assert ((later.timestamp - earlier.timestamp) & 0xFFFFFFFF) <= elapsed + 200
    assert rig.plane.counters[c.SEND_FAILED] == 0
