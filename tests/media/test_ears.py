"""Ears: frames told on arrival, gaps, order, silence, what was sent beside them, and rings that fill."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest

from engine.media import columns as c
from engine.media import control, ears, g711, rings
from tests.media.rig import Rig, encoded, rtp, tone

HEADER = struct.Struct(ears.HEADER)


class Told:
    """One frame, taken apart."""

    def __init__(self, words: np.ndarray) -> None:
        (self.ear, self.flags, self.token, self.at_us, self.number, self.dropped,
         self.missing) = HEADER.unpack(words[: c.EAR_HEADER].tobytes())
        self.said = words[c.EAR_HEADER : c.EAR_HEADER + 160]
        self.sent = words[c.EAR_HEADER + 160 :]


def drain(rig: Rig, *numbers: int, room: int = 64) -> list[Told]:
    target = np.zeros((room, c.EAR_WORDS), np.int16)
    wanted = np.array(numbers or (0,), np.int64)
    count = ears.drain(rig.plane.ear_frames, rig.plane.ear_shared, wanted, wanted.size, target)
    return [Told(row) for row in target[:count].copy()]


def listening(ear: int = 0, **changes: Any) -> Rig:
    rig = Rig()
    rig.leg(0, **changes)
    rig.apply(control.START_EAR, 0, 1, ear, 77)
    return rig


def decoded(samples: np.ndarray) -> np.ndarray:
    return g711.decode(encoded(samples), 0)


SPEECH = tone(1.0, 300.0)


def packet(number: int, samples: np.ndarray = SPEECH, size: int = 160, **changes: Any) -> bytes:
    """The numberth packet of a stream."""
    part = samples[number * size : (number + 1) * size]
    return rtp(number, number * size + 5_000, encoded(part), **changes)


def test_a_frame_is_told_with_the_packet_that_completes_it() -> None:
    rig = listening()
    for number in range(10):
        rig.now_us += 20_000
        rig.receive(packet(number))
        (told,) = drain(rig)
        assert (told.ear, told.number, told.token, told.at_us) == (0, number, 77, rig.now_us)
        assert (told.flags, told.missing, told.dropped) == (0, 0, 0)
        assert (told.said == decoded(SPEECH)[number * 160 : (number + 1) * 160]).all()


@pytest.mark.parametrize("size", [80, 240, 320, 480])
def test_other_frame_times_come_out_in_frames_of_20_ms(size: int) -> None:
    rig = listening()
    told = []
    for number in range(8_000 // size):
        rig.now_us += size * 125
        rig.receive(packet(number, size=size))
        told += drain(rig)
    whole = np.concatenate([each.said for each in told])
    assert whole.size >= 8_000 - 480
    assert (whole == decoded(SPEECH)[: whole.size]).all()


def test_a_law_is_heard_as_it_was_said() -> None:
    rig = listening()
    rig.receive(rtp(0, 0, encoded(SPEECH[:160], 1), payload_type=8))
    assert (drain(rig)[0].said == g711.decode(encoded(SPEECH[:160], 1), 1)).all()


def test_packets_that_overtook_each_other_are_put_in_order() -> None:
    rig = listening()
    told = []
    for number in (0, 2, 1, 3, 5, 4, 6, 7):
        rig.now_us += 20_000
        rig.receive(packet(number))
        rig.receive(packet(number))  # and twice
        told += drain(rig)
    assert [each.missing for each in told] == [0] * 8
    assert (np.concatenate([each.said for each in told]) == decoded(SPEECH)[: 8 * 160]).all()


def test_a_lost_packet_is_silence_after_two_more_and_says_so() -> None:
    rig = listening()
    counts = []
    for number in (0, 1, 3, 4, 5, 6):
        rig.now_us += 20_000
        rig.receive(packet(number))
        counts.append(drain(rig))
    assert [len(each) for each in counts] == [1, 1, 0, 3, 1, 1]
    lost = counts[3][0]
    assert (lost.flags, lost.missing) == (ears.LOST, 160)
    assert not lost.said.any()
    rig.receive(packet(2))  # far too late
    assert drain(rig) == []


def test_silence_passes_when_nothing_comes() -> None:
    rig = listening()
    rig.receive(packet(0))
    drain(rig)
    rig.tick(5)
    caught_up = drain(rig)
    assert all(each.flags == ears.SILENT and each.missing == 160 for each in caught_up)
    rig.tick(45)
    assert len(caught_up) + len(drain(rig)) == pytest.approx(49, abs=1)


def test_before_the_first_packet_it_is_silent_too() -> None:
    rig = listening()
    rig.tick(50)
    assert len(drain(rig)) == pytest.approx(49, abs=1)


def test_a_pause_that_is_not_sent_takes_its_time_and_what_follows_is_told_at_once() -> None:
    rig = listening()
    rig.receive(packet(0))
    rig.tick(50)  # one second without packets
    silent = drain(rig)
    rig.receive(rtp(1, 5_000 + 51 * 160 + 40, encoded(SPEECH[160:320]), marker=1))
    rest = drain(rig)
    rig.now_us += 20_000
    rig.receive(rtp(2, 5_000 + 52 * 160 + 40, encoded(SPEECH[320:480])))
    rest += drain(rig)
    samples = np.concatenate([each.said for each in silent[1:] + rest])
    first = int(np.flatnonzero(samples)[0]) - 1  # the sine begins with a zero
    assert first == pytest.approx(50 * 160 + 40, abs=1)
    assert (samples[first + 1 : first + 240] == decoded(SPEECH)[161:400]).all()
    assert rest[-1].missing == 0


def test_speech_that_came_after_its_time_is_told_and_not_thrown_away() -> None:
    rig = listening()
    rig.receive(packet(0))
    rig.tick(10)  # the network holds nine packets back …
    told = drain(rig)
    for number in range(1, 10):  # … and hands them over at once
        rig.receive(packet(number))
    told += drain(rig)
    heard = [each for each in told if not each.flags & ears.SILENT]
    assert (np.concatenate([each.said for each in heard]) == decoded(SPEECH)[: 10 * 160]).all()


def test_another_stream_begins_at_once() -> None:
    rig = listening()
    for number in range(3):
        rig.now_us += 20_000
        rig.receive(packet(number))
    rig.now_us += 20_000
    rig.receive(rtp(40_000, 0xFFFFFF00, encoded(SPEECH[:160]), ssrc=100))
    rig.now_us += 20_000
    rig.receive(rtp(40_001, 0xFFFFFFA0, encoded(SPEECH[160:320]), ssrc=100))
    told = drain(rig)
    assert len(told) == 5
    assert (np.concatenate([each.said for each in told[3:]]) == decoded(SPEECH)[:320]).all()


def test_a_timestamp_that_jumps_tells_no_hours_of_silence() -> None:
    rig = listening()
    rig.receive(packet(0))
    for jump in (1 << 30, 5, 1 << 31, 100_000):
        rig.now_us += 20_000
        rig.receive(rtp(1 + jump % 97, jump, encoded(SPEECH[:160])))
    assert len(drain(rig)) == 5


def test_a_key_that_is_down_is_seen_in_the_frame() -> None:
    rig = listening()
    rig.receive(packet(0))
    rig.receive(rtp(1, 5_160, struct.pack(">BBH", 5, 10, 160), payload_type=101, marker=1))
    rig.tick(6)
    flags = [each.flags for each in drain(rig)]
    assert flags[0] == 0
    assert flags[-1] & ears.KEY


def test_what_was_sent_lies_beside_and_keeps_its_place() -> None:
    """A far end that sends back what it gets, 20 ms later with a jitter: the sent side stays in step by sample."""
    rig = listening()
    prompt = tone(1.0, 500.0) + np.rint(3_000 * np.sin(np.arange(8_000) ** 1.5 / 900)).astype(np.int16)
    rig.clip(1, prompt)
    rig.play(1)
    told = []
    jitter = (0, 3_000, 1_000, 7_000, 0, 5_000, 2_000)
    queue: list[bytes] = []
    number = 0
    for step in range(45):
        sent = rig.tick()
        rig.now_us += jitter[step % 7]
        if queue:
            rig.receive(rtp(number, number * 160, queue.pop(0)))
            number += 1
        rig.now_us -= jitter[step % 7]
        queue += [each.payload for each in sent]
        told += drain(rig)
    assert all(each.flags == ears.PLAYING for each in told)
    said = np.concatenate([each.said for each in told]).astype(float)
    beside = np.concatenate([each.sent for each in told]).astype(float)
    scores = {
        lag: float(np.corrcoef(said[400 + lag : 6_000 + lag], beside[400:6_000])[0, 1]) for lag in range(-200, 400)
    }
    best = max(scores, key=lambda lag: scores[lag])
    assert scores[best] > 0.999
    assert 0 <= best <= 160


def test_two_ears_hear_one_leg_and_end_apart() -> None:
    rig = listening()
    rig.apply(control.START_EAR, 0, 1, 1, 78)
    rig.receive(packet(0))
    assert [(each.ear, each.token) for each in drain(rig, 0, 1)] == [(0, 77), (1, 78)]
    rig.apply(control.STOP_EAR, 0, 1, 0)
    rig.now_us += 20_000
    rig.receive(packet(1))
    assert [each.ear for each in drain(rig, 0, 1)] == [1]
    assert [words[3:6] for words in rig.raw if words[0] == rings.EAR_DONE] == [[0, 1, 0]]
    rig.apply(control.CLOSE_LEG, 0, 1)
    assert [words[3:6] for words in rig.raw if words[0] == rings.EAR_DONE] == [[0, 1, 0], [1, 2, 0]]
    assert rig.plane.counters[c.EARS_RUNNING] == 0


def test_a_full_ring_drops_and_counts_and_goes_on() -> None:
    rig = listening()
    speech = np.tile(SPEECH, 3)
    for number in range(c.EAR_RING_FRAMES + 6):
        rig.now_us += 20_000
        rig.receive(packet(number, speech))
    assert len(drain(rig, room=128)) == c.EAR_RING_FRAMES
    rig.receive(packet(c.EAR_RING_FRAMES + 6, speech))
    (told,) = drain(rig)
    assert (told.dropped, told.number) == (6, c.EAR_RING_FRAMES + 6)
    assert rig.plane.counters[c.EAR_FRAMES_LOST] == 6


def test_a_small_target_leaves_the_rest_for_later() -> None:
    rig = listening()
    for number in range(5):
        rig.receive(packet(number))
    assert [each.number for each in drain(rig, room=2)] == [0, 1]
    assert [each.number for each in drain(rig, room=9)] == [2, 3, 4]


def test_an_ear_for_a_leg_that_is_gone_ends_at_once() -> None:
    rig = Rig()
    rig.apply(control.START_EAR, 3, 9, 2, 0)
    assert [words[3] for words in rig.raw if words[0] == rings.EAR_DONE] == [2]
    assert rig.plane.ears[2, c.EAR_STATE] == c.EAR_FREE
    for ear in (-1, c.EAR_COUNT, 1 << 40):
        rig.leg(0) if ear == -1 else None
        rig.apply(control.START_EAR, 0, 1, ear, 0)
    assert rig.plane.counters[c.EARS_RUNNING] == 0


def test_a_full_event_ring_delays_the_end_and_loses_none() -> None:
    rig = listening()
    while rings.emit(rig.plane, rings.NUDGE, 0, 0, 0, 0, True):
        pass
    record = np.zeros(c.COMMAND_WORDS, np.int64)
    record[:4] = (control.STOP_EAR, 0, 1, 0)
    control.apply(rig.plane, record, rig.now_us)
    assert rig.plane.ears[0, c.EAR_STATE] == c.EAR_STOPPING
    rig._collect()
    rig.tick()
    assert [words[3] for words in rig.raw if words[0] == rings.EAR_DONE] == [0]
