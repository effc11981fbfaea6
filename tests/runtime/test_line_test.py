"""The steps of a test call: what is sent when, and which figures they leave."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.runtime import line_signals as signals
from engine.runtime.line_test import HANGS_UP_S_MAX, KEYS, LOOP, SHORT, SILENT, LineTest
from engine.runtime.phone import Wish


class Media:
    """A line in memory: everything that is said comes back at half of it, keys as they are."""

    def __init__(self) -> None:
        self.said = np.zeros(0, np.int16)
        self.keys = ""

    def forget(self) -> None:
        self.said, self.keys = np.zeros(0, np.int16), ""

    def send_audio(self, samples: Any) -> None:
        self.said = np.concatenate([self.said, np.zeros(800, np.int16), samples // 2])

    def send_digits(self, digits: str) -> None:
        self.keys += digits

    def heard(self) -> Any:
        return self.said if self.said.size else np.zeros(8_000, np.int16)

    def heard_digits(self) -> str:
        return self.keys


def walk(far: str) -> tuple[LineTest, list[float]]:
    test = LineTest(Wish("9196"), far, lambda *_: None)
    test.media = Media()
    return test, list(test._steps)


def test_a_loop_measures_noise_first_and_keys_after_it() -> None:
    test, waits = walk(LOOP)
    assert test.found.gain_db == pytest.approx(-6.0, abs=0.6) and test.found.delay_ms == 100
    assert test.found.keys == KEYS and test.found.inband == "" and test.found.heard
    assert len(waits) == 2 and sum(waits) < 6


def test_a_silent_end_is_listened_to_before_it_is_spoken_to() -> None:
    test, waits = walk(SILENT)
    assert test.found.noise_dbm0 == signals.FLOOR_DBM0
    assert test.found.gain_db == pytest.approx(-6.0, abs=0.6) and sum(waits) < 5


def test_the_far_ends_hang_up_is_waited_for_and_timed() -> None:
    test, waits = walk(SHORT)
    assert waits == [HANGS_UP_S_MAX]
    test.result.update(status=200, ended_by="far end")
    test.media.said = np.concatenate([signals.burst(1.0, -20.0), np.zeros(4_000, np.int16)])
    test._after()
    assert test.found.ended_after_s == pytest.approx(0.5, abs=0.05) and test.found.busy is None
    tone = (8_000 * np.sin(2 * np.pi * 425 * np.arange(4_000) / 8_000)).astype(np.int16)
    test.result["ended_by"] = "us"
    test.found.ended_after_s = -1.0
    test.media.said = np.tile(np.concatenate([tone, np.zeros(4_000, np.int16)]), 6)
    test._after()
    assert test.found.ended_after_s == -1.0 and test.found.busy == pytest.approx((425, 500, 500), abs=6)
