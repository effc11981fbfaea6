"""Levels, returns and tones are found as they were made, in silence and in noise, and not where there are none."""

from __future__ import annotations

import numpy as np
import pytest

from engine.media import g711
from engine.runtime.line_signals import (
    FLOOR_DBM0,
    RATE,
    ZERO_DBM0,
    Samples,
    burst,
    busy_tone,
    dtmf,
    inband_digits,
    level_dbm0,
    returned,
)

BURST = burst(1.0, -16.0)


def sine(hertz: float, seconds: float, dbm0: float) -> Samples:
    times = np.arange(int(seconds * RATE)) / RATE
    return (np.sqrt(2) * ZERO_DBM0 * 10 ** (dbm0 / 20) * np.sin(2 * np.pi * hertz * times)).astype(np.int16)


def through(gain_db: float, delay_ms: int, noise_dbm0: float = -70.0, seconds: float = 2.5) -> Samples:
    """What comes back of BURST from a line with this gain and delay, over mu-law."""
    heard = burst(seconds, noise_dbm0, seed=99).astype(np.float64)
    start = delay_ms * RATE // 1_000
    heard[start : start + BURST.size] += BURST * 10 ** (gain_db / 20)
    return g711.decode(g711.encode(heard.astype(np.int16), g711.MU_LAW), g711.MU_LAW)


def test_levels() -> None:
    assert level_dbm0(np.zeros(800, np.int16)) == FLOOR_DBM0 and level_dbm0(np.zeros(0, np.int16)) == FLOOR_DBM0
    for dbm0 in (0.0, -10.0, -40.0):
        assert level_dbm0(sine(1_004, 0.5, dbm0)) == pytest.approx(dbm0, abs=0.1)
    assert level_dbm0(BURST) == pytest.approx(-16.0, abs=0.1)


@pytest.mark.parametrize("gain_db", [-3.0, -12.0, -25.0, -40.0])
@pytest.mark.parametrize("delay_ms", [0, 20, 180, 900])
def test_a_return_is_found_with_its_gain_and_delay(gain_db: float, delay_ms: int) -> None:
    found = returned(BURST, through(gain_db, delay_ms))
    assert found is not None
    assert found[0] == pytest.approx(gain_db, abs=1.0) and abs(found[1] - delay_ms) <= 1


def test_no_return_is_found_in_noise_or_silence() -> None:
    assert returned(BURST, burst(2.5, -30.0, seed=5)) is None
    assert returned(BURST, np.zeros(20_000, np.int16)) is None
    assert returned(BURST, np.zeros(100, np.int16)) is None


def test_a_smeared_return_counts_whole() -> None:
    heard = np.zeros(20_000)
    for tap, gain in ((400, 0.06), (404, -0.05), (409, 0.03)):
        heard[tap : tap + BURST.size] += BURST * gain
    found = returned(BURST, heard.astype(np.int16))
    assert found is not None
    assert found[0] == pytest.approx(20 * np.log10(np.sqrt(0.06**2 + 0.05**2 + 0.03**2)), abs=2.0)


def test_tones_of_keys_are_read() -> None:
    assert inband_digits(dtmf("1590*#A")) == "1590*#A"
    assert inband_digits(np.concatenate([sine(440, 0.5, -10), BURST])) == ""
    assert inband_digits(dtmf("55")) == "55"
    assert inband_digits(dtmf("7", dbm0=-50.0)) == ""


@pytest.mark.parametrize(("hertz", "on", "off"), [(425, 500, 500), (400, 360, 360), (480, 240, 240)])
def test_a_busy_tone_is_read(hertz: int, on: int, off: int) -> None:
    one = np.concatenate([sine(hertz, on / 1_000, -12), np.zeros(off * RATE // 1_000, np.int16)])
    found = busy_tone(np.tile(one, 6))
    assert found is not None
    assert abs(found[0] - hertz) <= 6 and abs(found[1] - on) <= 20 and abs(found[2] - off) <= 20


def test_speech_silence_and_a_steady_tone_are_no_busy_tone() -> None:
    rng = np.random.default_rng(3)
    words = [np.concatenate([burst(float(rng.uniform(0.1, 0.9)), -16), np.zeros(int(rng.uniform(400, 5e3)), np.int16)])
             for _ in range(8)]  # fmt: skip
    assert busy_tone(np.concatenate(words)) is None
    assert busy_tone(np.zeros(40_000, np.int16)) is None
    assert busy_tone(sine(425, 5.0, -12)) is None
    assert busy_tone(np.zeros(10, np.int16)) is None
