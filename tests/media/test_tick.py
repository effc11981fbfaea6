"""Supervision and recordings under the tick."""

from __future__ import annotations

import numpy as np
import pytest

from engine.media import columns as c
from engine.media import control, g711, rings
from engine.media.commands import MediaBack, MediaMissing
from tests.media.rig import Rig, encoded, rtp, tone


def test_missing_media_is_told_at_three_and_fifteen_seconds_and_when_it_is_back() -> None:
    rig = Rig()
    rig.leg()
    rig.receive(rtp(1, 1))
    rig.tick(149)
    assert rig.take(MediaMissing) == []
    rig.tick(10)
    assert rig.take(MediaMissing) == [MediaMissing(0, 1, 3_000)]
    rig.tick(590)
    assert rig.take(MediaMissing) == []
    rig.tick(10)
    assert rig.take(MediaMissing) == [MediaMissing(0, 1, 15_000)]
    rig.tick(2_000)
    assert rig.take(MediaMissing) == []
    rig.receive(rtp(2, 161))
    assert rig.take(MediaBack) == [MediaBack(0, 1)]
    rig.tick(160)
    assert rig.take(MediaMissing) == [MediaMissing(0, 1, 3_000)]


def test_a_leg_that_never_sends_is_missed_too() -> None:
    rig = Rig()
    rig.leg()
    rig.tick(160)
    assert rig.take(MediaMissing) == [MediaMissing(0, 1, 3_000)]


def test_legs_that_need_not_send_are_not_missed() -> None:
    rig = Rig()
    rig.open(0)
    rig.open(1)
    rig.set(1, receive=False)
    rig.tick(1_000)
    assert rig.take(MediaMissing) == []
    rig.set(1)
    rig.tick(140)
    assert rig.take(MediaMissing) == []
    rig.tick(20)
    assert rig.take(MediaMissing) == [MediaMissing(1, 1, 3_000)]


def test_missing_media_waits_for_room_in_the_ring() -> None:
    rig = Rig()
    rig.leg()
    while rings.emit(rig.plane, rings.NUDGE, 0, 0, 0, 0, False):
        pass
    collect, rig._collect = rig._collect, lambda: None  # type: ignore[method-assign]
    rig.tick(200)
    rig._collect = collect  # type: ignore[method-assign]
    rig._collect()
    rig.tick(10)
    assert rig.take(MediaMissing) == [MediaMissing(0, 1, 3_000)]


# --- recordings -----------------------------------------------------------------------------------------------
def recorded(rig: Rig, tap: int = 0) -> np.ndarray:
    """What lies in the ring: int16[n, 2], left and right."""
    frames = np.zeros((c.TAP_RING_FRAMES, 2 * c.TAP_FRAME), np.int16)
    count = rings.pop_many(rig.plane.tap_frames[tap], rig.plane.tap_shared[tap], frames)
    return frames[:count].reshape(-1, 2)


def talking(rig: Rig, samples: np.ndarray, *, drain: bool = True) -> np.ndarray:
    """Leg 0's far end says `samples`; returns the recording."""
    octets, parts = encoded(samples), []
    for place in range(len(octets) // 160):
        rig.receive(rtp(place, place * 160, octets[place * 160 : (place + 1) * 160]))
        rig.tick(1)
        if drain and place % 20 == 19:
            parts.append(recorded(rig))
    parts.append(recorded(rig))
    return np.concatenate(parts)


def contains(track: np.ndarray, wanted: np.ndarray) -> bool:
    """Is `wanted` in the track sample by sample, up to the edges?"""
    inner = wanted[600:-600].astype(float)
    scores = np.correlate(track.astype(float), inner, "valid")
    place = int(scores.argmax())
    return bool(np.array_equal(track[place : place + inner.size], inner))


def test_left_is_what_the_leg_says_and_right_what_it_hears() -> None:
    rig = Rig()
    said, played = tone(1.5, 300), tone(1.5, 700)
    rig.clip(1, played)
    rig.leg()
    rig.apply(control.START_TAP, 0, 1, 0)
    rig.play(1)
    both = talking(rig, said)
    assert both.shape[0] == 75 * 160
    assert contains(both[:, 0], g711.decode(encoded(said), 0))
    assert contains(both[:, 1], g711.decode(encoded(played), 0))


def test_a_bridged_leg_is_recorded_with_its_partner() -> None:
    rig = Rig()
    rig.leg(0)
    rig.leg(1)
    rig.bridge()
    rig.apply(control.START_TAP, 1, 1, 0)
    said = tone(1.5, 300)
    both = talking(rig, said)
    assert contains(both[:, 1], g711.decode(encoded(said), 0))
    assert not np.any(both[:, 0])


def test_pause_is_silence_and_time_goes_on() -> None:
    rig = Rig()
    rig.leg()
    rig.apply(control.START_TAP, 0, 1, 0)
    octets = encoded(tone(1))
    for place in range(45):
        if place == 15:
            rig.apply(control.PAUSE_TAP, 0, 1, 0, 1)
        if place == 30:
            rig.apply(control.PAUSE_TAP, 0, 1, 0, 0)
        rig.receive(rtp(place, place * 160, octets[place * 160 : (place + 1) * 160]))
        rig.tick(1)
    both = recorded(rig)
    assert both.shape[0] == 45 * 160
    assert not np.any(both[15 * 160 : 30 * 160])
    assert np.any(both[5 * 160 : 15 * 160]) and np.any(both[31 * 160 :])


def test_half_full_is_told_and_stopping_too() -> None:
    rig = Rig()
    rig.leg()
    rig.apply(control.START_TAP, 0, 1, 2)
    rig.tick(c.TAP_RING_FRAMES // 2 - 1)
    assert [words[0] for words in rig.raw] == []
    rig.tick(1)
    assert rig.raw.pop()[:4] == [rings.TAP_READY, 0, 1, 2]
    rig.apply(control.STOP_TAP, 0, 1, 2)
    assert rig.raw.pop()[:6] == [rings.TAP_DONE, 0, 1, 2, 32, 0]
    assert rig.plane.counters[c.TAPS_RUNNING] == 0


def test_a_reader_that_sleeps_costs_silence_not_time() -> None:
    rig = Rig()
    rig.leg()
    rig.apply(control.START_TAP, 0, 1, 0)
    rig.tick(c.TAP_RING_FRAMES + 30)
    assert recorded(rig).shape[0] == c.TAP_RING_FRAMES * 160
    rig.tick(5)
    assert recorded(rig).shape[0] == 35 * 160
    rig.apply(control.STOP_TAP, 0, 1, 0)
    assert rig.raw[-1][4:6] == [c.TAP_RING_FRAMES + 35, 0]


def test_a_stall_keeps_the_recordings_time() -> None:
    rig = Rig()
    rig.leg()
    rig.apply(control.START_TAP, 0, 1, 0)
    rig.tick(5)
    rig.now_us += 400_000
    rig.tick(5)
    assert recorded(rig).shape[0] == (5 + 20 + 5) * 160


def test_a_stall_longer_than_the_ring_is_told_so_that_the_recording_goes_on() -> None:
    rig = Rig()
    rig.leg()
    rig.apply(control.START_TAP, 0, 1, 0)
    rig.now_us += 20_000 * (3 * c.TAP_RING_FRAMES)
    parts, said = [], tone(1.0)
    octets = encoded(said)
    for place in range(50):
        rig.receive(rtp(place, place * 160, octets[place * 160 : (place + 1) * 160]))
        rig.tick(1)
        if any(words[0] == rings.TAP_READY for words in rig.raw):  # a reader that reads when told, and only then
            rig.raw.clear()
            parts.append(recorded(rig))
    parts.append(recorded(rig))
    both = np.concatenate(parts)
    assert both.shape[0] == (3 * c.TAP_RING_FRAMES + 50) * 160
    assert contains(both[:, 0], g711.decode(octets, 0))


def test_closing_the_leg_ends_its_recording_first() -> None:
    rig = Rig()
    rig.leg()
    rig.apply(control.START_TAP, 0, 1, 0)
    rig.tick(3)
    rig.apply(control.CLOSE_LEG, 0, 1)
    assert [words[0] for words in rig.raw][-2:] == [rings.TAP_DONE, rings.LEG_CLOSED]


@pytest.mark.parametrize(("row", "generation"), [(0, 2), (1, 1), (4_000, 1)])
def test_a_recording_that_cannot_start_is_answered(row: int, generation: int) -> None:
    rig = Rig()
    rig.leg()
    rig.apply(control.START_TAP, row, generation, 3)
    assert rig.raw[-1][0] == rings.TAP_DONE
    assert rig.raw[-1][3:5] == [3, -1]


def test_one_recording_a_leg() -> None:
    rig = Rig()
    rig.leg()
    rig.apply(control.START_TAP, 0, 1, 0)
    rig.apply(control.START_TAP, 0, 1, 1)
    assert rig.raw[-1][3:5] == [1, -1]
    rig.apply(control.STOP_TAP, 0, 1, 1)
    assert rig.plane.counters[c.TAPS_RUNNING] == 1
