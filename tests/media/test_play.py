"""Clips: what is heard, when a play ends, loops and seams."""

from __future__ import annotations

import pytest

from engine.media import columns as c
from engine.media import control, wire
from engine.media.commands import PlayEnded
from tests.media.rig import Rig, encoded, tone


def rig_with(*seconds: float) -> Rig:
    rig = Rig()
    for number, length in enumerate(seconds, 1):
        rig.clip(number, tone(length, 300 + 100 * number))
    rig.leg()
    return rig


@pytest.mark.parametrize(("codec", "law", "silence"), [(0, 0, b"\xff"), (8, 1, b"\xd5")])
def test_clips_join_without_a_gap_in_either_law(codec: int, law: int, silence: bytes) -> None:
    rig = rig_with(0.125, 0.031)  # neither ends with a frame
    rig.set(codec_out=codec, payload_type_out=codec)
    rig.play(1, 2, 1)
    rig.tick(20)
    wanted = encoded(tone(0.125, 400), law) + encoded(tone(0.031, 500), law) + encoded(tone(0.125, 400), law)
    heard = b"".join(packet.payload for packet in rig.sent)
    assert heard.startswith(wanted)
    assert set(heard[len(wanted) :]) <= set(silence)
    assert len(heard) == -(-len(wanted) // 160) * 160


def test_the_end_is_told_once_with_the_last_frame() -> None:
    rig = rig_with(0.1)
    rig.play(1, ticket=77)
    rig.tick(4)
    assert rig.take(PlayEnded) == []
    rig.tick(1)
    assert rig.take(PlayEnded) == [PlayEnded(0, 1, 77)]
    assert rig.tick(10) == []
    assert rig.take(PlayEnded) == []


def test_the_next_prompt_follows_without_a_pause() -> None:
    rig = rig_with(0.1, 0.1)
    rig.play(1)
    rig.tick(5)
    rig.play(2)
    rig.tick(5)
    assert [packet.at_us - rig.sent[0].at_us for packet in rig.sent] == [20_000 * n for n in range(10)]
    assert [packet.timestamp - rig.sent[0].timestamp for packet in rig.sent] == [160 * n for n in range(10)]


def test_replaced_and_stopped_plays_are_not_told() -> None:
    rig = rig_with(0.5, 0.1)
    rig.play(1, ticket=1)
    rig.tick(3)
    rig.play(2, ticket=2)
    rig.tick(10)
    rig.play(1, ticket=3)
    rig.tick(2)
    rig.apply(control.STOP, 0, 1)
    rig.tick(40)
    assert rig.take(PlayEnded) == [PlayEnded(0, 1, 2)]


def test_a_loop_never_ends_and_has_no_seam() -> None:
    rig = rig_with(0.05, 0.03)
    rig.play(1, 2, flags=control.FLAG_LOOP)
    rig.tick(100)
    once = encoded(tone(0.05, 400)) + encoded(tone(0.03, 500))
    heard = b"".join(packet.payload for packet in rig.sent)
    assert heard == (once * 100)[: len(heard)]
    assert len(heard) == 100 * 160
    assert rig.take(PlayEnded) == []


def test_start_skips_into_the_first_clip_and_wraps() -> None:
    rig = rig_with(0.1)
    rig.play(1, start=80)
    assert rig.tick(1)[0].payload == encoded(tone(0.1, 400))[80:240]
    rig.play(1, start=800 * 5 + 160)
    assert rig.tick(1)[0].payload == encoded(tone(0.1, 400))[160:320]


@pytest.mark.parametrize("numbers", [(), (999,), (c.DTMF_CLIPS,)])
def test_nothing_to_play_ends_at_once(numbers: tuple[int, ...]) -> None:
    rig = rig_with(0.1)
    rig.play(*numbers, ticket=5)
    assert rig.tick(1) == []
    assert rig.take(PlayEnded) == [PlayEnded(0, 1, 5)]


def test_a_loop_of_nothing_ends_too() -> None:
    rig = rig_with(0.1)
    rig.play(999, ticket=5, flags=control.FLAG_LOOP)
    rig.tick(3)
    assert rig.take(PlayEnded) == [PlayEnded(0, 1, 5)]


def test_unknown_clips_among_others_are_left_out() -> None:
    rig = rig_with(0.02, 0.02)
    rig.play(1, 500, 2)
    rig.tick(5)
    assert [packet.payload for packet in rig.sent] == [encoded(tone(0.02, 400)), encoded(tone(0.02, 500))]


def test_a_play_on_hold_goes_on_unheard_and_ends() -> None:
    rig = rig_with(0.2)
    rig.set(send=False)
    rig.play(1, ticket=9)
    assert rig.tick(10) == []
    assert rig.take(PlayEnded) == [PlayEnded(0, 1, 9)]


def test_long_lists_are_staged() -> None:
    rig = rig_with(0.02, 0.02)
    rig.apply(control.STAGE_CLIPS, 0, 1, 0, 0, 0, 100, *wire.pack_clips((1,) * 100))
    rig.play(*(2,) * 20)
    rig.tick(130)
    assert len(rig.sent) == 120
    assert rig.sent[99].payload == encoded(tone(0.02, 400))
    assert rig.sent[100].payload == encoded(tone(0.02, 500))


def test_lists_longer_than_the_playlist_are_cut_and_still_end() -> None:
    rig = rig_with(0.02)
    for _ in range(3):
        rig.apply(control.STAGE_CLIPS, 0, 1, 0, 0, 0, 100, *wire.pack_clips((1,) * 100))
    rig.play(1, ticket=4)
    rig.tick(c.PLAYLIST_CLIPS + 5)
    assert len(rig.sent) == c.PLAYLIST_CLIPS
    assert rig.take(PlayEnded) == [PlayEnded(0, 1, 4)]


def test_staging_while_playing_never_plays_the_wrong_clip() -> None:
    rig = rig_with(1.0, 0.02)
    rig.play(1)
    rig.tick(2)
    rig.apply(control.STAGE_CLIPS, 0, 1, 0, 0, 0, 1, 2)
    assert rig.tick(1) == []


def test_a_full_ring_delays_the_end_and_does_not_lose_it() -> None:
    rig = rig_with(0.02)
    rig.play(1, ticket=6)
    rig.plane.happening_shared.view()  # the ring is filled through its own kernel below
    from engine.media import rings

    while rings.emit(rig.plane, rings.NUDGE, 0, 0, 0, 0, True):
        pass
    collect, rig._collect = rig._collect, lambda: None  # type: ignore[method-assign]
    rig.tick(3)
    rig._collect = collect  # type: ignore[method-assign]
    rig._collect()
    assert rig.take(PlayEnded) == []
    rig.tick(10)
    assert rig.take(PlayEnded) == [PlayEnded(0, 1, 6)]
