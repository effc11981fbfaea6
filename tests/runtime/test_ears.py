"""Ears on the real plane: a far end's packets become frames of whoever listens, and numbers come back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine import jit
from engine.media import columns as c
from engine.media import commands as m
from engine.media import ears as ears_media
from engine.runtime.ears import Hearing, read_frame
from engine.runtime.rtp_plane import RtpPlane
from tests.media.rig import rtp
from tests.runtime.far_end import Line

pytestmark = pytest.mark.skipif(jit.DISABLED, reason="the loop makes system calls: compiled code only")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Line]:
    running = Line(tmp_path)
    yield running
    running.stop()


def collect(plane: RtpPlane, hearing: Hearing, seconds: float) -> np.ndarray:
    """Frames of so long."""
    found, until = [], time.monotonic() + seconds
    while time.monotonic() < until:
        plane.poll()
        found.append(hearing.drain().copy())
        time.sleep(0.01)
    return np.concatenate(found)


def test_packets_become_frames_of_each_user(bench: Line) -> None:
    ended: list[tuple[str, int]] = []
    plane = bench.plane
    far = bench.far
    mine = plane.ears.hearing(lambda ear: ended.append(("mine", ear)))
    other = plane.ears.hearing(lambda ear: ended.append(("other", ear)))
    first, second = mine.start(0, 1, 5), other.start(0, 1, 6)
    assert first != second
    time.sleep(0.02)
    before = time.monotonic_ns() // 1_000
    for number in range(10):
        far.send(rtp(number, number * 160, bytes([100 + number]) * 160))
        time.sleep(0.005)
    frames = [read_frame(row) for row in collect(plane, mine, 0.03)]
    assert [frame.number for frame in frames] == list(range(10))
    assert {(frame.ear, frame.token, frame.flags, frame.missing) for frame in frames} == {(first, 5, 0, 0)}
    assert all(frame.said.shape == frame.sent.shape == (160,) for frame in frames)
    assert before <= frames[0].at_us <= frames[-1].at_us <= time.monotonic_ns() // 1_000
    assert len(collect(plane, other, 0.02)) == 10
    mine.stop(first)
    collect(plane, mine, 0.05)
    assert ended == [("mine", first)]
    assert (len(mine), len(other)) == (0, 1)
    plane.command(m.CloseLeg(0, 1))
    collect(plane, other, 0.05)
    assert ended == [("mine", first), ("other", second)]


def test_silence_passes_in_real_time(bench: Line) -> None:
    hearing = bench.plane.ears.hearing(lambda ear: None)
    hearing.start(0, 1)
    frames = [read_frame(row) for row in collect(bench.plane, hearing, 0.5)]
    assert len(frames) == pytest.approx(25, abs=4)
    assert all(frame.flags & ears_media.SILENT for frame in frames)


def test_numbers_run_out_and_come_back(bench: Line) -> None:
    ended: list[int] = []
    hearing = bench.plane.ears.hearing(ended.append)
    numbers = [hearing.start(0, 1) for _ in range(c.EAR_COUNT)]
    assert sorted(numbers) == list(range(c.EAR_COUNT))
    assert hearing.start(0, 1) == -1
    bench.plane.command(m.CloseLeg(0, 1))
    until = time.monotonic() + 5
    while len(hearing) and time.monotonic() < until:
        bench.plane.poll()
        hearing.drain()
    assert sorted(ended) == list(range(c.EAR_COUNT))
    assert hearing.start(0, 7) >= 0  # of a leg that is gone: it ends by itself
    while len(hearing) and time.monotonic() < until:
        bench.plane.poll()
        hearing.drain()
    assert len(ended) == c.EAR_COUNT + 1
