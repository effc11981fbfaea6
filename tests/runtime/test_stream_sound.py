"""Streams on the real plane: the caller is heard, the bot is said, and both are given back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine import jit, limits
from engine.runtime.stream_sound import StreamSound
from tests.media.rig import tone
from tests.runtime.far_end import Line

pytestmark = pytest.mark.skipif(jit.DISABLED, reason="the loop makes system calls: compiled code only")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Line]:
    running = Line(tmp_path)
    yield running
    running.stop()


def test_a_leg_is_heard_and_spoken_to_and_given_back(bench: Line) -> None:
    sound = StreamSound(bench.plane)
    ear, mouth = sound.listen(0, 1), sound.speak(0, 1, 10_000)
    assert ear >= 0 and mouth is not None and sound.busy()
    mouth.push(tone(0.2))
    frames: list[tuple[int, int]] = []
    until = time.monotonic() + 5
    while len(frames) < 5 and time.monotonic() < until:
        bench.plane.poll()
        frames += [(number, said.size + sent.size) for number, said, sent in sound.heard()]
        mouth.step()
        time.sleep(0.01)
    assert set(frames) == {(ear, 320)}
    assert any(np.frombuffer(data[12:], np.uint8).std() > 0 for data in bench.received() if len(data) == 172)
    mouth.close()
    sound.deafen(ear)
    until = time.monotonic() + 5
    while sound.busy() and time.monotonic() < until:
        bench.plane.poll()
        list(sound.heard())
        time.sleep(0.01)
    assert not sound.busy()


def test_when_every_ear_and_mouth_is_taken(bench: Line) -> None:
    sound = StreamSound(bench.plane)
    assert all(sound.listen(0, 1) >= 0 for _ in range(limits.ears_max))
    assert sound.listen(0, 1) == -1
    mouths = [sound.speak(0, 1, 1_000) for _ in range(limits.mouths_max)]
    assert None not in mouths and sound.speak(0, 1, 1_000) is None
