"""Mouths: what Python pushes is said in the leg's law and frames, cleared in time, and never left behind."""

from __future__ import annotations

import numpy as np
import pytest

from engine.media import columns as c
from engine.media import control, g711, mouths, rings
from tests.media.rig import Rig, Sent, encoded, tone

WORDS = tone(4.0, 330.0)


def push(rig: Rig, samples: np.ndarray, mouth: int = 0) -> int:
    return mouths.push(rig.plane.mouth_samples[mouth], rig.plane.mouth_shared[mouth], samples, 0)


def speaking(first: int = 0, **changes: int) -> Rig:
    rig = Rig()
    rig.leg(0, **changes)
    rig.apply(control.START_MOUTH, 0, 1, 0, first)
    return rig


def payload(sent: list[Sent]) -> bytes:
    return b"".join(each.payload for each in sent)


@pytest.mark.parametrize(("codec", "frame_ms"), [(0, 20), (8, 20), (0, 30), (8, 10), (0, 60)])
def test_what_is_pushed_is_said_in_the_legs_own_law_and_frames(codec: int, frame_ms: int) -> None:
    rig = speaking(codec_out=codec, payload_type_out=codec, frame_ms_out=frame_ms)
    assert push(rig, WORDS[:4_800]) == 4_800
    sent = rig.tick(70, fine=True)
    assert payload(sent) == encoded(WORDS[:4_800], 1 if codec else 0)
    assert [each.marker for each in sent] == [1] + [0] * (len(sent) - 1)
    assert mouths.said(rig.plane.mouth_shared[0]) == 4_800


def test_it_begins_when_there_is_enough_or_after_a_while_with_what_there_is() -> None:
    rig = speaking()
    push(rig, WORDS[:160])
    assert rig.tick(3) == []
    assert len(rig.tick(2)) == 1
    push(rig, WORDS[:480])
    assert len(rig.tick(1)) == 1


def test_silence_costs_no_packets_and_the_next_words_carry_the_marker() -> None:
    rig = speaking()
    push(rig, WORDS[:480])
    first = rig.tick(20)
    push(rig, WORDS[:640])
    second = rig.tick(20)
    assert (len(first), len(second)) == (3, 4)
    assert second[0].marker == 1
    assert second[0].sequence == first[-1].sequence + 1
    assert second[0].timestamp - first[0].timestamp == 20 * 160


def test_a_last_frame_that_is_not_full_ends_in_silence() -> None:
    rig = speaking()
    push(rig, WORDS[:500])
    sent = rig.tick(6)
    assert payload(sent) == encoded(WORDS[:500]) + bytes([g711.SILENCE[0]]) * 140


def test_a_full_ring_takes_no_more_and_later_the_rest() -> None:
    rig = speaking()
    assert push(rig, WORDS) == c.MOUTH_SAMPLES
    assert push(rig, WORDS) == 0
    rig.tick(10)
    assert push(rig, WORDS[c.MOUTH_SAMPLES :]) == 1_600
    assert payload(rig.tick(120))[: c.MOUTH_SAMPLES - 1_600] == encoded(WORDS[1_600 : c.MOUTH_SAMPLES])


def test_clearing_forgets_what_was_pushed_before_and_keeps_what_came_after() -> None:
    rig = speaking()
    push(rig, WORDS[:4_000])
    rig.tick(5)
    push(rig, WORDS[10_000:11_600])
    rig.apply(control.CLEAR_MOUTH, 0, 1, 0, 4_000)
    assert payload(rig.tick(12)) == encoded(WORDS[10_000:11_600])
    rig.apply(control.CLEAR_MOUTH, 0, 1, 0, 1 << 50)  # more than there ever was: nothing
    rig.apply(control.CLEAR_MOUTH, 0, 1, 0, 0)
    assert mouths.said(rig.plane.mouth_shared[0]) == mouths.pushed(rig.plane.mouth_shared[0]) == 5_600


def test_a_prompt_takes_over_and_the_mouth_can_go_on() -> None:
    rig = speaking()
    rig.clip(1, tone(0.1))
    push(rig, WORDS[:4_000])
    rig.tick(5)
    rig.play(1)
    rig.tick(6)
    assert mouths.said(rig.plane.mouth_shared[0]) == 800
    rig.apply(control.START_MOUTH, 0, 1, 0, 0)
    sent = rig.tick(30)
    assert sent[0].marker == 1
    assert payload(sent) == encoded(WORDS[800:4_000])


def test_a_leg_on_hold_lets_it_pass_unheard() -> None:
    rig = speaking()
    rig.set(0, send=False)
    push(rig, WORDS[:1_600])
    assert rig.tick(20) == []
    assert mouths.said(rig.plane.mouth_shared[0]) == 1_600


def done(rig: Rig) -> list[int]:
    return [words[3] for words in rig.raw if words[0] == rings.MOUTH_DONE]


def test_it_ends_by_command_and_with_its_leg_and_starts_empty_the_next_time() -> None:
    rig = speaking()
    push(rig, WORDS[:4_000])
    rig.tick(4)
    rig.apply(control.STOP_MOUTH, 0, 1, 0)
    assert rig.tick(4) == []
    assert done(rig) == [0]
    first = mouths.pushed(rig.plane.mouth_shared[0])
    rig.apply(control.START_MOUTH, 0, 1, 0, first)
    push(rig, WORDS[8_000:8_800])
    assert payload(rig.tick(8)) == encoded(WORDS[8_000:8_800])
    rig.apply(control.CLOSE_LEG, 0, 1)
    assert done(rig) == [0, 0]


def test_a_second_mouth_and_a_leg_that_is_gone_are_refused() -> None:
    rig = speaking()
    rig.apply(control.START_MOUTH, 0, 1, 1, 0)
    rig.apply(control.START_MOUTH, 7, 1, 2, 0)
    assert done(rig) == [1, 2]
    rig.leg(3)
    rig.apply(control.START_MOUTH, 3, 1, 0, 0)  # row 0's
    rig.apply(control.STOP_MOUTH, 3, 1, 0)
    rig.apply(control.START_MOUTH, 3, 1, 1 << 40, 0)
    assert rig.plane.mouths[0, c.MOUTH_STATE] == c.MOUTH_OPEN
    assert done(rig) == [1, 2]


def test_a_full_event_ring_delays_the_end_and_loses_none() -> None:
    rig = speaking()
    while rings.emit(rig.plane, rings.NUDGE, 0, 0, 0, 0, True):
        pass
    record = np.zeros(c.COMMAND_WORDS, np.int64)
    record[:4] = (control.STOP_MOUTH, 0, 1, 0)
    control.apply(rig.plane, record, rig.now_us)
    assert rig.plane.mouths[0, c.MOUTH_STATE] == c.MOUTH_CLOSING
    rig._collect()
    rig.tick()
    assert done(rig) == [0]
    assert rig.plane.mouths[0, c.MOUTH_STATE] == c.MOUTH_FREE
