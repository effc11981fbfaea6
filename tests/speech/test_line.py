"""The line: its band, the level that is asked for, the noise so far below."""

from __future__ import annotations

import numpy as np
import pytest

from engine.speech import line

LEAD = line.LEAD_MS * 8


def tone(hz: float, samples: int = 16_000) -> line.Sound:
    return np.sin(2 * np.pi * hz * np.arange(samples) / 8_000).astype(np.float32)


def power_db(sound: object) -> float:
    return float(10 * np.log10(np.mean(np.asarray(sound, np.float64) ** 2) + 1e-12))


@pytest.mark.parametrize(("hz", "passes"), [(60, False), (200, False), (400, True), (1_000, True), (3_200, True),
                                            (3_700, False)])  # fmt: skip
def test_the_band(hz: float, passes: bool) -> None:
    lost = power_db(tone(hz)) - power_db(line.band(tone(hz)))
    assert lost < 0.5 if passes else lost > 18


def test_the_voice_has_the_level_and_the_noise_lies_below() -> None:
    voice = tone(1_000)
    for level in (-15, -30):
        made = line.carried(voice, level, "white", 20, 1)
        assert made.dtype == np.int16 and made.size == voice.size + LEAD + line.TAIL_MS * 8
        inside, around = made[LEAD : LEAD + voice.size] / 32_768, made[:LEAD] / 32_768
        assert power_db(inside) == pytest.approx(level, abs=0.3)
        assert power_db(around) == pytest.approx(level - 20, abs=1.0)


def test_a_clean_line_hisses_a_little_and_pauses_do_not_count() -> None:
    voice = np.concatenate([tone(1_000), np.zeros(40_000, np.float32), tone(1_000)])
    made = line.carried(voice, -20) / 32_768
    assert power_db(made[LEAD + 1_000 : LEAD + 12_000]) == pytest.approx(-20, abs=0.3)
    assert power_db(made[:LEAD]) == pytest.approx(-80, abs=3)


def test_a_loud_voice_is_clipped_and_silence_stays_silent() -> None:
    loud = line.carried(tone(1_000), 6)
    assert (int(loud.min()), int(loud.max())) == (-32_768, 32_767)
    silent = line.carried(np.zeros(8_000, np.float32), -20, "pink", 20, 1)
    assert power_db(silent / 32_768) == pytest.approx(-40, abs=1)
    assert line.band(np.zeros(0, np.float32)).size == 0
    assert line.active_level(np.zeros(10, np.float32)) == 0.0


def test_the_seed_is_the_noise() -> None:
    first, again, other = (line.carried(tone(500), -20, "street", 15, seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)
