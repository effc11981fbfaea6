"""Mouths on the real plane: audio of any length is said at the pace of speech, marks are told, clearing is at once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine import jit
from engine.media import columns as c
from engine.media import commands as m
from engine.runtime.mouths import Mouth
from tests.media.rig import tone
from tests.runtime.far_end import Line

pytestmark = pytest.mark.skipif(jit.DISABLED, reason="the loop makes system calls: compiled code only")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Line]:
    running = Line(tmp_path)
    yield running
    running.stop()


def pass_time(bench: Line, mouth: Mouth, seconds: float) -> list[str]:
    reached, until = [], time.monotonic() + seconds
    while time.monotonic() < until:
        bench.plane.poll()
        reached += mouth.step()
        time.sleep(0.01)
    return reached


def opened(bench: Line, waiting_ms_max: int = 10_000) -> Mouth:
    mouth = bench.plane.mouths.open(0, 1, waiting_ms_max)
    assert mouth is not None
    return mouth


def test_marks_are_told_when_what_was_before_them_has_been_said(bench: Line) -> None:
    mouth = opened(bench)
    mouth.mark("at once")
    assert mouth.push(tone(0.2)) == 0
    mouth.mark("after the first")
    assert mouth.push(tone(0.2)) == 0
    mouth.mark("after the second")
    assert mouth.step() == ["at once"]
    assert mouth.waiting_ms == pytest.approx(400, abs=20)
    assert pass_time(bench, mouth, 0.32) == ["after the first"]
    assert pass_time(bench, mouth, 0.3) == ["after the second"]
    assert mouth.waiting_ms == 0


def test_more_than_the_ring_holds_waits_and_more_than_allowed_is_refused(bench: Line) -> None:
    mouth = opened(bench, 3_000)
    assert mouth.push(tone(2.5)) == 0
    assert mouth.push(tone(1.0)) == pytest.approx(4_000, abs=320)
    assert mouth.waiting_ms == pytest.approx(3_000, abs=40)
    pass_time(bench, mouth, 0.6)
    assert mouth.waiting_ms == pytest.approx(2_400, abs=80)


def test_clearing_is_heard_at_once_and_gives_the_marks_back(bench: Line) -> None:
    mouth = opened(bench)
    mouth.push(tone(5.0))
    mouth.mark("one")
    mouth.mark("two")
    pass_time(bench, mouth, 0.2)
    assert mouth.clear() == ["one", "two"]
    pass_time(bench, mouth, 0.05)
    bench.received()
    assert mouth.waiting_ms == 0
    assert pass_time(bench, mouth, 0.1) == []
    assert bench.received() == []
    mouth.push(tone(0.2))
    pass_time(bench, mouth, 0.15)
    assert len(bench.received()) > 3


def test_it_ends_with_its_leg_and_by_itself_and_numbers_come_back(bench: Line) -> None:
    first = opened(bench)
    first.push(tone(1.0))
    assert (second := bench.plane.mouths.open(0, 1, 1_000)) is not None  # a leg has one
    pass_time(bench, first, 0.05)
    assert (first.open, second.open) == (True, False)
    first.close()
    pass_time(bench, first, 0.05)
    assert first.push(tone(0.1)) == 800
    third = opened(bench)
    assert third.waiting_ms == 0  # what the first still had isn't said by its heir
    bench.plane.command(m.CloseLeg(0, 1))
    pass_time(bench, third, 0.05)
    assert not third.open
    many = [bench.plane.mouths.open(9, 9, 100) for _ in range(c.MOUTH_COUNT + 1)]
    assert [mouth is None for mouth in many] == [False] * c.MOUTH_COUNT + [True]


def test_after_a_prompt_it_goes_on(bench: Line) -> None:
    mouth = opened(bench)
    mouth.push(tone(1.0))
    pass_time(bench, mouth, 0.1)
    bench.plane.command(m.Play(0, 1, 1, (2,)))
    pass_time(bench, mouth, 0.4)
    before = mouth.waiting_ms
    assert 0 < before < 1_000
    mouth.go_on()
    pass_time(bench, mouth, 0.2)
    assert mouth.waiting_ms < before
    assert np.frombuffer(bench.received()[-1][12:], np.uint8).size == 160
