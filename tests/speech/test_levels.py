"""Levels: dBFS that are right, a floor that is the noise and not the talker, an own level that is the talker's."""

from __future__ import annotations

import numpy as np
import pytest

from engine.speech import levels
from tests.speech.talk import hiss, line, sentences


def begun() -> np.ndarray:
    state = np.zeros(levels.FIELDS)
    levels.begin(state, levels.SILENT_DBFS)
    return state


def hear(state: np.ndarray, wave: np.ndarray, held: bool = False) -> list[tuple[float, float]]:
    """(level, floor) of each frame."""
    found = []
    for first in range(0, wave.size - 159, 160):
        level = levels.level_dbfs(state, wave[first : first + 160])
        found.append((level, levels.learn(state, level, held)))
    return found


@pytest.mark.parametrize("dbfs", [-10.0, -30.0, -60.0])
def test_a_level_is_the_root_mean_square(dbfs: float) -> None:
    tone = np.sin(np.arange(8_000) * 0.9) * np.sqrt(2) * 10 ** (dbfs / 20) * 32_768
    assert np.median([level for level, _ in hear(begun(), tone)]) == pytest.approx(dbfs, abs=1.0)


def test_hum_is_left_out_and_silence_is_a_number() -> None:
    hum = np.sin(2 * np.pi * 50 * np.arange(8_000) / 8_000) * 3_000
    assert hear(begun(), hum)[-1][0] < -29.0  # of -23.7
    assert hear(begun(), np.zeros(320))[-1][0] == levels.SILENT_DBFS


@pytest.mark.parametrize("dbfs", [-65.0, -45.0, -30.0])
def test_the_floor_is_the_noise_and_a_talker_does_not_lift_it(dbfs: float) -> None:
    state = begun()
    hear(state, hiss(16_000, dbfs))
    quiet = float(state[levels.FLOOR])
    assert quiet == pytest.approx(dbfs, abs=1.5)
    said = sentences()[0]
    hear(state, line(said.wave + hiss(said.wave.size, dbfs)), held=True)
    assert state[levels.FLOOR] - quiet < 0.06 * said.wave.size / 160 + 0.3


def test_a_talker_at_once_is_no_noise() -> None:
    state = begun()
    said = sentences()[0]
    found = hear(state, line(said.wave[said.first : said.first + 3_200]))
    assert max(level - floor for level, floor in found[:8]) > 6


def test_a_held_floor_follows_noise_that_stays_and_a_free_one_soon() -> None:
    for held, after_s in ((True, 9.5), (False, 2.2)):
        state = begun()
        hear(state, hiss(16_000, -60.0))
        hear(state, hiss(int(after_s * 8_000), -35.0), held)
        assert state[levels.FLOOR] == pytest.approx(-35.0, abs=2.5)


def test_the_talkers_level_follows_loud_speech_at_once_and_forgets_slowly() -> None:
    state = begun()
    levels.learn_speech(state, -30.0)
    assert state[levels.SPEECH] == -30.0
    for _ in range(3):
        levels.learn_speech(state, -20.0)
    assert -22.0 < state[levels.SPEECH] <= -20.0
    for _ in range(100):
        levels.learn_speech(state, -45.0)
    assert -25.0 < state[levels.SPEECH] < -22.0
